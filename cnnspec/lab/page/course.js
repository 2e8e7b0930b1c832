// Lessons: a text to read, a spec to change, exercises that the page checks by what it computes.

const SLOPE = { relu: "its relu is shut", pool: "it is not the largest of its window" };

const layerOf = (network, name) => network?.told.layers.find((one) => one.name === name);
const layerNamed = (name) => layerOf(state.network, name);
const numbersIn = (text) => (text.match(/\d+/g) || []).map(Number);
const sizesOf = (layer) => (layer.rank === 3 ? layer.shape : layer.rank === 2 ? [layer.shape[0], layer.shape[2]] : [layer.shape[0]]);

// The network that an exercise asks about: that of the text, or of the lesson's own with something written otherwise.
async function networkAskedAbout({ change }) {
  if (!change) return state.network;
  const told = await ask("check", state.lesson.text.replace(change[0], () => change[1]));
  if (!told.network) throw new Error("the text of the question has errors");
  return told.network;
}

// Each kind of exercise: what the reader fills in (`fields`), and `judge`, which gives null where it is right and
// otherwise says what to look at. Nothing of the answer stands in the page: it is computed from a network.
const EXERCISES = {
  shape: {
    fields: [["answer", "text", "such as 8x26x26"]],
    async judge(one, { answer }) {
      const layer = layerOf(await networkAskedAbout(one), one.of);
      return String(numbersIn(answer)) === String(sizesOf(layer)) ? null : "not yet: count what each word does to height and width";
    },
  },
  figure: { // of a layer: count (parameters), macs, sees; or of the whole, without `of`
    fields: [["answer", "text", "a number"]],
    async judge(one, { answer }) {
      const { of, what } = one, network = await networkAskedAbout(one), layer = of && layerOf(network, of);
      const right = !of ? network.told.totals[what] : what === "sees" ? layer.field[0][1] : layer[what];
      return answer.trim() && Number(answer.replace(/[,\s]/g, "")) === right ? null : "not yet";
    },
  },
  cost: { // of equal shares for all classes
    fields: [["answer", "text", "such as 1.23"]],
    judge(one, { answer }) {
      const classes = layerNamed(state.network.told.outputs[0]).shape[0];
      return Math.abs(Number(answer) - Math.log(classes)) < 0.006 ? null : "not yet: minus the logarithm of one share";
    },
  },
  make: { // the text so that a value has a shape, with no more than some parameters
    fields: [],
    judge({ of, shape, most, sees }) {
      const layer = layerNamed(of);
      if (state.checked !== state.text) return "the text has errors";
      if (!layer) return `there is no ${of} in the text`;
      if (shape && String(numbersIn(shape)) !== String(sizesOf(layer))) return `${of} gives ${layer.output}`;
      if (sees && layer.field[0][1] < sees) return `a number of ${of} sees ${layer.field[0][1]} pixels along a side`;
      const { parameters } = state.network.told.totals;
      return !most || parameters <= most ? null : `the network has ${counted(parameters, "parameter")}`;
    },
  },
  reach: { // an accuracy of the text as it is, by training it here
    fields: [],
    judge({ accuracy, most, word, without, epochs = Infinity }) {
      if (state.checked !== state.text) return "the text has errors";
      const { told: { totals, layers } } = state.network;
      if (most && totals.parameters > most) return `the network has ${counted(totals.parameters, "parameter")}`;
      if (word && !layers.some((layer) => layer.word === word)) return `there is no ${word} in the text`;
      if (without && layers.some((layer) => layer.word === without)) return `there is a ${without} in the text`;
      const tests = training.of === wantedKey() ? training.tests.filter(({ epoch }) => epoch <= epochs) : [];
      if (!tests.length) return "train this text first: the tab train, for an epoch or more";
      const best = Math.max(...tests.map((test) => test.accuracy));
      return best >= accuracy ? null : `its test accuracy is ${percent(best)}`;
    },
  },
  rate: { // a learning rate that makes the cost of training no number, or leave its place
    fields: [],
    judge({ above }) {
      const costs = training.costs.map(([cost]) => cost);
      if (training.of !== wantedKey() || costs.length < 20) return "train this text for some 20 steps first";
      const last = costs.slice(-10);
      return last.some((cost) => !Number.isFinite(cost)) || mean(last) > above ? null : `its cost is ${show(mean(last), 3)}, and falls well`;
    },
  },
  dead: { // the channel that gives nothing, whatever it is shown
    fields: [["answer", "text", "a channel, from 0"]],
    judge: ({ of }, { answer }) => (answer.trim() !== "" && Number(answer) === silenced(of) ? null : "not this one: look at the maps, and at another image"),
  },
  gradient: { // a number that gets no gradient, and why
    fields: [["answer", "text", "such as conv1[2,10,12]"], ["why", "select", Object.entries(SLOPE)]],
    async judge({ of, relu }, { answer, why }) {
      const layer = layerNamed(of), place = numbersIn(answer.replace(/^[^[]*/, ""));
      if (!layer || !answer.startsWith(`${of}[`)) return `write a place of ${of}, such as ${of}[2,10,12]`;
      if (place.length !== 3 || place.some((k, axis) => k >= layer.shape[axis])) return `${of} gives ${layer.output}, counted from 0`;
      await ensureTrained();
      const { told } = training.made, image = imageNow(), output = told.outputs[0];
      const targets = { [output]: Float64Array.from({ length: layerNamed(output).shape[0] }, (_, k) => (k === image.label ? 1 : 0)) };
      const { seen } = await request("look", { inputs: image.inputs, targets, names: [of, relu] });
      const at = (place[0] * layer.shape[1] + place[1]) * layer.shape[2] + place[2];
      if (seen[of].gradient[at] !== 0) return `it gets ${show(seen[of].gradient[at], 3)} (of ${image.title})`;
      const reason = seen[relu].value[at] === 0 ? "relu" : "pool";
      return reason === why ? null : `its gradient is 0, but not for this reason: its relu gives ${show(seen[relu].value[at], 3)}`;
    },
  },
};

// The channel of a layer that a lesson silences: which one, the seed decides.
const silenced = (name) => Math.floor(randomOf(state.seed + 77)() * layerNamed(name).shape[0]);

// Before a lesson on it is looked at or trained: the channel's kernels are 0, and its bias is below 0.
async function silence() {
  const name = state.lesson?.exercises.find(({ kind }) => kind === "dead")?.of;
  if (!name || training.self?.steps || !layerNamed(name)) return;
  const { weight, bias } = layerNamed(name).parameters, channel = silenced(name), { numbers } = await request("parameter", { name: weight.of });
  const size = numbers.length / weight.shape[0];
  await request("change", { name: weight.of, numbers: numbers.fill(0, channel * size, (channel + 1) * size) });
  const { numbers: biases } = await request("parameter", { name: bias.of });
  biases[channel] = -1;
  await request("change", { name: bias.of, numbers: biases });
}

// Text with code between backticks.
const proseOf = (text) => text.split("`").map((part, k) => (k % 2 ? element("code", {}, part) : part));

function openLesson(lesson) {
  state.lesson = lesson;
  byId("lesson").hidden = !lesson;
  if (!lesson) return;
  byId("lesson-heading").textContent = lesson.title;
  byId("lesson-text").replaceChildren(...lesson.about.map((paragraph) => element("p", {}, ...proseOf(paragraph))));
  byId("exercises").replaceChildren(...lesson.exercises.map((one, k) => exercise(lesson, one, k)));
}

function exercise(lesson, one, k) {
  const { fields, judge } = EXERCISES[one.kind], said = element("span", { role: "status" });
  const form = element("form", { class: "bar" });
  const inputs = fields.map(([name, kind, wanted]) => {
    const label = `${lesson.title}, exercise ${k + 1}: ${name}`;
    if (kind === "select") return element("select", { name, "aria-label": label }, ...wanted.map(([value, text]) => element("option", { value }, text)));
    return element("input", { type: "text", name, "aria-label": label, placeholder: wanted, autocomplete: "off" });
  });
  form.append(...inputs, element("button", {}, "check"), said);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let problem = null;
    try {
      if (!state.network) throw new Error("the text has errors");
      problem = await judge(one, Object.fromEntries(inputs.map((input) => [input.name, input.value])));
    } catch (fault) {
      problem = fault.message;
    }
    said.textContent = problem ?? "right";
    said.className = problem === null ? "good" : "bad";
    if (problem === null) form.dataset.solved = "yes";
  });
  return element("li", {}, ...proseOf(one.ask), form);
}
