// Runs beside the one that is trained now: their curves are drawn with it, whatever is changed meanwhile. One that goes
// on keeps its worker, so that two are trained at once.

const MOST_RUNS = 3; // dashes that can be told apart
const LOOKED_AT = 300; // milliseconds between two reports of a run beside
const comparing = { runs: [] }; // { name, costs, tests, worker }

// What is trained now, in words: what one may have turned.
function runNamed() {
  const { optimiser, rate } = state.network.train, chosen = byId("optimiser").value || optimiser;
  const turned = training.rate === rate ? "" : `, rate ${show(training.rate, 3)}`, { batch, augment } = settingsNow();
  return `${counted(training.made.told.totals.parameters, "parameter")}, ${chosen}${turned}, batch ${batch}${augment ? "" : ", not augmented"}, seed ${state.seed}`;
}

function keepRun() {
  if (!training.costs.length) return say("There is no curve yet: train a step first.");
  const { costs, tests } = training;
  say("It is kept: change something and begin anew, and both are drawn.");
  return putBeside({ name: runNamed(), costs: [...costs], tests: [...tests], worker: null });
}

// The run that is trained now goes on beside the next one.
function goOnBeside() {
  if (!training.going) return say("Nothing is trained just now: press start first, then this, and start again.");
  const { worker, costs, tests } = training, run = { name: runNamed(), costs, tests, worker };
  worker.onmessage = ({ data }) => heardBeside[data.kind]?.(run, data);
  training.worker = null; // so that it lives on
  stopTraining();
  worker.postMessage({ id: 0, deed: "seen" }); // what it reported last may be on its way
  say("It goes on: change something and press start, and both are trained at once.");
  return putBeside(run);
}

const heardBeside = {
  self(run, { told }) {
    run.costs.push(...told);
    window.setTimeout(() => run.worker?.postMessage({ id: 0, deed: "seen" }), LOOKED_AT);
    showCurves();
  },
  tested(run, { epoch, accuracy, cost }) {
    run.tests = [...run.tests, { epoch, accuracy, cost }];
    showKept();
  },
  paused(run) {
    endBeside(run);
    showKept();
  },
};

function endBeside(run) {
  run.worker?.terminate();
  run.worker = null;
}

function putBeside(run) {
  const runs = [...comparing.runs, run];
  runs.slice(0, -MOST_RUNS).forEach(endBeside);
  comparing.runs = runs.slice(-MOST_RUNS);
  showKept();
  return showCurves();
}

// A line for each run; its elements stay while the run does, so that a click or the keyboard does not miss them.
function showKept() {
  comparing.runs.forEach((run, k) => {
    run.shown ||= lineOf(run);
    const { said, dash } = run.shown, last = run.tests.at(-1);
    const reached = last ? `: ${reachedBy(last)} on the test images after ${counted(last.epoch, "epoch")}` : `: ${counted(run.costs.length, "step")}`;
    said.textContent = ` ${run.name}${reached}${run.worker ? ", and goes on" : ""} `;
    dash.setAttribute("class", `kept-${k}`);
  });
  const lines = comparing.runs.map(({ shown }) => shown.line), there = byId("kept-runs");
  if (lines.length !== there.children.length || lines.some((line, k) => line !== there.children[k])) there.replaceChildren(...lines);
}

function lineOf(run) {
  const away = () => {
    endBeside(run);
    comparing.runs = comparing.runs.filter((other) => other !== run);
    showKept();
    showCurves();
    byId("keep-run").focus();
  };
  const sample = drawn("svg", { class: "sample", width: 36, height: 8, "aria-hidden": "true" }), said = element("span", {});
  const dash = drawn("polyline", { points: "0,4 36,4" });
  sample.append(dash);
  const button = element("button", { type: "button", "aria-label": `no longer draw ${run.name}`, on: { click: away } }, "away");
  return { line: element("li", {}, sample, said, button), said, dash };
}

const reachedBy = ({ accuracy, cost }) => (accuracy === null ? `cost ${show(cost, 3)}` : percent(accuracy));

// Rows of pairs as a curve of at most so many points, each the mean of `every`.
const thinned = (costs, every, k) => Array.from({ length: Math.ceil(costs.length / every) }, (_, i) => mean(costs.slice(i * every, (i + 1) * every).map((pair) => pair[k])));

// The curves of the run that is trained now, and of those that are kept, over the same steps and epochs.
function showCurves() {
  const runs = [training, ...comparing.runs], longest = Math.max(...runs.map(({ costs }) => costs.length));
  if (!longest) return byId("curves").replaceChildren();
  const every = Math.ceil(longest / LONGEST_CURVE), [now, ...kept] = runs;
  const of = (title, written, values) => curve(title, values(now), written, kept.map(values));
  const charts = [of("cost of a step", show, ({ costs }) => thinned(costs, every, 0))], near = training.data?.answers === "numbers"; // not right or wrong
  if (!near) charts.push(of("accuracy of a step", percent, ({ costs }) => thinned(costs, every, 1)));
  const [title, written, measure] = near ? ["test cost of an epoch", show, "cost"] : ["test accuracy of an epoch", percent, "accuracy"];
  if (runs.some(({ tests }) => tests.length)) charts.push(of(title, written, ({ tests }) => tests.map((test) => test[measure])));
  return byId("curves").replaceChildren(...charts);
}
