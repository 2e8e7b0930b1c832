// Several values become one, number by number.

/** y = a + b */
export function add(a, b, y) {
  for (let i = 0; i < y.length; i++) y[i] = a[i] + b[i];
}

/** y = factor · x */
export function scale(x, factor, y) {
  for (let i = 0; i < y.length; i++) y[i] = factor * x[i];
}

/** y = the larger of a and b */
export function larger(a, b, y) {
  for (let i = 0; i < y.length; i++) y[i] = b[i] > a[i] ? b[i] : a[i];
}

/** dx = dy where x is the largest, y, and none of the earlier branches is. */
export function largestGradient(dy, y, x, earlier, dx) {
  for (let i = 0; i < dx.length; i++) dx[i] = x[i] === y[i] ? dy[i] : 0;
  for (const other of earlier) for (let i = 0; i < dx.length; i++) if (other[i] === y[i]) dx[i] = 0;
}

/** y = a · b */
export function multiply(a, b, y) {
  for (let i = 0; i < y.length; i++) y[i] = a[i] * b[i];
}

/** y = a · b with one number of b for each channel of each image: a[c][pixels][n], b[c][n]. */
export function multiplyGate(a, b, y, c, pixels, n) {
  for (let i = 0, at = 0; i < c; i++)
    for (let q = 0; q < pixels; q++) for (let e = 0; e < n; e++, at++) y[at] = a[at] * b[i * n + e];
}

/** y = x · mask with one number of the mask for each image: x[...][n], mask[n]. */
export function multiplyImages(x, mask, y, n) {
  for (let at = 0; at < y.length; ) for (let e = 0; e < n; e++, at++) y[at] = x[at] * mask[e];
}

/** A mask of 0, with probability `rate`, and 1 / (1 - rate). */
export function randomMask(random, rate, mask) {
  const kept = 1 / (1 - rate);
  for (let i = 0; i < mask.length; i++) mask[i] = random() < rate ? 0 : kept;
}

/** min(x, 0) */
export function negativePart(x, y) {
  for (let i = 0; i < y.length; i++) y[i] = x[i] < 0 ? x[i] : 0;
}


/** y = a · b with one number of b for each pixel of each image: a[c][l], b[l]. */
export function multiplyMap(a, b, y, c, l) {
  for (let i = 0, at = 0; i < c; i++) for (let j = 0; j < l; j++, at++) y[at] = a[at] * b[j];
}
