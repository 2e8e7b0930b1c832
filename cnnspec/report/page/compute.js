// Every number of the network once more, from what it was computed from. Each kind of account gives
//   { groups: [{channel, patch, inside, kernel, products, sum}], terms: [[label, value]], total, ... }
// with the terms that add up to the number, where it is a sum.

const PRECISION = 1e-9; // of the sum of the terms' sizes: far below what is printed, far above rounding

// The rows and columns of the input that the taps of a window meet for output pixel (i, j).
function taps(detail, i, j, height, width) {
  const met = [];
  for (let u = 0; u < detail.kernel[0]; u++) {
    for (let v = 0; v < detail.kernel[1]; v++) {
      const row = i * detail.stride[0] - detail.pad[0] + u * detail.dilate[0];
      const column = j * detail.stride[1] - detail.pad[1] + v * detail.dilate[1];
      const grown = row % detail.grow[0] === 0 && column % detail.grow[1] === 0;
      const [y, x] = [row / detail.grow[0], column / detail.grow[1]];
      met.push({ y, x, inside: grown && y >= 0 && y < height && x >= 0 && x < width });
    }
  }
  return met;
}

// The box of pixels that the window meets: [[first row, end], [first column, end]], without padding.
function windowBox(detail, i, j, height, width) {
  const met = taps(detail, i, j, height, width).filter((tap) => tap.inside);
  if (!met.length) return null;
  const rows = met.map((tap) => tap.y), columns = met.map((tap) => tap.x);
  return [
    [Math.min(...rows), Math.max(...rows) + 1],
    [Math.min(...columns), Math.max(...columns) + 1],
  ];
}

function groupsOf(layer, input) {
  const share = input.shape[0] / layer.detail.groups;
  return { share, first: (c) => Math.floor(c / (layer.shape[0] / layer.detail.groups)) * share };
}

// The kernel of filter f for channel k of its group, as its window meets the input.
function kernelOf(layer, weight, f, k, share) {
  const size = layer.detail.kernel[0] * layer.detail.kernel[1];
  if (!layer.detail.flipped) return weight.data.subarray((f * share + k) * size, (f * share + k + 1) * size);
  const filters = layer.shape[0] / layer.detail.groups; // (c, f / groups, u, v), turned
  const group = Math.floor(f / filters);
  const start = ((group * share + k) * filters + (f - group * filters)) * size;
  return weight.data.slice(start, start + size).reverse();
}

