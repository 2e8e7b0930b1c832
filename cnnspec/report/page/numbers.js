// What the page knows: the layers by name, and long arrays of the numbers of images: float64, bytes, float32.

const content = JSON.parse(document.getElementById("content").textContent);
const inputs = content.inputs.map((name) => ({ name, ...content.kinds[name] }));
const outputs = content.outputs.map((name) => ({ name, ...content.kinds[name] }));
if (outputs.length === 1 && outputs[0].names?.length === content.classes.length) outputs[0].names = content.classes;
const layers = new Map(content.layers.map((layer) => [layer.name, layer]));

const stores = document.getElementById("numbers").textContent.split(" ").map((text, kind) => {
  const raw = atob(text);
  const data = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) data[k] = raw.charCodeAt(k);
  return kind === 1 ? data : new [Float64Array, , Float32Array][kind](data.buffer);
});

const byId = (id) => document.getElementById(id);

function numbersAt([kind, start, length]) {
  return stores[kind].subarray(start, start + length);
}

// A parameter as {data, shape} in PyTorch's layout.
function parameter(layer, name) {
  const found = layer.parameters[name];
  return found ? { data: looked.parameters[found.of], shape: found.shape } : null;
}

// The values (or gradients) of a layer for an example that is looked at, as {data, shape: [c, h, w]}.
function seen(example, layer, view) {
  return { data: example.seen[view][layer.name], shape: layer.shape };
}

function channelOf(array, c) {
  const size = array.shape[1] * array.shape[2];
  return array.data.subarray(c * size, (c + 1) * size);
}

function placeName(layer, [c, i, j]) {
  const index = layer.rank === 3 ? [c, i, j] : layer.rank === 2 ? [c, j] : [c];
  return `${layer.name}[${index.join(",")}]`;
}
