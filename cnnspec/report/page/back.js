// The way back of a number: which numbers were made of it, how much each changes with it, and so what the cost gives
// back. Each kind of account lists { place, slope, why } for the numbers of one layer that read it; `why` tells the
// reason of a slope of 0.

const STRONGEST = 10; // rows that are shown
const STEP = 1e-6; // of central differences, where no slope is known as a formula

// How numbers [0, ...) of an axis that a window makes meet position y of its input: [output, tap].
function meeting(y, taps, { stride, pad, dilate, grow }, axis, outputs) {
  const found = [];
  for (let u = 0; u < taps; u++) {
    const k = (y * grow[axis] + pad[axis] - u * dilate[axis]) / stride[axis];
    if (Number.isInteger(k) && k >= 0 && k < outputs) found.push([k, u]);
  }
  return found;
}

// The outputs [i, j] of a window's layer that meet pixel (y, x), and the tap that does.
function windowsOver(layer, y, x) {
  const { kernel } = layer.detail, [, height, width] = layer.shape, found = [];
  for (const [i, u] of meeting(y, kernel[0], layer.detail, 0, height)) {
    for (const [j, v] of meeting(x, kernel[1], layer.detail, 1, width)) found.push([i, j, u * kernel[1] + v]);
  }
  return found;
}

function flatIndex(layer, [c, i, j]) {
  return (c * layer.shape[1] + i) * layer.shape[2] + j;
}

const central = (run, x) => {
  const step = STEP * Math.max(1, Math.abs(x));
  return (run(x + step) - run(x - step)) / (2 * step);
};