const accounts = {
  filter(layer, [c, i, j], example) {
    const input = seen(example, layers.get(layer.inputs[0]), "values");
    const weight = parameter(layer, "weight");
    const { share, first } = groupsOf(layer, input);
    const [, height, width] = input.shape;
    const met = taps(layer.detail, i, j, height, width);
    const groups = [];
    for (let k = 0; k < share; k++) {
      const map = channelOf(input, first(c) + k);
      const patch = met.map((tap) => (tap.inside ? map[tap.y * width + tap.x] : 0));
      const kernel = Array.from(kernelOf(layer, weight, c, k, share));
      const products = patch.map((value, t) => value * kernel[t]);
      groups.push({
        channel: first(c) + k, patch, kernel, products,
        inside: met.map((tap) => tap.inside),
        sum: products.reduce((a, b) => a + b, 0),
      });
    }
    const terms = groups.map((group) => [`channel ${group.channel}`, group.sum]);
    if (layer.detail.bias) terms.push(["bias", parameter(layer, "bias").data[c], () => chooseWeight(layer, "bias", c)]);
    return { groups, terms, box: windowBox(layer.detail, i, j, height, width) };
  },

  pick(layer, [c, i, j], example) {
    const input = seen(example, layers.get(layer.inputs[0]), "values");
    const [, height, width] = input.shape;
    const map = channelOf(input, c);
    const met = taps(layer.detail, i, j, height, width);
    const patch = met.map((tap) => (tap.inside ? map[tap.y * width + tap.x] : NaN));
    const sign = layer.detail.pick === "max" ? 1 : -1;
    let argmax = -1;
    patch.forEach((value, t) => {
      if (met[t].inside && (argmax < 0 || sign * value > sign * patch[argmax])) argmax = t; // ties go to the first
    });
    const group = { channel: c, patch, inside: met.map((tap) => tap.inside), argmax, sum: patch[argmax] };
    const winner = `${met[argmax].y}, column ${met[argmax].x}`;
    return {
      groups: [group], total: patch[argmax], box: windowBox(layer.detail, i, j, height, width),
      says: `the winner stands in row ${winner}: the gradient goes to it alone`,
    };
  },

  mean(layer, [c, i, j], example) {
    const input = seen(example, layers.get(layer.inputs[0]), "values");
    const [, height, width] = input.shape;
    const map = channelOf(input, c);
    const met = taps(layer.detail, i, j, height, width);
    const patch = met.map((tap) => (tap.inside ? map[tap.y * width + tap.x] : 0));
    const inside = met.map((tap) => tap.inside);
    const sum = patch.reduce((a, b) => a + b, 0);
    const count = layer.detail.count_pad ? patch.length : inside.filter(Boolean).length;
    return {
      groups: [{ channel: c, patch, inside, sum }], total: sum / count,
      box: windowBox(layer.detail, i, j, height, width),
      says: `sum ${show(sum)} / ${count} = ${show(sum / count)}`,
    };
  },

  window(layer, [c, i, j], example) {
    const input = seen(example, layers.get(layer.inputs[0]), "values");
    const [, height, width] = input.shape;
    const map = channelOf(input, c);
    const met = taps(layer.detail, i, j, height, width);
    const patch = met.map((tap) => (tap.inside ? map[tap.y * width + tap.x] : 0));
    const { measure, each, total: made } = layer.detail.formula;
    const inside = patch.filter((_, t) => met[t].inside);
    const m = Math.max(...inside.map((x) => valueOf(measure, { x })));
    const s = inside.reduce((sum, x) => sum + valueOf(each, { x, m }), 0);
    const total = valueOf(made, { s, m });
    return {
      groups: [{ channel: c, patch, inside: met.map((tap) => tap.inside), sum: total }], total, s, m,
      box: windowBox(layer.detail, i, j, height, width),
      says: `the ${layer.detail.says} of the window is ${show(total)}`,
    };
  },

  all(layer, [c], example) {
    const before = layers.get(layer.inputs[0]);
    const input = seen(example, before, "values").data;
    const weight = parameter(layer, "weight");
    const row = weight.data.subarray(c * input.length, (c + 1) * input.length);
    const parts = Array.from(input, (value, k) => ({ k, value, weight: row[k], product: value * row[k] }));
    parts.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    const strongest = parts.slice(0, 12);
    const sum = (some) => some.reduce((total, part) => total + part.product, 0);
    const terms = [["the strongest", sum(strongest)]];
    if (parts.length > 12) terms.push([`the other ${parts.length - 12}`, sum(parts.slice(12))]);
    if (layer.detail.bias) terms.push(["bias", parameter(layer, "bias").data[c], () => chooseWeight(layer, "bias", c)]);
    const size = parts.reduce((total, part) => total + Math.abs(part.product), 0);
    return { strongest: strongest.map((part) => ({ ...part, from: origin(before, part.k) })), terms, size };
  },

  image(layer, [c], example) {
    const map = channelOf(seen(example, layers.get(layer.inputs[0]), "values"), c);
    if (layer.detail.pick) return { total: Math.max(...map), says: "the largest pixel of the map" };
    const sum = map.reduce((a, b) => a + b, 0);
    return { total: sum / map.length, says: `sum ${show(sum)} / ${map.length} = ${show(sum / map.length)}` };
  },

  point(layer, [c, i, j], example) {
    const before = layers.get(layer.inputs[0]);
    const input = seen(example, before, "values");
    const x = channelOf(input, c)[i * input.shape[2] + j];
    const rows = [[placeName(before, [c, i, j]), x]];
    const numbers = {};
    for (const name of layer.detail.parameters) {
      const found = parameter(layer, name);
      const k = found.data.length > 1 ? c : 0;
      numbers[name] = found.data[k];
      rows.push([`${name}[${k}]`, numbers[name], () => chooseWeight(layer, name, k)]);
    }
    const { tree } = layer.detail;
    if (tree) return { rows, total: valueOf(tree, { x }), size: Math.abs(x) };
    return { rows, total: POINTS[layer.word](x, layer.detail, numbers), size: 0 };
  },

  join(layer, [c, i, j], example) {
    const rows = layer.inputs.map((name) => {
      const input = seen(example, layers.get(name), "values");
      const [, height, width] = input.shape;
      const place = [input.shape[0] > 1 ? c : 0, height > 1 ? i : 0, width > 1 ? j : 0]; // a gate has fewer numbers
      return [placeName(layers.get(name), place), channelOf(input, place[0])[place[1] * width + place[2]]];
    });
    const values = rows.map(([, value]) => value);
    const sum = values.reduce((a, b) => a + b, 0);
    const total = {
      add: sum, mean: sum / values.length, max: Math.max(...values), mul: values.reduce((a, b) => a * b, 1),
      sub: 2 * values[0] - sum, min: Math.min(...values),
    }[layer.detail.join];
    return { rows, total };
  },

  concat(layer, [c, i, j], example) {
    const k = layer.detail.starts.findLastIndex((start) => start <= c);
    const from = layers.get(layer.inputs[k]);
    const input = seen(example, from, "values");
    const place = [c - layer.detail.starts[k], i, j];
    const value = channelOf(input, place[0])[i * input.shape[2] + j];
    return { rows: [[placeName(from, place), value]], total: value };
  },

  move(layer, place, example) {
    const before = layers.get(layer.inputs[0]);
    const source = movedFrom(layer, before, place);
    if (!source) return { total: 0, says: "padding" };
    const input = seen(example, before, "values");
    const value = channelOf(input, source[0])[source[1] * input.shape[2] + source[2]];
    return { rows: [[placeName(before, source), value]], total: value };
  },

  blend(layer, [c, i, j], example) {
    const before = layers.get(layer.inputs[0]);
    const input = seen(example, before, "values");
    const map = channelOf(input, c);
    const terms = [];
    for (const [y, down] of layer.detail.rows[i]) {
      for (const [x, across] of layer.detail.columns[j]) {
        const share = down * across;
        terms.push([`${placeName(before, [c, y, x])} × ${show(share)}`, map[y * input.shape[2] + x] * share]);
      }
    }
    return { terms, size: terms.reduce((sum, [, term]) => sum + Math.abs(term), 0) };
  },

  channels(layer, [c, i, j], example) {
    const before = layers.get(layer.inputs[0]);
    const input = seen(example, before, "values");
    const pixel = i * input.shape[2] + j;
    const x = Array.from({ length: input.shape[0] }, (_, k) => channelOf(input, k)[pixel]);
    const [first, end] = channelsThatCount(layer, c, x.length);
    const rows = [];
    for (let k = first; k < Math.min(end, first + 64); k++) rows.push([placeName(before, [k, i, j]), x[k]]);
    rows.push(...scaleRows(layer, c));
    const told = CHANNELS[layer.word](layer, c, x);
    return { rows, ...told };
  },

  group(layer, [c, i, j], example) {
    const before = layers.get(layer.inputs[0]);
    const input = seen(example, before, "values");
    const share = (input.shape[0] / layer.detail.groups) * input.shape[1] * input.shape[2];
    const group = Math.floor(c / (input.shape[0] / layer.detail.groups));
    const part = input.data.subarray(group * share, (group + 1) * share);
    const x = channelOf(input, c)[i * input.shape[2] + j];
    return { rows: [[placeName(before, [c, i, j]), x], ...scaleRows(layer, c)], ...standard(layer, c, x, part) };
  },

  response(layer, [c, i, j], example) {
    const before = layers.get(layer.inputs[0]);
    const input = seen(example, before, "values");
    const weight = parameter(layer, "weight").data[c], bias = parameter(layer, "bias").data[c];
    const { norm, share } = normsOf(input, layer.detail.eps);
    const x = channelOf(input, c)[i * input.shape[2] + j];
    return {
      rows: [[placeName(before, [c, i, j]), x]], total: x + x * share[c] * weight + bias,
      size: Math.abs(x) + Math.abs(x * share[c] * weight) + Math.abs(bias),
      says: `norm ${show(norm[c])}, its share ${show(share[c])}: ${show(x)} × (1 + ${show(share[c])} × ${show(weight)}) + ${show(bias)}`,
    };
  },

  other(layer) {
    return { says: `computed from ${layer.inputs.join(", ")}` };
  },

  input() {
    return {};
  },
};

