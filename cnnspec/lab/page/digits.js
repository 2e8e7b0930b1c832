// The digits that come with cnnspec: 5,000 to learn from and 1,000 to be tested on, 28 by 28 bytes each.

const SIDE = 28;
let digitsLoaded = null;

// { images, labels, testImages, testLabels }, each a Uint8Array.
function digits() {
  digitsLoaded ||= new Promise((done, failed) => {
    const script = element("script", { src: "digits-data.js" });
    script.onload = async () => done(Object.fromEntries(await Promise.all(
      Object.entries(window.cnnspecDigits).map(async ([name, text]) => [name, (await inflated(bytesOf(text), "gzip")).slice(name.endsWith("ages") ? 16 : 8)]),
    ))); // behind the head of an idx file: 4 bytes for its kind, 4 for each axis
    script.onerror = () => failed(new Error("digits-data.js is not there"));
    document.head.append(script);
  });
  return digitsLoaded;
}

async function streamed(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

const inflated = (bytes, how) => streamed(bytes, new DecompressionStream(how));
const deflated = (bytes, how) => streamed(bytes, new CompressionStream(how));

// Whether a network can learn from them, and what is said of it; null where it cannot.
function digitsFor({ told, data }) {
  const layer = (name) => told.layers.find((one) => one.name === name);
  if (told.inputs.length !== 1 || told.outputs.length !== 1) return null;
  const image = String(layer(told.inputs[0]).shape), answer = layer(told.outputs[0]);
  if (image !== `1,${SIDE},${SIDE}` || answer.shape[0] !== 10 || answer.shape[1] * answer.shape[2] !== 1) return null;
  const own = data.source === "digits";
  return `It learns from the 5,000 digits that come with cnnspec and is tested on 1,000 others${own ? "" : ` (they stand in for the spec's own source, ${data.source})`}.`;
}