const ways = {
  filter(layer, before, [c, y, x]) {
    const weight = parameter(layer, "weight"), share = before.shape[0] / layer.detail.groups;
    const made = layer.shape[0] / layer.detail.groups, group = Math.floor(c / share), found = [];
    for (let f = group * made; f < (group + 1) * made; f++) {
      const kernel = kernelOf(layer, weight, f, c - group * share, share);
      for (const [i, j, tap] of windowsOver(layer, y, x)) found.push({ place: [f, i, j], slope: kernel[tap] });
    }
    return found;
  },

  pick(layer, before, [c, y, x], example) {
    return windowsOver(layer, y, x).map(([i, j, tap]) => {
      const { argmax } = accounts.pick(layer, [c, i, j], example).groups[0];
      return { place: [c, i, j], slope: argmax === tap ? 1 : 0, why: "another number of its window was chosen" };
    });
  },

  mean(layer, before, [c, y, x], example) {
    return windowsOver(layer, y, x).map(([i, j]) => {
      const { inside } = accounts.mean(layer, [c, i, j], example).groups[0];
      return { place: [c, i, j], slope: 1 / (layer.detail.count_pad ? inside.length : inside.filter(Boolean).length) };
    });
  },

  window(layer, before, [c, y, x], example, value) {
    const { each, total } = layer.detail.slope;
    return windowsOver(layer, y, x).map(([i, j]) => {
      const { s, m } = accounts.window(layer, [c, i, j], example);
      return { place: [c, i, j], slope: valueOf(each, { x: value, m }) * valueOf(total, { s, m }) };
    });
  },

  all(layer, before, place) {
    const weight = parameter(layer, "weight"), size = before.shape[0] * before.shape[1] * before.shape[2];
    const k = flatIndex(before, place);
    return Array.from({ length: layer.shape[0] }, (_, f) => ({ place: [f, 0, 0], slope: weight.data[f * size + k] }));
  },

  image(layer, before, [c, y, x], example) {
    const map = channelOf(seen(example, before, "values"), c);
    if (!layer.detail.pick) return [{ place: [c, 0, 0], slope: 1 / map.length }];
    const first = map.indexOf(Math.max(...map));
    return [{ place: [c, 0, 0], slope: first === y * before.shape[2] + x ? 1 : 0, why: "another pixel is the largest" }];
  },

  point(layer, before, place, example, value) {
    const { slope, tree } = layer.detail;
    if (slope !== undefined) {
      const closed = `${layer.word} is flat here: of ${show(value)} it makes ${show(valueOf(tree, { x: value }))}`;
      return [{ place, slope: Number(valueOf(slope, { x: value })), why: closed }];
    }
    const numbers = {};
    for (const name of layer.detail.parameters) {
      const { data } = parameter(layer, name);
      numbers[name] = data[data.length > 1 ? place[0] : 0];
    }
    return [{ place, slope: central((x) => POINTS[layer.word](x, layer.detail, numbers), value) }];
  },

  join(layer, before, place, example, value, which) {
    const { join } = layer.detail, [c, i, j] = place;
    if (join === "add") return [{ place, slope: 1 }];
    if (join === "sub") return [{ place, slope: which ? -1 : 1 }];
    if (join === "mean") return [{ place, slope: 1 / layer.inputs.length }];
    const gate = before.shape[1] * before.shape[2] === 1 && layer.shape[1] * layer.shape[2] > 1;
    const channels = before.shape[0] < layer.shape[0] ? Array.from({ length: layer.shape[0] }, (_, k) => k) : [c];
    const places = channels.flatMap((k) => (gate ? everyPixel(layer, k) : [[k, i, j]]));
    return places.map((at) => {
      const values = accounts.join(layer, at, example).rows.map(([, number]) => number);
      if (join === "max" || join === "min") {
        const best = join === "max" ? Math.max(...values) : Math.min(...values);
        const why = `another branch is ${join === "max" ? "larger" : "smaller"}`;
        return { place: at, slope: values.indexOf(best) === which ? 1 : 0, why };
      }
      const others = values.filter((_, k) => k !== which);
      return { place: at, slope: others.reduce((a, b) => a * b, 1), why: "what it is multiplied by is 0" };
    });
  },

  concat(layer, before, [c, i, j], example, value, which) {
    return [{ place: [c + layer.detail.starts[which], i, j], slope: 1 }];
  },

  move(layer, before, place) {
    if (layer.detail.how === "same") return [{ place: unravel(layer, flatIndex(before, place)), slope: 1 }];
    if (layer.detail.how === "pixels") return [{ place: shuffled(layer.detail, layer.detail.back, place), slope: 1 }];
    const [c, y, x] = place;
    if (layer.detail.how === "channels") {
      return layer.detail.channels.flatMap((from, to) => (from === c ? [{ place: [to, y, x], slope: 1 }] : []));
    }
    return everyPixel(layer, c).filter((at) => String(movedFrom(layer, before, at)) === String(place))
      .map((at) => ({ place: at, slope: 1 }));
  },

  blend(layer, before, [c, y, x]) {
    const found = [], across = layer.detail.columns.map((shares) => shares.find(([from]) => from === x));
    layer.detail.rows.forEach((shares, i) => {
      const down = shares.filter(([from]) => from === y).reduce((sum, [, share]) => sum + share, 0);
      if (down) across.forEach((share, j) => share && found.push({ place: [c, i, j], slope: down * share[1] }));
    });
    return found;
  },

  channels(layer, before, [c, i, j], example, value) {
    const input = seen(example, before, "values"), pixel = i * input.shape[2] + j;
    const x = Array.from({ length: input.shape[0] }, (_, k) => channelOf(input, k)[pixel]);
    const found = [];
    for (let k = 0; k < layer.shape[0]; k++) {
      const [first, end] = channelsThatCount(layer, k, x.length);
      if (c < first || c >= end) continue;
      const known = CHANNEL_SLOPES[layer.word];
      const slope = known ? known(k, c, x, first, end) : central((number) => CHANNELS[layer.word](layer, k, x.with(c, number)).total, value);
      found.push({ place: [k, i, j], slope, why: LARGEST.includes(layer.word) ? "another channel is larger" : "" });
    }
    return found;
  },

  group(layer, before, place, example) {
    const count = before.shape[0] / layer.detail.groups, first = Math.floor(place[0] / count) * count;
    const size = before.shape[1] * before.shape[2], weight = parameter(layer, "weight").data;
    const part = seen(example, before, "values").data.subarray(first * size, (first + count) * size);
    const slope = standardSlopes(layer, part, flatIndex(before, place) - first * size);
    return Array.from(part, (_, k) => ({ place: unravel(layer, first * size + k), slope: weight[first + Math.floor(k / size)] * slope(k) }));
  },

  response(layer, before, place, example, value) {
    const [channels, height, width] = before.shape, size = height * width, weight = parameter(layer, "weight").data;
    const array = seen(example, before, "values"), c = place[0], at = flatIndex(before, place);
    const norms = Array.from({ length: channels }, (_, k) => Math.sqrt(channelOf(array, k).reduce((sum, x) => sum + x * x, 0)));
    const total = norms.reduce((a, b) => a + b, 0) / channels + layer.detail.eps, grows = norms[c] ? value / norms[c] : 0;
    return Array.from(array.data, (x, n) => {
      const k = Math.floor(n / size), share = norms[k] / total;
      const changed = ((Number(k === c) - share / channels) / total) * grows; // how the share of channel k changes
      return { place: unravel(layer, n), slope: x * weight[k] * changed + (n === at ? 1 + share * weight[k] : 0) };
    });
  },
};