// Where the number at a place of a moved value stood before; null for padding.
function movedFrom(layer, before, [c, i, j]) {
  const detail = layer.detail;
  if (detail.how === "channels") return [detail.channels[c], i, j];
  if (detail.how === "pixels") return shuffled(detail, !detail.back, [c, i, j]);
  if (detail.how === "same") return unravel(before, (c * layer.shape[1] + i) * layer.shape[2] + j);
  const met = taps(detail, i, j, before.shape[1], before.shape[2]).find((tap) => tap.inside);
  return met ? [c, met.y, met.x] : null;
}

// Where the number at a place of a value with few channels, and many pixels, stands among many, or (not `up`) back.
function shuffled({ factors: [u, v] }, up, [c, i, j]) {
  if (up) return [(c * u + (i % u)) * v + (j % v), Math.floor(i / u), Math.floor(j / v)];
  return [Math.floor(c / (u * v)), i * u + (Math.floor(c / v) % u), j * v + (c % v)];
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => (x > 30 ? x : Math.log1p(Math.exp(x)));
const POINTS = {
  bn: (x, d, p) => ((x - p.running_mean) / Math.sqrt(p.running_var + d.eps)) * p.weight + p.bias,
  scale: (x, d, p) => x * p.weight + (p.bias ?? 0),
  prelu: (x, d, p) => (x > 0 ? x : p.weight * x),
  dropout: (x) => x,
  droppath: (x) => x,
};

// The functions of formulas, each of which comes as a tree: ["multiply", "x", ["tanh", "x"]].
const FUNCTIONS = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  negative: (a) => -a,
  less: (a, b) => a < b,
  less_equal: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greater_equal: (a, b) => a >= b,
  where: (condition, a, b) => (condition ? a : b),
  maximum: Math.max,
  minimum: Math.min,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  erf,
  absolute: Math.abs,
  sign: Math.sign,
  sigmoid,
  softplus,
  power: Math.pow,
};

