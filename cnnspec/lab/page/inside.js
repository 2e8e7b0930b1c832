// The network as it is trained now, in the page of `cnnspec report`: every map, every sum, the way back, a pad to draw
// on, kernels to change. That page is put together here and shown in a frame.

const EXAMPLES = 6;
const MOMENT_OF_FRAME = 5000; // milliseconds after which a frame that is asked what is looked at is taken for dead

const inside = { of: "", place: "", busy: false, again: false, told: null }; // `place` is what is looked at, as the address of a report has it

const harmless = (data) => JSON.stringify(data).replaceAll("<", "\\u003c");
const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function base64(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

// The network's script with its weights, and how its images were prepared.
function trainedScript(made, weights, scaling) {
  const known = scaling && training.data.kind !== "table" && {
    preparation: { stored: "bytes", scale: [scaling.scale], offset: [scaling.offset] }, classes: training.data.classes,
  };
  const given = `Uint8Array.from(atob("${base64(weights)}"), (character) => character.charCodeAt(0))`;
  return `${made.script}\nnetwork.create = ((create) => (weights = ${given}, options = {}) =>\n` +
    `  Object.assign(create(weights, options), ${harmless(known || {})}))(network.create);\n`;
}

// What the page tells (report/page/content.py), with the watched image first.
function contentOf(made, floats) {
  const { told } = made, output = told.layers.find(({ name }) => name === told.outputs[0]);
  const first = imageNow(), images = [first, ...training.images.filter((one) => one !== first)].slice(0, EXAMPLES);
  let at = 0;
  const kept = (numbers) => {
    floats.push(numbers);
    at += numbers.length;
    return [0, at - numbers.length, numbers.length];
  };
  const examples = images.map(({ title, label, inputs, right }) => ({
    title, label, known: right !== null, inputs: Object.fromEntries(Object.entries(inputs).map(([name, numbers]) => [name, kept(numbers)])),
    targets: right === null ? null : { [output.name]: kept(right) },
  }));
  const classes = training.data?.classes ?? [], shape = made.told.layers.find(({ name }) => name === made.told.inputs[0]).shape;
  const says = { digits: "light on dark, centred by mass, as MNIST was made", folder: `cut to ${shape[1]}x${shape[2]} around the middle` }[training.data?.kind];
  const own = says ? { digits: training.data.kind === "digits", shape, says: `Fitted: ${says}.` } : null;
  const layers = told.layers.map((layer) => ({ ...layer, where: layer.where.replace("<text>", () => given.name || "the text") }));
  const [known] = [...given.specs, ...given.lessons].filter(({ text }) => text === state.checked);
  return { name: given.name || known?.title || known?.name || "the network", classes, ...told, layers, examples, own, training: null, results: null, spec: state.checked, part: null };
}

async function showInside() {
  const said = byId("look-said"), frame = byId("inside");
  if (state.view !== "look" || arrived.weights) return; // those of a link are on their way
  inside.again = inside.busy;
  if (inside.busy) return;
  inside.busy = true;
  frame.hidden = true; // what it shows may be of before
  try {
    if (!state.network) throw new Error("there is nothing to look at yet: the text has errors");
    await ensureTrained();
    if (training.going) await request("pause");
    const { bytes, steps, epoch } = await request("weights");
    const stamp = [training.of, training.workers, steps, epoch, byId("watched").value].join(" ");
    if (stamp !== inside.of) {
      const made = training.made, floats = [], content = contentOf(made, floats);
      const numbers = new Float64Array(floats.reduce((sum, each) => sum + each.length, 0));
      floats.reduce((at, each) => (numbers.set(each, at), at + each.length), 0);
      const parts = {
        title: escaped(content.name), drawing: made.drawing, content: harmless(content), numbers: `${base64(numbers)} `,
        network: trainedScript(made, bytes, training.scaling), hashes: given.look.script,
      };
      const page = given.look.frame.replace(/\{\{ (\w+) \}\}/g, (_, name) => parts[name]);
      const address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
      if (inside.of) inside.place = placeAlone(inside.place);
      await new Promise((loaded) => {
        frame.onload = loaded;
        frame.src = inside.place ? `${address}#${encodeURIComponent(inside.place)}` : address;
      });
      inside.of = stamp;
    }
    frame.hidden = false;
    const brought = training.given && !steps ? "With the weights that were brought in" : `As it is after ${counted(steps, "step")} of training`;
    said.textContent = `${brought}${training.accuracy === null ? "" : `, test accuracy ${percent(training.accuracy)}`}. What is changed here is changed here alone.`;
  } catch (problem) {
    said.textContent = problem.message;
    inside.again ||= problem === GONE;
  }
  inside.busy = false;
  if (inside.again) showInside();
}

// A number and its view, without what was changed of the network that is no longer shown.
const placeAlone = (place) => place.split("&").filter((part) => !/^(example|more)=/.test(part)).join("&");

// The frame tells what is looked at; one of a page from a disk is another site, whose address cannot be read.
window.addEventListener("message", ({ source, data }) => {
  if (source !== byId("inside").contentWindow) return;
  if (typeof data?.place === "string") inside.place = data.place;
  if (data?.asked) inside.told?.();
});

// What is looked at just now: the frame is asked, where it shows something.
async function placeNow() {
  if (!inside.of || inside.busy) return inside.place;
  const asked = new Promise((told) => Object.assign(inside, { told }));
  byId("inside").contentWindow?.postMessage("place", "*");
  await Promise.race([asked, new Promise((over) => window.setTimeout(over, MOMENT_OF_FRAME))]);
  return inside.place;
}