// How number k of some that are made standard changes with one of them: (δ - (1 + z[k] z[at]) / n) / σ.
function standardSlopes(layer, x, at) {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const sigma = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length + layer.detail.eps);
  const z = (k) => (x[k] - mean) / sigma;
  return (k) => (Number(k === at) - (1 + z(k) * z(at)) / x.length) / sigma;
}

const share = (c, x) => {
  const largest = Math.max(...x);
  return Math.exp(x[c] - largest) / x.reduce((sum, value) => sum + Math.exp(value - largest), 0);
};

// How channel k of an output changes with channel c of its pixel x; those that have no formula here go by differences.
const LARGEST = ["maxout", "channelmax"];
const slopeOfLargest = (k, c, x, first, end) => {
  const part = x.slice(first, end);
  return Number(first + part.indexOf(Math.max(...part)) === c);
};
const CHANNEL_SLOPES = {
  channelmean: (k, c, x) => 1 / x.length,
  channelmax: slopeOfLargest,
  softmax: (k, c, x) => share(k, x) * (Number(k === c) - share(c, x)),
  logsoftmax: (k, c, x) => Number(k === c) - share(c, x),
  maxout: slopeOfLargest,
};

function everyPixel(layer, c) {
  const found = [];
  for (let i = 0; i < layer.shape[1]; i++) for (let j = 0; j < layer.shape[2]; j++) found.push([c, i, j]);
  return found;
}

// How the cost changes with a number that it is computed from: as a formula, and with numbers.
const COSTS = {
  cross_entropy: (p, t, { pixels }) => [t === 0 ? 0 : -t / p / pixels, `−right / answered / pixels = −${show(t)} / ${show(p)} / ${pixels}`],
  binary_cross_entropy: (p, t, { count }) => [(p - t) / (p * (1 - p)) / count, `(answered − right) / (answered × (1 − answered)) / numbers = ${show(p - t)} / ${show(p * (1 - p))} / ${count}`],
  mse: (p, t, { count }) => [(2 * (p - t)) / count, `2 × (answered − right) / numbers = 2 × ${show(p - t)} / ${count}`],
  mae: (p, t, { count }) => [Math.sign(p - t) / count, `sign of (answered − right) / numbers = ${Math.sign(p - t)} / ${count}`],
};

// What an output says of its gradient: by the cost's formula, where that gives what the backward pass computed.
function ofCost(layer, place, example, gradient) {
  const output = outputs.find(({ name }) => name === layer.name), said = "The cost is computed from this number: so much it changes with it.";
  const right = rightOf(example, layer.name), at = flatIndex(layer, place);
  if (!right || !COSTS[output.cost]) return said;
  const sizes = { pixels: layer.shape[1] * layer.shape[2], count: right.length };
  const [slope, text] = COSTS[output.cost](seen(example, layer, "values").data[at], right[at], sizes);
  const weighed = output.weight === 1 ? "" : `, times its weight ${show(output.weight)}`;
  const agrees = Math.abs(slope * output.weight - gradient) <= 1e-6 * Math.abs(gradient) + 1e-13;
  return agrees ? `${said} ${output.cost}: ${text}${weighed} = ${show(gradient)}.` : said;
}

