// A weight in numbers: every place that it had a part in, its gradient from there, and what a step would make of it.

const FEW_PLACES = 8; // places that are written out

// The parts of a weight in the numbers of a layer: { place, gradient, factor }, their products its gradient there; null
// for one that is not trained, or of a word without an account.
const PARTS = {
  filter(layer, name, k, example) {
    if (name === "bias") return sameFactor(layer, k, example, () => 1);
    const { f, channel, tap } = tapOf(layer, k), input = seen(example, layers.get(layer.inputs[0]), "values");
    const map = channelOf(input, channel), [, height, width] = input.shape;
    return placesOf(layer, f).flatMap((place) => {
      const met = taps(layer.detail, place[1], place[2], height, width)[tap];
      return met.inside ? [{ place, factor: map[met.y * width + met.x] }] : [];
    });
  },

  all(layer, name, k, example) {
    if (name === "bias") return [{ place: [k, 0, 0], factor: 1 }];
    const { data } = seen(example, layers.get(layer.inputs[0]), "values");
    return [{ place: [Math.floor(k / data.length), 0, 0], factor: data[k % data.length] }];
  },

  point(layer, name, k, example) {
    const shared = parameter(layer, name).data.length === 1 && layer.shape[0] > 1;
    const channels = shared ? Array.from({ length: layer.shape[0] }, (_, c) => c) : [k];
    const input = seen(example, layers.get(layer.inputs[0]), "values");
    const number = (other, c) => parameter(layer, other).data[c];
    const factor = {
      bn: (x, c) => (x - number("running_mean", c)) / Math.sqrt(number("running_var", c) + layer.detail.eps),
      scale: (x) => x,
      prelu: (x) => (x > 0 ? 0 : x),
    }[layer.word];
    if (name.startsWith("running_") || !factor) return null;
    return channels.flatMap((c) => sameFactor(layer, c, example, (place) =>
      (name === "bias" ? 1 : factor(channelOf(input, c)[place[1] * input.shape[2] + place[2]], c))));
  },

  channels: (layer, name, k, example) => standardised(layer, name, k, example),
  group: (layer, name, k, example) => standardised(layer, name, k, example),

  response(layer, name, k, example) {
    const array = seen(example, layer, "values"), input = seen(example, layers.get(layer.inputs[0]), "values");
    const bias = parameter(layer, "bias").data[k], weight = parameter(layer, "weight").data[k];
    if (name !== "bias" && weight === 0) return null;
    return sameFactor(layer, k, example, ([c, i, j]) => {
      const at = i * array.shape[2] + j;
      return name === "bias" ? 1 : (channelOf(array, c)[at] - bias - channelOf(input, c)[at]) / weight;
    });
  },
};

const placesOf = (layer, c) => everyPixel(layer, c);
const sameFactor = (layer, c, example, factor) => placesOf(layer, c).map((place) => ({ place, factor: factor(place) }));

// Of a normalisation within an image the factor is the number made standard, which its bias and weight give back.
function standardised(layer, name, k, example) {
  const array = seen(example, layer, "values"), bias = parameter(layer, "bias").data[k], weight = parameter(layer, "weight").data[k];
  if (name !== "bias" && weight === 0) return null;
  return sameFactor(layer, k, example, ([c, i, j]) => (name === "bias" ? 1 : (channelOf(array, c)[i * array.shape[2] + j] - bias) / weight));
}

// The filter, the channel of the input and the tap of the window that number k of a filter's weights is.
function tapOf(layer, k) {
  const { kernel, groups, flipped } = layer.detail, size = kernel[0] * kernel[1], row = Math.floor(k / size);
  const share = layers.get(layer.inputs[0]).shape[0] / groups, made = layer.shape[0] / groups;
  if (!flipped) {
    const f = Math.floor(row / share);
    return { f, channel: Math.floor(f / made) * share + (row % share), tap: k % size };
  }
  const channel = Math.floor(row / made);
  return { f: Math.floor(channel / share) * made + (row % made), channel, tap: size - 1 - (k % size) };
}

// A weight's name with its index: conv2.weight[3,9,1,2].
function weightName(layer, name, k) {
  const { of, shape } = layer.parameters[name], index = [];
  for (const size of [...shape].reverse()) {
    index.unshift(k % size);
    k = Math.floor(k / size);
  }
  return `${of}[${index.join(",")}]`;
}

// The gradient of number k of a parameter: from all layers that share it.
function weightGradient(full, k, example) {
  const rows = [];
  for (const layer of content.layers) {
    for (const [name, { of }] of Object.entries(layer.parameters)) {
      if (of !== full) continue;
      const found = PARTS[layer.kind]?.(layer, name, k, example);
      if (!found) return null;
      const gradients = seen(example, layer, "gradients").data;
      for (const { place, factor } of found) {
        const gradient = gradients[flatIndex(layer, place)];
        rows.push({ layer, place, gradient, factor, product: gradient * factor });
      }
    }
  }
  return { rows, total: rows.reduce((sum, row) => sum + row.product, 0) };
}

function chooseWeight(layer, name, k) {
  chosen.weight = { layer, name, k };
  showWeight().then(() => byId("weight").scrollIntoView({ block: "nearest" }));
}

