// Functions of a number that JavaScript has not.

/** The nearest whole number; of two the even one, as in Python. */
export function roundHalfEven(x) {
  const down = Math.floor(x), over = x - down;
  return over < 0.5 || (over === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** log(1 + exp(x)) */
export function log1pExp(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** 1 / (1 + exp(-x)) */
export function logistic(x) {
  return 1 / (1 + Math.exp(-x));
}

/** The error function. */
export function erf(x) {
  const tail = Math.abs(x) > 27 ? 0 : 2 * upperTail(Math.SQRT2 * Math.abs(x));
  return x > 0 ? 1 - tail : tail - 1;
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
