// Costs on p[c][l] and targets t[c][l], l = pixels · images. `share` is weight / (pixels · images); gradients carry it.

/** The target with a part of it spread over all classes. */
export function smoothed(t, c, smoothing) {
  return t * (1 - smoothing) + smoothing / c;
}

/** -sum of t · log p */
export function crossEntropy(p, t, c, l, share, smoothing, tiny) {
  let sum = 0;
  for (let i = 0; i < c * l; i++) sum -= smoothed(t[i], c, smoothing) * Math.log(Math.max(p[i], tiny));
  return sum * share;
}

/** -t / p */
export function crossEntropyGradient(p, t, dp, c, share, smoothing, tiny) {
  for (let i = 0; i < dp.length; i++) dp[i] = (-share * smoothed(t[i], c, smoothing)) / Math.max(p[i], tiny);
}

/** -sum of t · p, where p is the logarithm of a prediction. */
export function negativeLogLikelihood(p, t, c, l, share, smoothing) {
  let sum = 0;
  for (let i = 0; i < c * l; i++) sum -= smoothed(t[i], c, smoothing) * p[i];
  return sum * share;
}

/** -t */
export function negativeLogLikelihoodGradient(t, dp, c, share, smoothing) {
  for (let i = 0; i < dp.length; i++) dp[i] = -share * smoothed(t[i], c, smoothing);
}

/** -sum of t · log softmax(z), exact for logits of any size; p gets softmax(z). */
export function softmaxCrossEntropy(z, t, p, c, l, share, smoothing) {
  let cost = 0;
  for (let j = 0; j < l; j++) {
    let most = -Infinity, sum = 0;
    for (let i = j; i < c * l; i += l) most = Math.max(most, z[i]);
    for (let i = j; i < c * l; i += l) sum += p[i] = Math.exp(z[i] - most);
    const log = Math.log(sum) + most;
    for (let i = j; i < c * l; i += l) {
      p[i] /= sum;
      const want = smoothed(t[i], c, smoothing);
      if (want !== 0) cost += want * (log - z[i]);
    }
  }
  return cost * share;
}

/** factor · (p - t) */
export function scaledDifference(p, t, dp, c, factor, smoothing) {
  for (let i = 0; i < dp.length; i++) dp[i] = factor * (p[i] - smoothed(t[i], c, smoothing));
}

/** -(t log p + (1 - t) log(1 - p)) */
export function binaryCrossEntropy(p, t, share, tiny) {
  let sum = 0;
  for (let i = 0; i < p.length; i++)
    sum -= t[i] * Math.log(Math.max(p[i], tiny)) + (1 - t[i]) * Math.log(Math.max(1 - p[i], tiny));
  return sum * share;
}

/** (p - t) / (p (1 - p)) */
export function binaryCrossEntropyGradient(p, t, dp, share, tiny) {
  for (let i = 0; i < dp.length; i++) dp[i] = (share * (p[i] - t[i])) / Math.max(p[i] * (1 - p[i]), tiny);
}

/** Binary cross-entropy of sigmoid(z), exact for any z; p gets sigmoid(z). */
export function sigmoidCrossEntropy(z, t, p, share) {
  let sum = 0;
  for (let i = 0; i < z.length; i++) {
    sum += Math.max(z[i], 0) - z[i] * t[i] + Math.log1p(Math.exp(-Math.abs(z[i])));
    p[i] = 1 / (1 + Math.exp(-z[i]));
  }
  return sum * share;
}

/** (p - t)² */
export function squaredError(p, t, share) {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += (p[i] - t[i]) ** 2;
  return sum * share;
}

/** |p - t| */
export function absoluteError(p, t, share) {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += Math.abs(p[i] - t[i]);
  return sum * share;
}

/** The sign of p - t. */
export function absoluteErrorGradient(p, t, dp, share) {
  for (let i = 0; i < dp.length; i++) dp[i] = share * Math.sign(p[i] - t[i]);
}

/** d² / 2 up to delta and delta · (d - delta / 2) above, d = |p - t|. */
export function huber(p, t, share, delta) {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const d = Math.abs(p[i] - t[i]);
    sum += d < delta ? (d * d) / 2 : delta * (d - delta / 2);
  }
  return sum * share;
}

/** p - t, no larger than delta. */
export function huberGradient(p, t, dp, share, delta) {
  for (let i = 0; i < dp.length; i++) dp[i] = share * Math.max(-delta, Math.min(delta, p[i] - t[i]));
}

/** max(0, margin + p - p of the right class), the right class left out. */
export function hinge(p, t, c, l, share, margin) {
  let sum = 0;
  for (let j = 0; j < l; j++) {
    let right = 0;
    for (let i = j; i < c * l; i += l) right += p[i] * t[i];
    for (let i = j; i < c * l; i += l) sum += Math.max(0, margin + p[i] - right) * (1 - t[i]);
  }
  return sum * share;
}

/** 1 for each class that is too near, minus their count for the right one. */
export function hingeGradient(p, t, dp, c, l, share, margin) {
  for (let j = 0; j < l; j++) {
    let right = 0, near = 0;
    for (let i = j; i < c * l; i += l) right += p[i] * t[i];
    for (let i = j; i < c * l; i += l) near += dp[i] = (margin + p[i] - right) * (1 - t[i]) > 0 ? 1 - t[i] : 0;
    for (let i = j; i < c * l; i += l) dp[i] = share * (dp[i] - t[i] * near);
  }
}

/** How many pixels have their largest output, of equal ones the first, where their target has. */
export function countCorrect(p, t, c, l) {
  let correct = 0;
  for (let j = 0; j < l; j++) {
    let said = j, wanted = j;
    for (let i = j + l; i < c * l; i += l) {
      if (p[i] > p[said]) said = i;
      if (t[i] > t[wanted]) wanted = i;
    }
    correct += said === wanted ? 1 : 0;
  }
  return correct;
}

/** How many outputs are on their target's side of 0.5. */
export function countByThreshold(p, t) {
  let correct = 0;
  for (let i = 0; i < p.length; i++) correct += p[i] > 0.5 === t[i] > 0.5 ? 1 : 0;
  return correct;
}
