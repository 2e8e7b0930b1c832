// What is chosen (an example, a layer, a number of it), and everything that follows from it.

const MOST = 64; // maps shown before the reader asks for all

const chosen = { example: content.examples[0], layer: null, place: [0, 0, 0], view: "values", all: false, address: 0 };
const byId = (id) => document.getElementById(id);

// ---- the page's fixed parts ------------------------------------------------------------------------

function showPage() {
  byId("name").textContent = content.name;
  byId("totals").textContent =
    `${content.totals.parameters.toLocaleString("en")} parameters, ` +
    `${content.totals.macs.toLocaleString("en")} multiply-adds for an image, ${content.layers.length} values`;
  byId("spec").textContent = content.spec;
  byId("example").append(...content.examples.map((example, k) => element("option", { value: k }, example.title)));
  byId("choose").append(...content.layers.map((layer) => element("option", { value: layer.name }, layer.name)));
  showLayers();
  showPad();
  showTraining(content.training);
  showResults(content.results, content.training && content.training.summary);
  const image = byId("drawing").querySelector("svg");
  image.setAttribute("role", "group");
  for (const group of image.querySelectorAll("g[data-value]")) {
    const name = content.stations[group.dataset.value];
    if (!name) continue;
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.setAttribute("aria-label", `${group.querySelector("title")?.textContent || name}`);
    group.addEventListener("click", () => choose(name));
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose(name);
      }
    });
  }
}

function showLayers() {
  const head = ["layer", "as written", "output", "parameters", "multiply-adds", "sees"];
  const table = byId("layers");
  table.append(element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))));
  for (const layer of content.layers) {
    const button = element("button", { type: "button", on: { click: () => choose(layer.name, true) } }, layer.name);
    const cells = [
      layer.written, layer.output, layer.shares ? `= ${layer.shares}` : layer.count ? layer.count.toLocaleString("en") : "",
      layer.macs ? layer.macs.toLocaleString("en") : "", layer.field.map(([, size]) => size).join("×"),
    ];
    const row = element("tr", { "data-layer": layer.name }, element("th", { scope: "row" }, button));
    row.append(...cells.map((text) => element("td", {}, text)));
    table.append(row);
  }
}

// ---- what follows a choice -------------------------------------------------------------------------

function choose(name, go = false) {
  const layer = layers.get(name);
  if (!layer) return;
  if (layer !== chosen.layer) {
    chosen.layer = layer;
    chosen.all = false;
    chosen.place = strongest(layer);
  }
  showLayer();
  showPlace();
  if (go) byId("layer").focus();
}

// Where a layer's largest number is: a place worth looking at first.
function strongest(layer) {
  const array = seen(chosen.example, layer, "values");
  let best = 0;
  for (let k = 1; k < array.data.length; k++) if (Math.abs(array.data[k]) > Math.abs(array.data[best])) best = k;
  return unravel(layer, best);
}

function colorOf(layer, array, view) {
  if (layer.kind === "input" && view === "values" && layer.rank === 3) return grey(array.data);
  return signed(largestOf(array.data));
}

function showLayer() {
  const { layer, example, view } = chosen;
  byId("choose").value = layer.name;
  byId("layer-heading").textContent = `${layer.name}: ${layer.written}`;
  byId("words").textContent = layer.words;
  byId("formula").textContent = layer.formula;
  const facts = [`gives ${layer.output}`];
  if (layer.inputs.length) facts.push(`from ${layer.inputs.join(", ")}`);
  if (layer.count) facts.push(`${layer.count.toLocaleString("en")} parameters`);
  if (layer.macs) facts.push(`${layer.macs.toLocaleString("en")} multiply-adds`);
  if (layer.where) facts.push(`spec ${layer.where}`);
  byId("figures").textContent = facts.join("; ");
  for (const row of byId("layers").rows) row.classList.toggle("chosen", row.dataset.layer === layer.name);
  for (const group of byId("drawing").querySelectorAll("g[data-value]")) {
    group.classList.toggle("chosen", content.stations[group.dataset.value] === layer.name);
  }
  const array = seen(example, layer, view);
  showLegend(layer, array, view);
  showMaps(layer, array, view);
}

function showLegend(layer, array, view) {
  const largest = largestOf(array.data);
  const { zero, below, above } = hues();
  const css = (color) => `rgb(${color.join(",")})`;
  const ramp = element("span", { class: "ramp" });
  ramp.style.background = `linear-gradient(to right, ${css(below)}, ${css(zero)}, ${css(above)})`;
  const natural = layer.kind === "input" && view === "values" && layer.rank === 3;
  byId("legend").replaceChildren(
    ...(natural ? ["from the darkest number to the brightest"] : [show(-largest, 3), ramp, show(largest, 3)]),
  );
}

