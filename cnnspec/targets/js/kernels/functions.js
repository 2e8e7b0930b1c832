// Functions of a number that JavaScript has not.

/** log(1 + exp(x)) */
export function log1pExp(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The slope of x · tanh(log1pExp(x)). */
export function mishSlope(x) {
  const gate = Math.tanh(log1pExp(x));
  return gate + (x * (1 - gate * gate)) / (1 + Math.exp(-x));
}

/** The normal distribution, (1 + erf(x / sqrt 2)) / 2. */
export function normal(x) {
  const tail = Math.abs(x) > 38 ? 0 : upperTail(Math.abs(x));
  return x > 0 ? 1 - tail : tail;
}

/** The probability of more than x, for x >= 0: up to 3 by the series of erf, all of whose terms are positive, and above
 * by the continued fraction of Mills' ratio, phi(x) / (x + 1 / (x + 2 / (x + 3 / ...))). */
export function upperTail(x) {
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let term = x, sum = x;
    for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= (x * x) / k;
    return 0.5 - density * sum;
  }
  let below = x;
  for (let k = 60; k > 0; k--) below = x + k / below;
  return density / below;
}

/** tanh(sqrt(2 / pi) · (x + 0.044715 x³)) */
export function bent(x) {
  return Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
}

/** The slope of x / 2 · (1 + bent(x)). */
export function geluTanhSlope(x) {
  const t = bent(x);
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
}
