// A network that is too large for a page: which of its layers the page computes, and what it shows of the others.

const part = content.part && { ...content.part, held: new Set(content.part.layers) };

// Whether the page computes a layer itself.
const computed = (layer) => !part || part.held.has(layer.name);

// Whether the numbers that a layer is made of are here: its inputs for an example, and its parameters.
function accountable(layer, example) {
  const { values } = example.seen;
  return layer.inputs.every((name) => values[name]) && Object.values(layer.parameters).every(({ of }) => looked.parameters[of]);
}

// Values that came with the page, for an example of the page, as long as nothing of the network is changed; those of the
// inputs in any case.
function addKept(example) {
  if (!part) return;
  const { values } = example.seen, k = content.examples.indexOf(example);
  for (const [name, at] of Object.entries(example.inputs || {})) values[name] ??= Array.isArray(at) ? numbersAt(at) : at;
  if (k < 0 || Object.entries(looked.original).some(([full, numbers]) => looked.parameters[full] !== numbers)) return;
  for (const [name, told] of Object.entries(part.beyond)) if (told.values[k]) values[name] ??= numbersAt(told.values[k]);
}

// What the page computes, and why no more.
function showPart() {
  if (!part) return;
  const count = part.layers.length, last = part.layers.at(-1), some = content.layers.length - count;
  const what = !some
    ? "This page computes every value of this network, and no gradient"
    : count
      ? `This page computes the first ${count} of the ${content.layers.length} values of this network, up to ${last}`
      : "This page computes nothing of this network";
  const rest = some ? ` Of the other ${some} it shows the kernels, their figures, and for the examples the values that the engine computed, where they fit.` : "";
  byId("part").hidden = false;
  byId("part").textContent = `${what}: ${part.takes}.${rest} A gradient needs the whole network: \`cnnspec trace\` tells it.`;
  byId("views").hidden = true;
  if (!count) for (const id of ["slide", "own"]) byId(id).hidden = true;
}

// Of a layer that is not computed here: its kernels as a picture, and its parameters in figures.
function showBeyond(layer) {
  const box = byId("beyond"), told = part && part.beyond[layer.name];
  box.replaceChildren();
  if (!told) return;
  if (told.kernels) {
    box.append(element("h3", {}, "Kernels"), element("p", { class: "note" }, KERNELS), kernelsPicture({ name: layer.name, ...told.kernels }));
  }
  const rows = Object.entries(told.figures).map(([name, of]) =>
    [name, ...(of ? [of.count.toLocaleString("en"), show(of.least, 4), show(of.most, 4), show(of.mean, 4), show(of.deviation, 4), `${(100 * of.zeros).toFixed(1)} %`] : ["not finite"])]);
  if (rows.length) box.append(element("h3", {}, "Parameters"), scrolling("Figures of the parameters", table(["parameter", "numbers", "least", "most", "mean", "deviation", "zeros"], rows)));
}

// The same of the values of a layer, whoever computed them.
function figuresOf(data) {
  const [least, most] = extremes(data), mean = data.reduce((a, b) => a + b, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length);
  const zeros = data.reduce((count, x) => count + (x === 0 ? 1 : 0), 0) / data.length;
  return `values from ${show(least, 3)} to ${show(most, 3)}, mean ${show(mean, 3)}, deviation ${show(deviation, 3)}, ${(100 * zeros).toFixed(1)} % zeros`;
}
