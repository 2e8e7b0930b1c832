// Things to change and see what follows: numbers of a kernel, a whole filter, a part of the input.

const PRESETS = { // kernels of any odd size: by the distance from their middle
  edge: (u, v, { area }) => (u === 0 && v === 0 ? area - 1 : -1) / area,
  blur: (u, v, { area }) => 1 / area,
  "0": () => 0,
};

// Change a parameter by `edit(numbers)`, and look again; `what` says it to the reader.
function change(layer, name, edit, what) {
  const full = layer.parameters[name].of, before = looked.parameters[full], after = before.slice();
  edit(after);
  keepStep(what, () => useParameter(full, before));
  return useParameter(full, after);
}

// Take other numbers for a parameter, and look again.
function useParameter(full, numbers) {
  useNumbers(full, numbers);
  return chooseExample(chosen.wanted);
}

// Where kernel (f, k) of a filter's weights begins, how long it is, and whether it lies there turned.
function kernelPlace(layer, f, channel) {
  const [height, width] = layer.detail.kernel, size = height * width, { detail } = layer;
  const share = layers.get(layer.inputs[0]).shape[0] / detail.groups, made = layer.shape[0] / detail.groups;
  const group = Math.floor(f / made), k = channel - group * share;
  const start = detail.flipped ? ((group * share + k) * made + (f - group * made)) * size : (f * share + k) * size;
  return { start, size, height, width, at: (t) => start + (detail.flipped ? size - 1 - t : t) };
}

function setKernel(layer, f, channel, numberAt, what) {
  const place = kernelPlace(layer, f, channel);
  change(layer, "weight", (weight) => {
    for (let t = 0; t < place.size; t++) {
      const number = numberAt(t, weight[place.at(t)], place);
      weight[place.at(t)] = number;
    }
  }, what);
}

// The presets of a kernel, below its matrix.
function presetsOf(layer, [f], channel) {
  const area = layer.detail.kernel[0] * layer.detail.kernel[1];
  const buttons = Object.entries(PRESETS).map(([name, preset]) => {
    const press = () => setKernel(layer, f, channel, (t, now, { height, width }) =>
      preset(Math.floor(t / width) - (height - 1) / 2, (t % width) - (width - 1) / 2, { area }), `${layer.name}, filter ${f}, channel ${channel}: ${name}`);
    return element("button", { type: "button", class: "small", on: { click: press } }, name);
  });
  return element("div", { class: "bar" }, element("span", { class: "note" }, "click on a number, or take"), ...buttons);
}

// The button that silences a filter.
function showTouch(layer, [f]) {
  const button = byId("silence");
  button.hidden = layer.kind !== "filter" || !computed(layer);
  button.textContent = `silence filter ${f}`;
}

function silence() {
  const { layer, place: [f] } = chosen;
  const made = layer.shape[0] / layer.detail.groups, share = layers.get(layer.inputs[0]).shape[0] / layer.detail.groups;
  const first = Math.floor(f / made) * share;
  change(layer, "weight", (weight) => {
    for (let k = 0; k < share; k++) {
      const { start, size } = kernelPlace(layer, f, first + k);
      weight.fill(0, start, start + size);
    }
  }, `${layer.name}: filter ${f} is silent`);
}

// Cover a part of an input with its smallest number: drag over the picture. The example stays; a covered one is added.
function coverable(over, name) {
  let from = null;
  const at = (event) => {
    const { left, top, width, height } = over.getBoundingClientRect();
    const clamped = (share, size) => Math.min(Math.max(Math.floor(share * size), 0), size - 1);
    return [clamped((event.clientY - top) / height, over.pixels.height), clamped((event.clientX - left) / width, over.pixels.width)];
  };
  const box = (event) => {
    const to = at(event);
    return [0, 1].map((axis) => [Math.min(from[axis], to[axis]), Math.max(from[axis], to[axis]) + 1]);
  };
  coverByKeys(over, name);
  over.style.touchAction = "none";
  over.style.cursor = "crosshair";
  over.addEventListener("pointerdown", (event) => {
    from = at(event);
    over.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  over.addEventListener("pointermove", (event) => from && putBox(over, "pixel", ...box(event)));
  over.addEventListener("pointerup", (event) => {
    if (from) cover(name, ...box(event));
    from = null;
  });
  over.addEventListener("pointercancel", () => {
    from = null;
    putBox(over, "pixel", null);
  });
}

function cover(name, rows, columns) {
  const before = chosen.example;
  keepStep(`${name}: rows ${rows[0]} to ${rows[1] - 1}, columns ${columns[0]} to ${columns[1] - 1} covered`, () => showExample(before));
  return showExample(coveredPart(before, name, rows, columns));
}

// An example with a part of an input covered.
function coveredPart(example, name, rows, columns) {
  const given = Object.fromEntries(inputs.map((input) => [input.name, seen(example, layers.get(input.name), "values").data.slice()]));
  const [channels, height, width] = layers.get(name).shape, numbers = given[name], [least] = extremes(numbers);
  for (let c = 0; c < channels; c++)
    for (let i = rows[0]; i < rows[1]; i++) numbers.fill(least, (c * height + i) * width + columns[0], (c * height + i) * width + columns[1]);
  const title = example.title.endsWith(", covered") ? example.title : `${example.title}, covered`;
  return {
    ...example, inputs: given, title, pixels: null, seen: null,
    base: example.base || example, covers: [...(example.covers || []), [name, rows, columns]],
  };
}
