// Training in view: a worker that steps, its curves, its filters, and the maps of one image as they are now.

const SIDES = { maps: 40, filters: 30 }; // pixels of the screen along the side of a picture
const ROOM_OF_FRAME = 6; // milliseconds of painting in a frame
const LONGEST_CURVE = 400; // points of a curve; of more every so many-th
const MOST_WATCHED = 20; // classes of which an image can be watched
const FEW_NUMBERS = 4; // that are answered in a line
const WATCHED = 8; // layers whose maps are shown
const BATCHES = [8, 16, 32, 64, 128, 256];
const OPTIMISERS = ["sgd", "sgd momentum 0.9", "adam", "adamw", "rmsprop"];

const training = {
  worker: null, of: "", waiting: new Map(), asked: 0, going: false, made: null,
  costs: [], tests: [], next: 1, given: false, accuracy: null, self: null, scaling: null, data: null, images: [], rate: 0, workers: 0,
  goal: "all", turn: Promise.resolve(),
};

const live = { key: "", tiles: [], turn: 0 };

// What those hear who wait for a worker that is let go; those who have nothing more to do then leave it at that.
const GONE = new Error("the training was begun anew");
const leaveIt = (problem) => {
  if (problem !== GONE) throw problem;
};

function request(deed, question = {}, transfer = []) {
  return new Promise((done, failed) => {
    if (!training.worker) throw GONE;
    const id = ++training.asked;
    training.waiting.set(id, { done, failed });
    training.worker.postMessage({ id, deed, ...question }, transfer);
  });
}

const heard = {
  done({ id, told, problem }) {
    const { done, failed } = training.waiting.get(id);
    training.waiting.delete(id);
    if (problem) failed(new Error(problem));
    else done(told);
  },
  async self(picture) {
    training.self = picture;
    training.costs.push(...picture.told);
    showProgress();
    showCurves();
    await showLive();
    if (training.worker) request("seen").catch(leaveIt);
  },
  tested({ first, ...test }) {
    training.tests = [...training.tests.filter(({ epoch }) => epoch < test.epoch), test]; // one may have gone back
    training.accuracy = test.accuracy;
    showEpochs(first, test.epoch, test.epoch);
    tell("trained");
  },
  over: () => say("All epochs are over; start goes on for one more."),
  diverged: () => say("The cost is no number any more: begin anew with a smaller rate."),
  paused() {
    going(false);
    tell("trained");
    if (training.data) showProgress();
  },
};

const settingsNow = () => ({
  rate: training.rate, batch: Number(byId("batch").value),
  epochs: state.network.train.epochs, augment: byId("augment").checked,
});

// The key of what is being trained: another text or seed begins anew.
const wantedKey = () => `${state.seed} ${ownData.stamp} ${state.checked}`;

function going(goes) {
  training.going = goes;
  byId("start").textContent = goes ? "pause" : "start";
}

// Do something of which a worker comes, once whatever was begun before it is done: two at a time would take each
// other's worker.
function inTurn(work) {
  const done = training.turn.then(work);
  training.turn = done.catch(() => {});
  return done;
}

// Let the worker go, and those know who wait for it.
function endWorker() {
  training.worker?.terminate();
  training.worker = null;
  for (const { failed } of training.waiting.values()) failed(GONE);
  training.waiting.clear();
}

// Make the worker of the text that is there, unless it is there already.
const ensureTrained = (wanted) => inTurn(() => makeWorker(wanted));

async function makeWorker({ weights = null, next = 1 } = {}) {
  if (training.worker && training.of === wantedKey() && !weights) return;
  let key = "", made = null, data = null;
  while (key !== wantedKey()) {
    if (key && weights) throw new Error("the text has changed meanwhile");
    key = wantedKey();
    const optimiser = byId("optimiser").value;
    if (training.of !== key) Object.assign(training, { costs: [], tests: [], accuracy: null });
    made = await ask("network", state.checked, { settings: optimiser === "" ? [] : [`train.optimiser=${optimiser} lr ${settingsNow().rate}`] });
    if (made.refused) throw new Error(made.refused);
    data = await dataFor(made);
  }
  endWorker();
  going(false);
  const source = ["\"use strict\";", made.script, randomOf, drawnNumbers, shadedPixels, `(${trainer})();`].join("\n");
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  worker.onmessage = ({ data: message }) => worker === training.worker && heard[message.kind](message);
  worker.onerror = (event) => say(`The worker fails: ${event.message}`);
  Object.assign(training, { worker, of: key, made, data, next, given: weights !== null, workers: training.workers + 1 });
  byId("learns-from").textContent = learnsFrom(made).said;
  const told = await request("begin", {
    begin: made.begin, seed: state.seed, weights, given: data, settings: settingsNow(), normalise: made.data.normalise, from: next,
  }).catch((problem) => {
    training.of = ""; // it has no network: the next one is made anew
    throw problem;
  });
  training.scaling = told.scaling;
  chooseImages();
  if (!weights) await silence();
  await watch();
}

// ---- the image that is watched ---------------------------------------------------------------------

