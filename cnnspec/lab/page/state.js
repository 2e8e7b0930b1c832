// What the page knows: what it was given (given.js), and what is open in it.

const given = window.cnnspecLab || {}; // the page of a run is given nothing
const byId = (id) => document.getElementById(id);

const state = {
  text: "", // as it stands in the area
  checked: "", // the text that `network` is of
  network: null, // drawing, layers, settings of the last text that was right
  findings: [],
  seed: 1,
  view: "drawing",
  lesson: null,
};

// Those who are to hear that something has changed: "network" (the text is right again), "findings", "trained".
const hearers = new Map();

function hear(news, run) {
  hearers.set(news, [...(hearers.get(news) || []), run]);
}

function tell(news) {
  for (const run of hearers.get(news) || []) run();
}

function say(text) {
  byId("said").textContent = text;
}

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
