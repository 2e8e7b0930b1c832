// Normalisation on rows x[c][l], l = pixels · images. Sums are taken in float64, less a number of the channel itself,
// so that a mean that is large beside the deviation does no harm.

/** Mean and (biased) variance of each channel over the batch. */
export function batchMoments(room, x, mean, variance, c, l) {
  const runs = runsOf(room, l);
  for (let i = 0; i < c; i++) {
    const near = x[i * l], [sum, squares] = sumsAround(runs, x, i * l, l, near), apart = sum / l;
    mean[i] = near + apart;
    variance[i] = Math.max(0, squares / l - apart * apart);
  }
}

/** The sums of x - near and of its squares over a run. */
export function sumsAround(runs, x, at, count, near) {
  if (runs) {
    runs.moments(x.byteOffset + 4 * at, count, near, runs.at);
    return runs.sums;
  }
  let sum = 0, squares = 0, sum2 = 0, squares2 = 0, j = at; // two of each: an addition waits for the one before it
  for (const to = at + count - 1; j < to; j += 2) {
    const v = x[j] - near, w = x[j + 1] - near;
    sum += v; squares += v * v; sum2 += w; squares2 += w * w;
  }
  if (j < at + count) { sum += x[j] - near; squares += (x[j] - near) * (x[j] - near); }
  return [sum + sum2, squares + squares2];
}

/** y = (x - mean) / sqrt(variance + eps) · weight + bias, `+ add` and max(·, 0) where asked; `reluMask` gets where y > 0. */
export function normalise(room, x, mean, variance, weight, bias, eps, y, c, l, { add = null, relu = false, reluMask = null } = {}) {
  const runs = runsOf(room, l), least = relu ? 0 : -Infinity;
  for (let i = 0; i < c; i++) {
    const scale = weight[i] / Math.sqrt(variance[i] + eps), m = mean[i], b = bias[i], from = i * l, to = from + l;
    if (runs && add) runs.affineAdd(x.byteOffset + 4 * from, add.byteOffset + 4 * from, y.byteOffset + 4 * from, l, m, scale, b, least);
    else if (runs) runs.affine(x.byteOffset + 4 * from, y.byteOffset + 4 * from, l, m, scale, b, least);
    else if (add) for (let j = from; j < to; j++) y[j] = (x[j] - m) * scale + b + add[j];
    else if (relu) for (let j = from; j < to; j++) { const v = (x[j] - m) * scale + b; y[j] = (v + Math.abs(v)) / 2; } // exact; Math.max costs five times as much
    else for (let j = from; j < to; j++) y[j] = (x[j] - m) * scale + b;
    if (add && relu && !runs) for (let j = from; j < to; j++) y[j] = (y[j] + Math.abs(y[j])) / 2;
    if (reluMask) for (let j = from; j < to; j++) reluMask[j] = (y[j] > 0) | 0;
  }
}

/** dx = dy / sqrt(variance + eps) · weight, where mean and variance are given. */
export function normaliseGradient(dy, variance, weight, eps, dx, c, l) {
  for (let i = 0, j = 0; i < c; i++) {
    const scale = weight[i] / Math.sqrt(variance[i] + eps);
    for (const end = j + l; j < end; j++) dx[j] = dy[j] * scale;
  }
}

/** dweight and dbias of batch normalisation, and dx where it is wanted. */
export function batchNormGradient(room, dy, x, mean, variance, weight, eps, dweight, dbias, dx, c, l) {
  const runs = runsOf(room, l);
  for (let i = 0; i < c; i++) {
    const m = mean[i], r = 1 / Math.sqrt(variance[i] + eps), from = i * l, to = from + l, first = 4 * from;
    const [sum, along] = sumsAlong(runs, dy, x, from, l, m);
    dbias[i] = sum;
    dweight[i] = along * r;
    if (!dx) continue;
    const scale = weight[i] * r, a = sum / l, b = (along * r * r) / l;
    if (runs) runs.across(dy.byteOffset + first, x.byteOffset + first, dx.byteOffset + first, l, m, scale, a, b);
    else for (let j = from; j < to; j++) dx[j] = scale * (dy[j] - a - (x[j] - m) * b);
  }
}

/** The sums of dy and of dy · (x - mean) over a run. */
export function sumsAlong(runs, dy, x, at, count, mean) {
  if (runs) {
    runs.along(dy.byteOffset + 4 * at, x.byteOffset + 4 * at, count, mean, runs.at);
    return runs.sums;
  }
  let sum = 0, along = 0, sum2 = 0, along2 = 0, j = at; // two of each, as above
  for (const to = at + count - 1; j < to; j += 2) {
    const g = dy[j], h = dy[j + 1];
    sum += g; along += g * (x[j] - mean); sum2 += h; along2 += h * (x[j + 1] - mean);
  }
  if (j < at + count) { sum += dy[j]; along += dy[j] * (x[j] - mean); }
  return [sum + sum2, along + along2];
}

/** out = dy where a number was let through, 0 elsewhere. */
export function masked(dy, reluMask, out) {
  for (let i = 0; i < out.length; i++) out[i] = dy[i] * reluMask[i];
}

/** A running mean: state moves by a share towards the new value, which is first multiplied by `factor`. */
export function blend(state, value, momentum, factor = 1) {
  for (let i = 0; i < state.length; i++) state[i] = (1 - momentum) * state[i] + momentum * factor * value[i];
}

/** What makes the unbiased variance of `count` numbers from the biased one. */
export function unbiased(count) {
  return count > 1 ? count / (count - 1) : 1;
}