function valueOf(tree, given) {
  if (typeof tree === "number") return tree;
  if (typeof tree === "string") return given[tree];
  return FUNCTIONS[tree[0]](...tree.slice(1).map((part) => valueOf(part, given)));
}

// 2/√π times the integral of exp(-t²) from 0 to x, by a series of positive terms (DLMF 7.6.2).
function erf(x) {
  if (Math.abs(x) > 3) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x, sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

// 1 - erf(x), which keeps its digits where it is small: there by a continued fraction (DLMF 7.9.1).
function erfc(x) {
  if (x < 1.5) return 1 - erf(x);
  let below = x;
  for (let k = 120; k; k--) below = x + k / 2 / below;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / below;
}

// Words that look at the channels of a pixel, x.
const CHANNELS = {
  softmax(layer, c, x) {
    const largest = Math.max(...x);
    const sum = x.reduce((total, value) => total + Math.exp(value - largest), 0);
    const power = Math.exp(x[c] - largest);
    return { total: power / sum, says: `exp(in − largest) ${show(power)} / their sum ${show(sum)}` };
  },
  logsoftmax(layer, c, x) {
    const largest = Math.max(...x);
    const log = largest + Math.log(x.reduce((total, value) => total + Math.exp(value - largest), 0));
    return { total: x[c] - log, says: `in ${show(x[c])} − log of the sum of exp(in) ${show(log)}`, size: log };
  },
  radixsoftmax(layer, c, x) {
    const { step } = layer.detail;
    const apart = x.filter((_, k) => k % step === c % step), largest = Math.max(...apart);
    const sum = apart.reduce((total, value) => total + Math.exp(value - largest), 0);
    const power = Math.exp(x[c] - largest);
    return { total: power / sum, says: `exp(in − largest) ${show(power)} / the sum of ${apart.length}, ${show(sum)}` };
  },
  channelmean(layer, c, x) {
    const sum = x.reduce((a, b) => a + b, 0);
    return { total: sum / x.length, size: Math.max(...x.map(Math.abs)), says: `sum ${show(sum)} / ${x.length} = ${show(sum / x.length)}` };
  },
  channelmax: (layer, c, x) => ({ total: Math.max(...x), says: "the largest of these" }),
  maxout(layer, c, x) {
    const part = x.slice(c * layer.detail.share, (c + 1) * layer.detail.share);
    return { total: Math.max(...part), says: "the largest of these" };
  },
  lrn(layer, c, x) {
    const { alpha, beta, k, size } = layer.detail;
    const [first, end] = channelsThatCount(layer, c, x.length);
    const squares = x.slice(first, end).reduce((sum, value) => sum + value * value, 0);
    const base = k + (alpha / size) * squares;
    return { total: x[c] / base ** beta, says: `${show(x[c])} / (${show(k)} + ${show(alpha)} / ${size} × ${show(squares)})^${beta}` };
  },
  layernorm: (layer, c, x) => standard(layer, c, x[c], x),
};

// The channels, from the first to before the last, that a number of channel c is made of.
function channelsThatCount(layer, c, count) {
  if (layer.word === "maxout") return [c * layer.detail.share, (c + 1) * layer.detail.share];
  if (layer.word !== "lrn") return [0, count];
  const first = c - Math.floor(layer.detail.size / 2);
  return [Math.max(0, first), Math.min(count, first + layer.detail.size)];
}

// Weight and bias of a channel, where a word has them.
function scaleRows(layer, c) {
  return Object.keys(layer.parameters).map((name) => [`${name}[${c}]`, parameter(layer, name).data[c], () => chooseWeight(layer, name, c)]);
}

// The norm of each channel, and its share of their mean.
function normsOf(input, eps) {
  const norm = Array.from({ length: input.shape[0] }, (_, k) => Math.sqrt(channelOf(input, k).reduce((sum, x) => sum + x * x, 0)));
  const mean = norm.reduce((a, b) => a + b, 0) / norm.length;
  return { norm, share: norm.map((n) => n / (mean + eps)) };
}

// A number made standard among others, then scaled and shifted.
function standard(layer, c, x, others) {
  const weight = parameter(layer, "weight"), bias = parameter(layer, "bias");
  const mean = others.reduce((sum, value) => sum + value, 0) / others.length;
  const variance = others.reduce((sum, value) => sum + (value - mean) ** 2, 0) / others.length;
  const z = (x - mean) / Math.sqrt(variance + layer.detail.eps);
  return {
    total: z * weight.data[c] + bias.data[c],
    size: Math.abs(z * weight.data[c]) + Math.abs(bias.data[c]) + 1,
    says: `mean ${show(mean)}, variance ${show(variance)}: ${show(z)} × ${show(weight.data[c])} + ${show(bias.data[c])}`,
  };
}

const SINGLE = 1e-5; // of values that the engine computed in float32

// The account of a number. `agrees` tells whether what was computed here is what the plan computed.
function explain(layer, place, example) {
  const array = seen(example, layer, "values");
  const value = channelOf(array, place[0])[place[1] * array.shape[2] + place[2]];
  if (!accountable(layer, example)) return { value, says: "Its sum is not here: the page has no room for its weights, or for what it is made of." };
  const told = accounts[layer.kind](layer, place, example);
  let size = Math.max(Math.abs(value), told.size || 0);
  if (told.terms) {
    told.total = told.terms.reduce((sum, [, term]) => sum + term, 0);
    for (const group of told.groups || []) size += group.products.reduce((sum, p) => sum + Math.abs(p), 0);
  }
  const agrees = told.total === undefined || Math.abs(told.total - value) <= (computed(layer) ? PRECISION : SINGLE) * (size || 1);
  return { ...told, value, agrees };
}

// Number k of a value, counted through (c, h, w), as a place.
function unravel(layer, k) {
  const [, height, width] = layer.shape;
  return [Math.floor(k / (height * width)), Math.floor(k / width) % height, k % width];
}

// The pixel that number k of a flattened value was before.
function origin(layer, k) {
  let place = unravel(layer, k);
  while (layer.kind === "move") {
    const before = layers.get(layer.inputs[0]);
    const source = movedFrom(layer, before, place);
    if (!source) break;
    [layer, place] = [before, source];
  }
  return { layer, place };
}

// What a number sees of an input: [[first row, end], [first column, end]], of a sequence one range, or null.
function reach(layer, input, [c, i, j]) {
  const known = layer.reach[input];
  if (!known) return null;
  if (known.boxes) return known.boxes[known.boxes.length > 1 ? c : 0];
  return known.axes.length === 2 ? [known.axes[0][i], known.axes[1][j]] : [known.axes[0][j]];
}