// Write the account of the chosen weight below that of the number.
async function showWeight() {
  const box = byId("weight");
  box.replaceChildren();
  if (!chosen.weight || chosen.weight.layer !== chosen.layer) return;
  const { layer, name, k } = chosen.weight, { example } = chosen, { of } = layer.parameters[name];
  const value = looked.parameters[of][k], title = weightName(layer, name, k);
  const field = element("input", { type: "number", step: "any", class: "number", "aria-label": `${title}, another number`, value });
  field.addEventListener("change", () => {
    const wanted = Number(field.value);
    if (field.value === "" || !Number.isFinite(wanted)) return;
    change(layer, name, (numbers) => {
      numbers[k] = wanted;
    }, `${title}: ${show(wanted, 4)}`);
  });
  box.append(element("h3", {}, `The weight ${title} = ${show(value)}`), element("p", { class: "note" }, "another number: ", field));
  const told = part ? null : weightGradient(of, k, example);
  if (!told) {
    const why = part ? "Its gradient needs the whole network." : name.startsWith("running_") ? "It is counted along while training, not trained: it has no gradient." : "Its part in the numbers is told by the formula above.";
    box.append(element("p", {}, why));
    return;
  }
  const { rows, total } = told, sorted = [...rows].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const made = element("table", { class: "terms" }, headed(["number", "gradient there", "×", "its factor", "=", "product"]));
  const row = (cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
  for (const { layer: at, place, gradient, factor, product } of sorted.slice(0, FEW_PLACES)) {
    made.append(row([goTo(at, place), show(gradient), "×", show(factor), "=", show(product)]));
  }
  const rest = sorted.slice(FEW_PLACES).reduce((sum, each) => sum + each.product, 0);
  if (rows.length > FEW_PLACES) made.append(row([`the other ${rows.length - FEW_PLACES}`, "", "", "", "", show(rest)]));
  made.append(Object.assign(row(["sum", "", "", "", "", show(total)]), { className: "total" }));
  const places = rows.length === 1 ? "one number" : `${rows.length} numbers`;
  box.append(
    element("p", { id: "weight-gradient", "data-number": total }, `It has a part in ${places}: d cost / d weight = ${show(total)}`),
    scrolling("the parts of the weight", made), element("p", { id: "weight-step" }),
  );
  const said = byId("weight-step"), step = await stepOf(value, total);
  if (!step || !said.isConnected) return; // another weight is told of by now
  const clipped = step.scale < 1 ? `, shortened by the clip to ${show(total * step.scale)}` : "";
  said.dataset.number = step.after;
  said.textContent = `A first step of ${content.optimiser} on this image alone${clipped}: ${show(value, 7)} ` +
    `${step.after < value ? "−" : "+"} ${show(Math.abs(step.after - value))} = ${show(step.after, 7)}. ` +
    `The gradient alone would give ${show(value, 7)} − ${show(step.rate)} × ${show(total)} = ${show(value - step.rate * total, 7)}.`;
}

// A number's name that leads to it.
function goTo(layer, place) {
  const go = () => {
    choose(layer.name);
    chosen.place = place;
    showPlace();
  };
  return element("button", { type: "button", class: "link", on: { click: go } }, placeName(layer, place));
}

// The cells of a kernel's matrix: a press opens one to be changed and tells of it as a weight; arrows move.
function choosable(made, layer, [f], channel) {
  const cells = [...made.querySelectorAll("td")], { width } = kernelPlace(layer, f, channel), place = kernelPlace(layer, f, channel);
  made.setAttribute("role", "grid");
  made.setAttribute("aria-label", `kernel of filter ${f} for channel ${channel}`);
  for (const row of made.rows) row.setAttribute("role", "row");
  cells.forEach((cell, t) => {
    const name = `${layer.name}, filter ${f}, channel ${channel}, number ${t}`;
    const field = element("input", { type: "number", step: "any", class: "number", "aria-label": name, value: Number(cell.dataset.number) });
    const open = () => {
      if (!field.isConnected) cell.replaceChildren(field);
      field.focus();
      field.select();
      chooseWeight(layer, "weight", place.at(t));
    };
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("tabindex", t ? "-1" : "0");
    cell.dataset.cell = `${channel}:${t}`;
    cell.classList.add("changeable");
    cell.addEventListener("click", () => field.isConnected || open());
    cell.addEventListener("keydown", (event) => {
      if (event.target === field) {
        if (event.key !== "Escape") return;
        cell.replaceChildren(show(Number(cell.dataset.number), 4));
        cell.focus();
      } else if (event.key === "Enter" || event.key === " ") {
        open();
      } else {
        const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width }[event.key], next = cells[t + step];
        if (!step || !next) return;
        cell.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      }
      event.preventDefault();
    });
    field.addEventListener("change", () => {
      const wanted = Number(field.value);
      if (field.value === "" || !Number.isFinite(wanted)) return;
      cell.focus(); // so that the same cell has it when the sums are written anew
      setKernel(layer, f, channel, (u, now) => (u === t ? wanted : now), `${name}: ${show(wanted, 4)}`);
    });
  });
}