// What comes back to a number: { rows: [{ layer, place, gradient, slope, product, why }], total, gradient, agrees }.
function wayBack(layer, place, example) {
  const back = seen(example, layer, "gradients"), at = flatIndex(layer, place);
  const gradient = back.data[at], value = seen(example, layer, "values").data[at];
  const rows = [], readers = content.layers.filter((other) => other.inputs.includes(layer.name));
  for (const reader of readers) {
    reader.inputs.forEach((name, which) => {
      if (name !== layer.name || !ways[reader.kind]) return;
      const theirs = seen(example, reader, "gradients").data;
      for (const { place: made, slope, why } of ways[reader.kind](reader, layer, place, example, value, which)) {
        const from = theirs[flatIndex(reader, made)];
        rows.push({ layer: reader, place: made, gradient: from, slope, product: from * slope, why });
      }
    });
  }
  const total = rows.reduce((sum, row) => sum + row.product, 0);
  const size = rows.reduce((sum, row) => sum + Math.abs(row.product), Math.abs(gradient));
  const output = outputs.some(({ name }) => name === layer.name) || readers.some(({ kind }) => !ways[kind]);
  return { rows, total, gradient, output, agrees: output || Math.abs(total - gradient) <= 1e-6 * size + 1e-13 };
}

// Write the way back of a number below its account.
function showBack(layer, place, example) {
  const box = byId("back");
  if (part) return box.replaceChildren();
  const told = wayBack(layer, place, example), { rows } = told;
  box.replaceChildren(element("h3", {}, `The way back: d cost / d ${placeName(layer, place)} = ${show(told.gradient)}`));
  const say = (text, more = {}) => box.append(element("p", more, text));
  if (told.output) say(ofCost(layer, place, example, told.gradient));
  else if (!rows.length) say("Nothing is made of this number: no gradient comes back.", { id: "back-agreement", class: told.agrees ? "agrees" : "differs" });
  if (!rows.length) return;
  const reason = zeroReason(rows);
  if (reason && told.gradient === 0) say(reason);
  const sorted = [...rows].sort((a, b) => Math.abs(b.product) - Math.abs(a.product) || Math.abs(b.slope) - Math.abs(a.slope));
  const made = element("table", { class: "terms" });
  made.append(headed(["number made of it", "gradient there", "×", "how it changes with this one", "=", "given back"]));
  const row = (cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
  for (const each of sorted.slice(0, STRONGEST)) {
    made.append(row([goTo(each.layer, each.place), show(each.gradient), "×", show(each.slope), "=", show(each.product)]));
  }
  const rest = sorted.slice(STRONGEST), sum = rest.reduce((total, each) => total + each.product, 0);
  if (rest.length) made.append(row([`the other ${rest.length}`, "", "", "", "", show(sum)]));
  made.append(Object.assign(row(["sum", "", "", "", "", show(told.total)]), { className: "total" }));
  box.append(scrolling("what comes back to this number", made));
  if (!told.output) {
    const text = told.agrees ? "what the backward pass computed" : `the backward pass computed ${show(told.gradient)}`;
    say(text, { id: "back-agreement", class: told.agrees ? "agrees" : "differs" });
  }
}

// Why nothing comes back, where that has one reason.
function zeroReason(rows) {
  if (rows.every((row) => row.slope === 0 && row.why)) return `Nothing comes back: ${[...new Set(rows.map((row) => row.why))].join("; ")}.`;
  if (rows.every((row) => row.gradient === 0)) {
    const names = [...new Set(rows.map((row) => row.layer.name))];
    return `Nothing comes back: the cost does not change with the numbers of ${names.join(", ")} that are made of it.`;
  }
  return rows.every((row) => row.product === 0) ? "Nothing comes back: each way has a 0 on it." : "";
}