function showMaps(layer, array, view) {
  const color = colorOf(layer, array, view);
  const { height, width, vector } = extent(layer, array.shape);
  const count = vector ? 1 : array.shape[0];
  const some = chosen.all ? count : Math.min(count, MOST);
  const maps = [];
  for (let c = 0; c < some; c++) {
    const pick = (row, column) => {
      const k = row * width + column;
      if (vector && k >= layer.shape[0]) return;
      chosen.place = vector ? [k, 0, 0] : [c, row, column];
      showPlace(true);
    };
    const caption = vector ? `${layer.name}, ${array.shape[0]} numbers` : `${layer.name}, channel ${c}`;
    const data = vector ? array.data : channelOf(array, c);
    const map = pickable(layer, caption, height, width, color, data, pick, moveBy);
    map.lastChild.textContent = vector ? "" : String(c);
    map.dataset.channel = c;
    maps.push(map);
  }
  byId("maps").replaceChildren(...maps);
  byId("more").hidden = some === count;
  byId("more").textContent = `show all ${count} maps`;
}

// Arrow keys move the chosen number, page keys the channel.
function moveBy(key) {
  const { layer } = chosen;
  const { height, width, vector } = extent(layer, layer.shape);
  let [c, i, j] = chosen.place;
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
  const turn = { PageUp: -1, PageDown: 1 }[key];
  if (!step && !turn) return false;
  if (vector) {
    c = Math.min(Math.max(c + (step ? step[0] * width + step[1] : turn * width), 0), layer.shape[0] - 1);
  } else {
    const last = byId("maps").childElementCount - 1;
    c = Math.min(Math.max(c + (turn || 0), 0), last);
    i = Math.min(Math.max(i + (step ? step[0] : 0), 0), height - 1);
    j = Math.min(Math.max(j + (step ? step[1] : 0), 0), width - 1);
  }
  chosen.place = [c, i, j];
  showPlace(true);
  return true;
}

// Mark the chosen number on its map and what it sees on the input, and write its account.
function showPlace(focus = false) {
  const { layer, place, example } = chosen;
  const { width, vector } = extent(layer, layer.shape);
  const [row, column] = vector ? [Math.floor(place[0] / width), place[0] % width] : [place[1], place[2]];
  for (const map of byId("maps").children) {
    const here = vector || Number(map.dataset.channel) === place[0];
    const over = map.firstChild;
    over.setAttribute("tabindex", here ? "0" : "-1");
    putBox(over, "pixel", ...(here ? [[row, row + 1], [column, column + 1]] : [null]));
    if (here && focus) over.focus({ preventScroll: true });
  }
  showPicture();
  showTouched(layer, place);
  showSums(layer, place, example);
  showBack(layer, place, example);
  showSlide(layer, place, example);
  window.clearTimeout(chosen.address); // browsers refuse an address that changes with every key press
  chosen.address = window.setTimeout(() => {
    window.history.replaceState(null, "", `#${placeName(layer, place)}`);
  }, 200);
}

// The input, with the receptive field of the chosen number on it.
function showPicture() {
  const { layer, place, example } = chosen;
  const source = layers.get(content.inputs[0]);
  const array = seen(example, source, "values");
  const { height, width } = extent(source, array.shape);
  const over = frame(height, width, 200);
  if (source.rank === 3 && array.shape[0] === 3) paintColors(over.firstChild, array);
  else paint(over.firstChild, source.rank > 1 ? channelOf(array, 0) : array.data, height, width, colorOf(source, array, "values"));
  over.setAttribute("role", "img");
  over.setAttribute("aria-label", `The input: ${example.title}`);
  byId("picture").replaceChildren(over);
  if (source.rank === 3) coverable(over, source, example);
  const box = reach(layer, place);
  const told = byId("receptive");
  told.textContent = "";
  if (!box || layer === source) return;
  const [rows, columns] = box.length === 2 ? box : [[0, 1], box[0]];
  if (rows[1] === rows[0] || columns[1] === columns[0]) return; // padding
  putBox(over, "window", rows, columns);
  const ranges = box.length === 2 ? [`rows ${rows[0]} to ${rows[1] - 1}`] : [];
  told.textContent = `${placeName(layer, place)} sees ${[...ranges, `columns ${columns[0]} to ${columns[1] - 1}`].join(" and ")}`;
}