/** A convolution's filters with the scale of the normalisation that follows it. */
export function foldFilters(w, variance, weight, eps, out, c) {
  for (let i = 0, at = 0, each = w.length / c; i < c; i++) {
    const scale = weight[i] / Math.sqrt(variance[i] + eps);
    for (const end = at + each; at < end; at++) out[at] = w[at] * scale;
  }
}

/** What is left of that normalisation; `before` is the convolution's own bias. */
export function foldBias(mean, variance, weight, bias, before, eps, out) {
  for (let i = 0; i < out.length; i++)
    out[i] = bias[i] + ((before ? before[i] : 0) - mean[i]) * (weight[i] / Math.sqrt(variance[i] + eps));
}

/** (x - mean) / sqrt(variance + eps) over the channels of each pixel of each image; r = 1 / sqrt(variance + eps). */
export function standardisePixels(x, y, r, c, l, eps) {
  const mean = new Float64Array(l), squares = new Float64Array(l);
  for (let i = 0, at = 0; i < c; i++) for (let j = 0; j < l; j++, at++) mean[j] += x[at] / c;
  for (let i = 0, at = 0; i < c; i++) for (let j = 0; j < l; j++, at++) squares[j] += (x[at] - mean[j]) ** 2 / c;
  for (let j = 0; j < l; j++) r[j] = 1 / Math.sqrt(squares[j] + eps);
  for (let i = 0, at = 0; i < c; i++) for (let j = 0; j < l; j++, at++) y[at] = (x[at] - mean[j]) * r[j];
}

/** dx = r · (dy - mean(dy) - z · mean(dy · z)), the means over the channels of each pixel. */
export function standardisePixelsGradient(dy, z, r, dx, c, l) {
  const mean = new Float64Array(l), along = new Float64Array(l);
  for (let i = 0, at = 0; i < c; i++)
    for (let j = 0; j < l; j++, at++) { mean[j] += dy[at] / c; along[j] += (dy[at] * z[at]) / c; }
  for (let i = 0, at = 0; i < c; i++)
    for (let j = 0; j < l; j++, at++) dx[at] = r[j] * (dy[at] - mean[j] - z[at] * along[j]);
}

/** The same over all pixels of each group of channels of each image: x[groups][members][n], r[groups][n]. */
export function standardiseGroups(x, y, r, groups, members, n, eps) {
  const mean = new Float64Array(n), squares = new Float64Array(n);
  for (let g = 0; g < groups; g++) {
    const from = g * members * n;
    mean.fill(0);
    squares.fill(0);
    for (let q = 0, at = from; q < members; q++) for (let e = 0; e < n; e++, at++) mean[e] += x[at] / members;
    for (let q = 0, at = from; q < members; q++) for (let e = 0; e < n; e++, at++) squares[e] += (x[at] - mean[e]) ** 2 / members;
    for (let e = 0; e < n; e++) r[g * n + e] = 1 / Math.sqrt(squares[e] + eps);
    for (let q = 0, at = from; q < members; q++) for (let e = 0; e < n; e++, at++) y[at] = (x[at] - mean[e]) * r[g * n + e];
  }
}

/** Its gradient. */
export function standardiseGroupsGradient(dy, z, r, dx, groups, members, n) {
  const mean = new Float64Array(n), along = new Float64Array(n);
  for (let g = 0; g < groups; g++) {
    const from = g * members * n;
    mean.fill(0);
    along.fill(0);
    for (let q = 0, at = from; q < members; q++)
      for (let e = 0; e < n; e++, at++) { mean[e] += dy[at] / members; along[e] += (dy[at] * z[at]) / members; }
    for (let q = 0, at = from; q < members; q++)
      for (let e = 0; e < n; e++, at++) dx[at] = r[g * n + e] * (dy[at] - mean[e] - z[at] * along[e]);
  }
}


/** What a response normalisation takes of each image: the norm of each channel, eps + their mean, and norm / that. */
export function responses(x, e, c, pixels, n, eps) {
  const norm = new Float64Array(c), share = new Float64Array(c);
  let total = 0;
  for (let i = 0; i < c; i++) {
    let sum = 0;
    for (let q = 0; q < pixels; q++) sum += x[(i * pixels + q) * n + e] ** 2;
    norm[i] = Math.sqrt(sum);
    total += norm[i] / c;
  }
  for (let i = 0; i < c; i++) share[i] = norm[i] / (total + eps);
  return { norm, share, total: total + eps };
}

/** y = x · norm[c] / (eps + mean of norm), norm the root of the sum of squares of a channel: x[c][pixels][n]. */
export function responseNorm(x, y, c, pixels, n, eps) {
  for (let e = 0; e < n; e++) {
    const { share } = responses(x, e, c, pixels, n, eps);
    for (let i = 0; i < c; i++) for (let q = 0, at = i * pixels * n + e; q < pixels; q++, at += n) y[at] = x[at] * share[i];
  }
}

/** dx = dy · share + x · (s - mean of s · share) / (total · norm), s[c] the sum of dy · x; 0 where norm is. */
export function responseNormGradient(dy, x, dx, c, pixels, n, eps) {
  for (let e = 0; e < n; e++) {
    const { norm, share, total } = responses(x, e, c, pixels, n, eps), sums = new Float64Array(c);
    let mean = 0;
    for (let i = 0; i < c; i++) {
      for (let q = 0, at = i * pixels * n + e; q < pixels; q++, at += n) sums[i] += dy[at] * x[at];
      mean += (sums[i] * share[i]) / c;
    }
    for (let i = 0; i < c; i++) {
      const slope = norm[i] ? (sums[i] - mean) / (total * norm[i]) : 0;
      for (let q = 0, at = i * pixels * n + e; q < pixels; q++, at += n) dx[at] = dy[at] * share[i] + x[at] * slope;
    }
  }
}
