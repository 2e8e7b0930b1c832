// The network at work: a worker computes the values and gradients of an example when it is looked at.

const KEPT = 3; // examples whose values stay

// version: how often numbers were changed; underWay: examples that are looked at just now
const looked = { text: "", parameters: null, original: {}, changed: {}, version: 0, recent: [], underWay: new Map(), worker: null, waiting: new Map(), asked: 0 };

// What the worker does, in a scope of its own; `network` is the page's network (targets/js).
function worker() {
  const net = network.create(undefined, { dtype: "float64" });
  self.onmessage = ({ data: { id, ...question } }) => {
    const answer = answerTo(net, question);
    const arrays = [answer.values, answer.gradients, answer.parameters].flatMap((some) => Object.values(some || {}));
    self.postMessage({ id, ...answer }, arrays.map((array) => array.buffer));
  };
}

// A question is an example to look at, or `step`: a weight and its gradient, to be moved by the optimiser.
function answerTo(net, question) {
  try {
    return question.step ? { step: net.stepped(...question.step) } : lookAt(net, question);
  } catch (problem) {
    return { problem: String(problem) };
  }
}

// Every value and every gradient of one example, by name. Where it is not known what is right, the network's own
// answer is taken for it; `pixels` are bytes, prepared here as the training data were; `changed` are parameters. All
// parameters are told where they are asked for: the page knows them from then on.
function lookAt(net, { inputs, targets, pixels, changed, parametersToo }) {
  for (const [name, numbers] of Object.entries(changed)) net.set(name, numbers);
  if (pixels) inputs = net.prepare(pixels);
  const back = net.plans.look.gradients; // of a part of a network there are none
  if (!targets || !back) {
    net.look(inputs);
    targets = back && Object.fromEntries(net.plans.look.targets.map(([name, , [classes, ...sides]]) => {
      const answer = net.value(name), size = sides.reduce((a, b) => a * b, 1), right = answer.slice();
      if (classes > 1) {
        right.fill(0);
        for (let k = 0; k < size; k++) {
          let best = 0;
          for (let c = 1; c < classes; c++) if (answer[c * size + k] > answer[best * size + k]) best = c;
          right[best * size + k] = 1;
        }
      }
      return [name, right];
    }));
  }
  const cost = back ? net.look(inputs, targets) : null;
  const values = {}, gradients = {}, parameters = parametersToo ? {} : null;
  for (const [name] of net.plans.look.outputs) {
    values[name] = net.value(name);
    if (back) gradients[name] = net.gradient(name);
  }
  if (parametersToo) for (const [name] of net.parameters) parameters[name] = net.get(name);
  return { cost, values, gradients, parameters };
}

// Start the worker; where a page may have none (some browsers, from a file) the page computes itself.
function startLooking() {
  const text = document.getElementById("network").textContent;
  looked.text = text;
  if (!text) {
    looked.parameters = {};
    return;
  }
  try {
    const source = `"use strict";\n${text}\n${lookAt}\n${answerTo}\n(${worker})();`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    looked.worker = new Worker(address);
  } catch {
    looked.worker = besidePage(text);
    return;
  }
  looked.worker.onmessage = ({ data }) => answered(data);
  looked.worker.onerror = () => {
    looked.worker = besidePage(text);
    for (const { question } of looked.waiting.values()) looked.worker.postMessage(question);
  };
}

// What stands for a worker: the network as a script of the page.
function besidePage(text) {
  document.head.append(element("script", {}, text)); // defines `network`
  let net = null;
  return {
    postMessage({ id, ...question }) {
      net ||= network.create(undefined, { dtype: "float64" });
      window.setTimeout(() => answered({ id, ...answerTo(net, question) }));
    },
  };
}

function answered({ id, problem, parameters, ...told }) {
  const { done, failed } = looked.waiting.get(id);
  looked.waiting.delete(id);
  if (problem) return failed(new Error(problem));
  if (parameters) looked.parameters = parameters;
  done(told);
}

// Ask the worker; its answer.
function ask(question) {
  question.id = ++looked.asked;
  return new Promise((done, failed) => {
    looked.waiting.set(question.id, { question, done, failed });
    looked.worker.postMessage(question);
  });
}

// What a first step of the spec's optimiser makes of a weight with a gradient; null where nobody can say.
const stepOf = async (weight, gradient) => (await ask({ step: [weight, gradient] })).step;

// Take other numbers for a parameter: what was computed with the old ones, or is just now, is out of date.
function useNumbers(full, numbers) {
  looked.original[full] ??= looked.parameters[full];
  looked.changed[full] = looked.parameters[full] = numbers;
  looked.version++;
}

const isUpToDate = (example) => Boolean(example.seen) && example.version === looked.version;

// Look at an example, unless its values are here; those of examples that were left long ago go.
async function look(example) {
  while (!isUpToDate(example)) {
    if (!looked.underWay.has(example)) looked.underWay.set(example, lookOnce(example).finally(() => looked.underWay.delete(example)));
    await looked.underWay.get(example);
  }
  const shown = chosen.example?.seen ? [chosen.example] : [];
  looked.recent = [...new Set([example, ...shown, ...looked.recent])];
  for (const old of looked.recent.splice(KEPT)) old.seen = null;
}

// The values of an example, unless numbers are changed while they are computed.
async function lookOnce(example) {
  const { text, version } = looked;
  const numbers = (at) => (Array.isArray(at) ? numbersAt(at) : at);
  const named = (given) => given && Object.fromEntries(Object.entries(given).map(([name, at]) => [name, numbers(at)]));
  const { pixels, inputs, targets } = example;
  const parametersToo = !looked.parameters, { changed } = looked;
  looked.changed = {};
  const seen = !text ? { cost: null, values: {}, gradients: {} } : await ask({ pixels, inputs: named(inputs), targets: named(targets), changed, parametersToo });
  if (version !== looked.version) return;
  Object.assign(example, { seen, version });
  addKept(example);
}