function paintColors(canvas, array) {
  const [low, high] = extremes(array.data);
  const scale = (value) => Math.round((255 * (value - low)) / (high - low || 1));
  const planes = [0, 1, 2].map((c) => channelOf(array, c));
  paint(canvas, Array.from(planes[0].keys()), array.shape[1], array.shape[2], (k) => planes.map((plane) => scale(plane[k])));
}

function showExample() {
  const { example } = chosen;
  const answers = byId("answers");
  answers.replaceChildren(element("p", {}, `cost ${show(example.seen.cost)}${example.known ? "" : " (as if its own answer were right)"}`));
  const output = layers.get(content.outputs[0]);
  if (output.shape[1] * output.shape[2] > 1 || output.shape[0] < 2) return; // an image or a number: its maps show it
  const given = Array.from(seen(example, output, "values").data);
  const order = given.map((value, k) => [value, k]).sort((a, b) => b[0] - a[0]).slice(0, 10);
  const largest = Math.max(...given.map(Math.abs));
  const bars = element("div", { class: "answers", role: "list", "aria-label": "Answers, the strongest first" });
  order.forEach(([value, k], place) => {
    const bar = element("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.max(value, 0)) / (largest || 1)}%`;
    const name = content.classes[k] ?? String(k);
    const right = example.known && k === example.label ? " ✓" : "";
    bars.append(element("span", { class: place ? "" : "best", role: "listitem" }, `${name}${right}`), bar, element("span", { class: "mono" }, show(value, 4)));
  });
  answers.append(bars);
}

// Look at an example, and show what is chosen of it. While it is computed the page says so.
async function chooseExample(example) {
  const state = document.documentElement.dataset;
  state.ready = "";
  byId("result").textContent = "The network is at work ...";
  chosen.wanted = example;
  await look(example);
  if (chosen.wanted !== example) return;
  chosen.example = example;
  showExample();
  if (chosen.layer) {
    showLayer();
    showPlace();
  }
  state.ready = "yes";
}

// The page from the first example on; without the network, where it does not fit, all but its numbers.
async function begin() {
  if (content.refused) {
    for (const id of ["layer", "number", "slide"]) byId(id).hidden = true;
    byId("answers").textContent = `The numbers of this network cannot be looked at here: ${content.refused}.`;
    document.documentElement.dataset.ready = "yes";
    return;
  }
  startLooking();
  const example = content.examples[0];
  await look(example);
  chosen.example = chosen.wanted = example;
  showExample();
  if (!chooseFromAddress()) {
    const first = content.layers.find((layer) => layer.kind === "filter") || content.layers[0];
    choose(first.name);
  }
  document.documentElement.dataset.ready = "yes";
}

// ---- wiring ----------------------------------------------------------------------------------------

function neighbour(step) {
  const k = content.layers.indexOf(chosen.layer) + step;
  if (content.layers[k]) choose(content.layers[k].name);
}

function chooseFromAddress() {
  const match = decodeURIComponent(window.location.hash.slice(1)).match(/^(.+?)(?:\[([\d,]+)\])?$/);
  const layer = match && layers.get(match[1]);
  if (!layer) return false;
  choose(layer.name);
  const index = match[2] ? match[2].split(",").map(Number) : [];
  if (index.length === layer.rank) {
    const place = layer.rank === 3 ? index : layer.rank === 2 ? [index[0], 0, index[1]] : [index[0], 0, 0];
    if (place.every((k, axis) => k < layer.shape[axis])) {
      chosen.place = place;
      showPlace();
    }
  }
  return true;
}

showPage();
byId("example").addEventListener("change", (event) => {
  chooseExample(event.target.value === "own" ? own.example : content.examples[Number(event.target.value)]);
});
byId("choose").addEventListener("change", (event) => choose(event.target.value));
byId("before").addEventListener("click", () => neighbour(-1));
byId("after").addEventListener("click", () => neighbour(1));
byId("more").addEventListener("click", () => {
  chosen.all = true;
  showLayer();
  showPlace();
});
for (const radio of document.querySelectorAll("input[name=view]")) {
  radio.addEventListener("change", () => {
    chosen.view = radio.value;
    showLayer();
    showPlace();
  });
}
byId("play").addEventListener("click", playSlide);
byId("step-back").addEventListener("click", () => stepTo(Number(byId("place").value) - 1));
byId("step-on").addEventListener("click", () => stepTo(Number(byId("place").value) + 1));
dark.addEventListener("change", () => {
  showLayer();
  showPlace();
});
window.addEventListener("hashchange", () => chosen.example.seen && chooseFromAddress());
begin();