// Images to look at: of the test data one of each class, or the first ones, else random numbers: [{ title, label, inputs,
// right: what the output is to be }].
function chooseImages() {
  const { told } = training.made, random = randomOf(7);
  const layer = (name) => told.layers.find((one) => one.name === name);
  if (training.data) {
    const { testImages, testLabels, each, classes, answers, kind } = training.data, { scale, offset } = training.scaling;
    const count = testLabels.length / each, size = testImages.length / count, one = kind === "table" ? "row" : "image";
    const shown = answers === "classes" ? classes.slice(0, MOST_WATCHED).map((_, label) => testLabels.indexOf(label)).filter((k) => k >= 0) : Array.from({ length: Math.min(count, MOST_WATCHED) }, (_, k) => k);
    training.images = shown.map((k) => {
      const inputs = Float64Array.from(testImages.subarray(k * size, (k + 1) * size), (v) => v * scale + offset);
      const labels = testLabels.subarray(k * each, (k + 1) * each), label = answers === "classes" ? labels[0] : null;
      const title = `test ${one} ${k}${label === null ? "" : `, a ${classes[label]}`}`;
      return { title, label, inputs: { [told.inputs[0]]: inputs }, right: rightNumbers(labels, layer(told.outputs[0]).shape) };
    });
  } else {
    const inputs = Object.fromEntries(told.inputs.map((name) => {
      const size = layer(name).shape.reduce((a, b) => a * b, 1);
      return [name, Float64Array.from({ length: size }, random)];
    }));
    training.images = [{ title: "random numbers", label: null, inputs, right: null }];
  }
  const before = byId("watched").value;
  byId("watched").replaceChildren(...training.images.map(({ title }, k) => element("option", { value: k }, title)));
  if (before && training.images[before]) byId("watched").value = before;
}

// The numbers that an output is to be: as they are, or of classes a row with a single 1.
function rightNumbers(labels, [channels, ...sides]) {
  const pixels = sizeOfShape(sides);
  if (labels.length === channels * pixels) return Float64Array.from(labels);
  const right = new Float64Array(channels * pixels);
  labels.forEach((label, k) => (right[label * pixels + k] = 1));
  return right;
}

const imageNow = () => training.images[Number(byId("watched").value) || 0];

async function watch() {
  const { told } = training.made;
  const layers = told.layers.filter(({ rank, shape, kind }) => rank === 3 && shape[1] * shape[2] > 1 && kind !== "input");
  const filters = told.layers.filter(({ kind, parameters }) => kind === "filter" && parameters.weight?.shape.length === 4);
  await request("watch", {
    inputs: imageNow().inputs, answer: told.outputs[0], hues: hues(),
    layers: layers.slice(0, WATCHED).map(({ name, shape }) => ({ name, shape })),
    filters: filters.slice(0, 1).map(({ parameters }) => ({ name: parameters.weight.of, shape: parameters.weight.shape })),
  });
}

// The filters and maps, on canvases that stay while the network does; not where nobody sees them.
function showLive() {
  const { rows, answer } = training.self;
  if (state.view !== "train") return;
  const key = JSON.stringify(rows.map(({ name, height, width, count }) => [name, height, width, count]));
  if (live.key !== key) {
    Object.assign(live, { key, tiles: rows.map(({ height, width, count, what }) => Array.from({ length: count }, () => tile(height, width, SIDES[what]))) });
    byId("live").replaceChildren(...rows.map(({ name, what, count }, k) =>
      element("div", { class: "row", role: "img", "aria-label": `${name}: ${count} ${what}` }, element("span", { class: "note" }, name), ...live.tiles[k])));
  }
  const painted = paintRows(rows, live.tiles);
  const { label, right } = imageNow();
  if (answer && training.data?.answers === "numbers") byId("answer").textContent = `answered ${Array.from(answer, (value) => show(value, 4)).slice(0, FEW_NUMBERS).join(", ")}; right is ${Array.from(right, (value) => show(value, 4)).slice(0, FEW_NUMBERS).join(", ")}`;
  if (label === null || !answer) return painted;
  const best = answer.indexOf(Math.max(...answer));
  byId("answer").textContent = `answered ${training.data.classes[best]}, ${show(100 * answer[best], 3)} %`;
  byId("answer").className = best === label ? "good" : "bad";
  return painted;
}

// Put the pixels of rows where they belong, as long as a frame has room for it, the others in the frames after it; none
// once there are later ones.
async function paintRows(rows, tiles) {
  const turn = ++live.turn;
  let began = performance.now();
  for (const [k, { pixels, height, width }] of rows.entries()) {
    if (performance.now() - began > ROOM_OF_FRAME && !document.hidden) {
      await new Promise(requestAnimationFrame);
      if (turn !== live.turn) return;
      began = performance.now();
    }
    const size = 4 * height * width;
    tiles[k].forEach((canvas, c) => canvas.getContext("2d").putImageData(new ImageData(pixels.subarray(c * size, (c + 1) * size), width, height), 0, 0));
  }
}

// ---- progress and curves ---------------------------------------------------------------------------

function showProgress() {
  const { self: now, accuracy, costs } = training, parts = [];
  if (now.steps) parts.push(`epoch ${now.epoch}, step ${now.steps}`, `cost ${show(mean(costs.slice(-20).map(([cost]) => cost)), 3)}`);
  if (now.steps) parts.push(`rate ${show(now.rate, 3)}`);
  if (training.going && now.perSecond) parts.push(`${Math.round(now.perSecond).toLocaleString("en")} images/s`);
  const [test] = training.tests.slice(-1);
  if (accuracy !== null) parts.push(`test accuracy ${(100 * accuracy).toFixed(1)} %`);
  else if (test) parts.push(`test cost ${show(test.cost, 3)}`);
  byId("progress").textContent = parts.join(", ") || "Nothing has been trained yet.";
}
