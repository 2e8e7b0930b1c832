// What is chosen (an example, a layer, a number of it), and everything that follows from it.

const MOST = 64; // maps shown before the reader asks for all

const chosen = { example: null, wanted: null, turn: 0, layer: null, place: [0, 0, 0], view: "values", all: false, weight: null };

// ---- the page's fixed parts ------------------------------------------------------------------------

function showPage() {
  byId("name").textContent = content.name;
  byId("totals").textContent =
    `${content.totals.parameters.toLocaleString("en")} parameters, ` +
    `${content.totals.macs.toLocaleString("en")} multiply-adds for an image, ${content.layers.length} values`;
  byId("spec").textContent = content.spec;
  byId("example").append(...content.examples.map((example, k) => element("option", { value: k }, example.title)));
  showLayers();
  showDrawing();
  showPad();
  showPart();
  showTraining(content.training);
  showResults(content.results, content.training && content.training.summary);
  startHistory();
}

// ---- what follows a choice -------------------------------------------------------------------------

function choose(name, go = false) {
  const layer = layers.get(name);
  if (!layer) return;
  if (layer !== chosen.layer) Object.assign(chosen, { layer, all: false, place: strongest(layer), weight: null });
  showLayer();
  showPlace();
  if (go) byId("layer").focus();
}

// Where a layer's largest number is: a place worth looking at first.
function strongest(layer) {
  const { data } = seen(chosen.example, layer, "values");
  if (!data) return [0, 0, 0];
  let best = 0;
  for (let k = 1; k < data.length; k++) if (Math.abs(data[k]) > Math.abs(data[best])) best = k;
  return unravel(layer, best);
}

function colorOf(layer, array, view) {
  if (layer.kind === "input" && view === "values" && layer.rank === 3) return grey(array.data);
  return signed(largestOf(array.data));
}

function showLayer() {
  const { layer, example, view } = chosen;
  byId("layer-heading").textContent = `${layer.name}: ${layer.written}`;
  byId("words").textContent = layer.words;
  byId("formula").textContent = layer.formula;
  const facts = [`gives ${layer.output}`];
  if (layer.inputs.length) facts.push(`from ${layer.inputs.join(", ")}`);
  if (layer.count) facts.push(`${layer.count.toLocaleString("en")} parameters`);
  if (layer.macs) facts.push(`${layer.macs.toLocaleString("en")} multiply-adds`);
  if (layer.where) facts.push(layer.where);
  byId("figures").textContent = facts.join("; ");
  if (byId("maps").dataset.of?.split(" ")[0] !== layer.name) markLayer(layer);
  const array = seen(example, layer, view);
  showBeyond(layer);
  if (!array.data) {
    byId("legend").replaceChildren();
    byId("maps").replaceChildren(element("p", { class: "note" }, computed(layer) ? "" : "Its values are not here: they are too many, or of something of your own."));
    byId("maps").dataset.of = byId("values").textContent = "";
    byId("more").hidden = true;
    return;
  }
  byId("values").textContent = view === "values" ? figuresOf(array.data) : "";
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
  const some = chosen.all ? count : Math.min(count, MOST), box = byId("maps"), of = `${layer.name} ${some}`;
  if (box.dataset.of === of) { // the same maps with other numbers: painted again, not made again
    for (const [c, map] of [...box.children].entries()) paint(map.firstChild.firstChild, vector ? array.data : channelOf(array, c), height, width, color);
    return;
  }
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
  box.replaceChildren(...maps);
  box.dataset.of = of;
  byId("more").hidden = some === count;
  byId("more").textContent = `show all ${count} maps`;
}

