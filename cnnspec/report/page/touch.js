// Things to change and see what follows: numbers of a kernel, a whole filter, a part of the input; and the way back
// to what was.

const PRESETS = { // kernels of any odd size: by the distance from their middle
  edge: (u, v, { area }) => (u === 0 && v === 0 ? area - 1 : -1) / area,
  blur: (u, v, { area }) => 1 / area,
  "0": () => 0,
};
const touched = { undo: [], before: null };

// Change a parameter by `edit(numbers)`, and look again; `what` says it to the reader.
function change(layer, name, edit, what) {
  const full = layer.parameters[name].of, before = looked.parameters[full], after = before.slice();
  edit(after);
  if (!touched.undo.length) touched.before = answersOf(chosen.example);
  touched.undo.push({ full, before, what });
  use(full, after);
}

function undo() {
  const last = touched.undo.pop();
  if (last) use(last.full, last.before);
}

// Take other numbers for a parameter: what was computed with the old ones is forgotten.
function use(full, numbers) {
  looked.changed[full] = looked.parameters[full] = numbers;
  for (const example of looked.recent) example.seen = null;
  looked.recent = [];
  return chooseExample(chosen.example);
}

const answersOf = (example) => Array.from(seen(example, layers.get(content.outputs[0]), "values").data);

// Where kernel (f, k) of a filter's weights begins, how long it is, and whether it lies there turned.
function kernelPlace(layer, f, channel) {
  const [height, width] = layer.detail.kernel, size = height * width, { detail } = layer;
  const share = layers.get(layer.inputs[0]).shape[0] / detail.groups, made = layer.shape[0] / detail.groups;
  const group = Math.floor(f / made), k = channel - group * share;
  const start = detail.turned ? ((group * share + k) * made + (f - group * made)) * size : (f * share + k) * size;
  return { start, size, height, width, at: (t) => start + (detail.turned ? size - 1 - t : t) };
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

// Make the numbers of a kernel's matrix fields that can be changed, and put the presets below it.
function changeable(table, layer, [f], channel) {
  table.querySelectorAll("td").forEach((cell, t) => {
    const name = `${layer.name}, filter ${f}, channel ${channel}, number ${t}`;
    const field = element("input", { type: "number", step: "any", class: "number", "aria-label": name, value: Number(cell.dataset.number) });
    const open = () => {
      cell.replaceChildren(field);
      field.select();
    };
    cell.classList.add("changeable");
    cell.addEventListener("click", () => field.isConnected || open());
    field.addEventListener("change", () => {
      const wanted = Number(field.value);
      if (field.value === "" || !Number.isFinite(wanted)) return;
      setKernel(layer, f, channel, (k, now) => (k === t ? wanted : now), `${name}: ${show(wanted, 4)}`);
    });
  });
  const area = layer.detail.kernel[0] * layer.detail.kernel[1];
  const buttons = Object.entries(PRESETS).map(([name, preset]) => {
    const press = () => setKernel(layer, f, channel, (t, now, { height, width }) =>
      preset(Math.floor(t / width) - (height - 1) / 2, (t % width) - (width - 1) / 2, { area }), `${layer.name}, filter ${f}, channel ${channel}: ${name}`);
    return element("button", { type: "button", class: "small", on: { click: press } }, name);
  });
  return element("div", { class: "bar" }, element("span", { class: "note" }, "click on a number to change it, or take"), ...buttons);
}

// What was changed, and what came of it.
function showTouched(layer, [f]) {
  const box = document.getElementById("touched");
  box.replaceChildren();
  if (layer.kind === "filter") {
    const silence = () => {
      const made = layer.shape[0] / layer.detail.groups, share = layers.get(layer.inputs[0]).shape[0] / layer.detail.groups;
      const first = Math.floor(f / made) * share;
      change(layer, "weight", (weight) => {
        for (let k = 0; k < share; k++) {
          const { start, size } = kernelPlace(layer, f, first + k);
          weight.fill(0, start, start + size);
        }
      }, `${layer.name}: filter ${f} is silent`);
    };
    box.append(element("button", { type: "button", id: "silence", on: { click: silence } }, `silence filter ${f}`));
  }
  if (!touched.undo.length) return;
  box.append(element("button", { type: "button", id: "undo", on: { click: undo } }, "undo"));
  const now = answersOf(chosen.example), said = touched.undo.map(({ what }) => what);
  box.append(element("p", { class: "note" }, `Changed: ${said.slice(-3).join("; ")}${said.length > 3 ? `; and ${said.length - 3} before` : ""}.`));
  if (now.length > 1 && now.length <= 1000 && touched.before?.length === now.length) {
    const best = (answers) => answers.indexOf(Math.max(...answers)), name = (k) => content.classes[k] ?? String(k);
    const [was, is] = [best(touched.before), best(now)];
    const line = (k) => `${name(k)} ${show(touched.before[k], 4)} → ${show(now[k], 4)}`;
    box.append(element("p", { id: "before-and-after" }, `Before → after: ${[...new Set([was, is])].map(line).join(", ")}`));
  }
}

// Cover a part of the input with its smallest number: drag over the picture. The example stays; a covered one is added.
function coverable(over, source, example) {
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
  over.style.touchAction = "none";
  over.addEventListener("pointerdown", (event) => {
    from = at(event);
    over.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  over.addEventListener("pointermove", (event) => from && putBox(over, "pixel", ...box(event)));
  over.addEventListener("pointerup", (event) => {
    if (from) coverPart(source, example, ...box(event));
    from = null;
  });
}

function coverPart(source, example, rows, columns) {
  const inputs = Object.fromEntries(content.inputs.map((name) => [name, seen(example, layers.get(name), "values").data.slice()]));
  const [channels, height, width] = source.shape, numbers = inputs[source.name], [least] = extremes(numbers);
  for (let c = 0; c < channels; c++)
    for (let i = rows[0]; i < rows[1]; i++) numbers.fill(least, (c * height + i) * width + columns[0], (c * height + i) * width + columns[1]);
  const covered = { ...example, inputs, targets: example.targets, pixels: null, seen: null };
  covered.title = example.title.endsWith(", covered") ? example.title : `${example.title}, covered`;
  if (!own.example) byId("example").append(element("option", { value: "own" }, "your own"));
  own.example = covered;
  byId("example").value = "own";
  chooseExample(covered);
}