// Arrow keys move the chosen number, page keys the channel.
function moveBy(key) {
  const { layer } = chosen;
  const { height, width, vector } = extent(layer, layer.shape);
  let [c, i, j] = chosen.place;
  const step = ARROWS[key];
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

// Mark the chosen number on its map and what it sees on the inputs, and write its account.
function showPlace(focus = false) {
  const { layer, place, example } = chosen;
  if (!seen(example, layer, "values").data) {
    showReach();
    showTouch(layer, place);
    for (const id of ["result", "sums", "back", "weight"]) byId(id).replaceChildren();
    byId("slide").hidden = true;
    tellAddress();
    return;
  }
  const { width, vector } = extent(layer, layer.shape);
  const [row, column] = vector ? [Math.floor(place[0] / width), place[0] % width] : [place[1], place[2]];
  for (const map of byId("maps").children) {
    const here = vector || Number(map.dataset.channel) === place[0];
    const over = map.firstChild;
    over.setAttribute("tabindex", here ? "0" : "-1");
    putBox(over, "pixel", ...(here ? [[row, row + 1], [column, column + 1]] : [null]));
    if (here) bringIntoView(map);
    if (here && focus) over.focus({ preventScroll: true });
  }
  showReach();
  showTouch(layer, place);
  showSums(layer, place, example);
  showWeight();
  showBack(layer, place, example);
  showSlide(layer, place, example);
  if (focus && narrow.matches && byId("back").getBoundingClientRect().top > window.innerHeight - 48) byId("maps").scrollIntoView();
  tellAddress();
}

// Where the maps are a strip, as on a phone, the one that is chosen is to be seen.
function bringIntoView(map) {
  if (!narrow.matches) return;
  const box = byId("maps"), left = map.offsetLeft - box.offsetLeft - box.scrollLeft;
  if (left < 0 || left + map.offsetWidth > box.clientWidth) box.scrollLeft += left - (box.clientWidth - map.offsetWidth) / 2;
}

// Values or gradients on the maps.
function showView(view) {
  chosen.view = view;
  for (const radio of document.querySelectorAll("input[name=view]")) radio.checked = radio.value === view;
}

function showAgain() {
  if (!chosen.layer) return;
  showLayer();
  showPlace();
}

// Look at an example, and show what is chosen of it. While it is computed the page says so.
async function chooseExample(example) {
  const state = document.documentElement.dataset, turn = ++chosen.turn;
  state.ready = "";
  chosen.wanted = example;
  await look(example);
  if (turn !== chosen.turn) return; // another was chosen meanwhile, or this one again
  chosen.example = example;
  showInputs(example);
  showAnswers(example);
  showHistory();
  showAgain();
  state.ready = "yes";
}

// The page from the first example on.
async function begin() {
  byId("result").textContent = "The network is at work ...";
  startLooking();
  await chooseExample(content.examples[0]);
  document.documentElement.dataset.ready = "";
  if (await followAddress()) byId(narrow.matches ? "maps" : "layer").scrollIntoView();
  else {
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

showPage();
byId("example").addEventListener("change", (event) => {
  showExample(event.target.value === "own" ? own.example : content.examples[Number(event.target.value)]);
});
byId("choose").addEventListener("change", (event) => choose(event.target.value));
byId("before").addEventListener("click", () => neighbour(-1));
byId("after").addEventListener("click", () => neighbour(1));
byId("silence").addEventListener("click", silence);
byId("more").addEventListener("click", () => {
  chosen.all = true;
  showAgain();
});
for (const radio of document.querySelectorAll("input[name=view]")) {
  radio.addEventListener("change", () => {
    showView(radio.value);
    showAgain();
  });
}
byId("play").addEventListener("click", playSlide);
byId("pace").addEventListener("change", setPace);
byId("step-back").addEventListener("click", () => stepTo(Number(byId("place").value) - 1));
byId("step-on").addEventListener("click", () => stepTo(Number(byId("place").value) + 1));
dark.addEventListener("change", () => {
  if (chosen.example) showAnswers(chosen.example);
  showAgain();
});
window.addEventListener("hashchange", () => chosen.example && followAddress());
begin();
