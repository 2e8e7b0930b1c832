// Pooling: what is made of the pixels of each window. Images lie as x[c][h][w][n].

/** Calls visit(to, taps, count) for each window: its output is the run of n numbers at `to`, its pixels the runs at
 * taps[0] ... taps[count - 1], in reading order; what lies outside of the image is left out. */
export function eachWindow({ from: [c, h, w], to: [, rows, columns], kernel, stride = [1, 1], pad = [0, 0], dilate = [1, 1] }, n, visit) {
  const taps = new Int32Array(kernel[0] * kernel[1]);
  for (let i = 0, to = 0; i < c; i++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++, to += n) {
        let count = 0;
        for (let u = 0; u < kernel[0]; u++) {
          const y = r * stride[0] + u * dilate[0] - pad[0];
          if (y < 0 || y >= h) continue;
          for (let v = 0; v < kernel[1]; v++) {
            const z = q * stride[1] + v * dilate[1] - pad[1];
            if (z >= 0 && z < w) taps[count++] = ((i * h + y) * w + z) * n;
          }
        }
        visit(to, taps, count);
      }
}

/** The largest number of each window. */
export function maxpool(x, y, n, window) {
  eachWindow(window, n, (to, taps, count) => {
    for (let e = 0; e < n; e++) y[to + e] = x[taps[0] + e];
    for (let k = 1; k < count; k++)
      for (let e = 0, at = taps[k]; e < n; e++) if (x[at + e] > y[to + e]) y[to + e] = x[at + e];
  });
}

/** dy goes to the maximum of each window, of equal ones to the first. */
export function maxpoolGradient(dy, x, y, dx, n, window) {
  dx.fill(0);
  eachWindow(window, n, (to, taps, count) => {
    for (let e = 0; e < n; e++) {
      let k = 0;
      while (k < count && x[taps[k] + e] !== y[to + e]) k++;
      if (k < count) dx[taps[k] + e] += dy[to + e];
    }
  });
}

/** The largest of each 2x2 window, side by side: x[c][h][w][n] -> y[c][h/2][w/2][n]. Places are chosen by arithmetic:
 * a branch that nobody can foresee costs four times as much. */
export function maxpool2(room, x, y, n, { from: [, h, w], to: [c, rows, columns] }) {
  const runs = runsOf(room, n), line = 4 * w * n;
  if (runs) {
    for (let i = 0, to = y.byteOffset; i < c; i++)
      for (let r = 0, at = x.byteOffset + i * h * line; r < rows; r++, at += 2 * line, to += 4 * columns * n) runs.largest(at, at + line, to, n, columns);
    return;
  }
  for (let i = 0, o = 0; i < c; i++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (let a = ((i * h + 2 * r) * w + 2 * q) * n, b = a + w * n, end = a + n; a < end; a++, b++, o++) {
          const top = a + (n & -(x[a + n] > x[a])), bottom = b + (n & -(x[b + n] > x[b]));
          y[o] = x[top + ((bottom - top) & -(x[bottom] > x[top]))];
        }
}

/** Its gradient. */
export function maxpool2Gradient(room, dy, x, y, dx, n, { from: [, h, w], to: [c, rows, columns] }) {
  const runs = runsOf(room, n), line = 4 * w * n;
  if (h > 2 * rows || w > 2 * columns) dx.fill(0);
  if (runs) {
    for (let i = 0, from = 0; i < c; i++)
      for (let r = 0, at = i * h * line; r < rows; r++, at += 2 * line, from += 4 * columns * n)
        runs.share(dy.byteOffset + from, y.byteOffset + from, x.byteOffset + at, x.byteOffset + at + line, dx.byteOffset + at, dx.byteOffset + at + line, n, columns);
    return;
  }
  for (let i = 0, o = 0; i < c; i++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (let a = ((i * h + 2 * r) * w + 2 * q) * n, b = a + w * n, end = a + n; a < end; a++, b++, o++) {
          const g = dy[o], most = y[o];
          const first = (x[a] === most) | 0, second = (x[a + n] === most) & ~first, third = (x[b] === most) & ~(first | second);
          dx[a] = g * first;
          dx[a + n] = g * second;
          dx[b] = g * third;
          dx[b + n] = g * (1 ^ (first | second | third));
        }
}

/** The mean of each window; padding counts as zeros where `padded`. */
export function avgpool(x, y, n, window, padded) {
  const size = window.kernel[0] * window.kernel[1];
  eachWindow(window, n, (to, taps, count) => {
    const share = 1 / (padded ? size : count);
    for (let e = 0; e < n; e++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += x[taps[k] + e];
      y[to + e] = sum * share;
    }
  });
}

/** Each pixel gets its share of the gradients of its windows. */
export function avgpoolGradient(dy, dx, n, window, padded) {
  const size = window.kernel[0] * window.kernel[1];
  dx.fill(0);
  eachWindow(window, n, (to, taps, count) => {
    const share = 1 / (padded ? size : count);
    for (let k = 0; k < count; k++)
      for (let e = 0, at = taps[k]; e < n; e++) dx[at + e] += dy[to + e] * share;
  });
}

/** The mean over the pixels of each channel of each image: x[c][pixels][n] -> y[c][n]. */
export function pixelMeans(x, y, c, pixels, n) {
  pixelSums(x, y, c, pixels, n);
  for (let i = 0; i < c * n; i++) y[i] /= pixels;
}

/** The sum over the pixels of each channel of each image. */
export function pixelSums(x, y, c, pixels, n) {
  const sums = new Float64Array(n);
  for (let i = 0, at = 0; i < c; i++) {
    sums.fill(0);
    for (let q = 0; q < pixels; q++) for (let e = 0; e < n; e++, at++) sums[e] += x[at];
    for (let e = 0; e < n; e++) y[i * n + e] = sums[e];
  }
}

/** The gradient of a mean over the pixels: each gets its share of dy[c][n]. */
export function pixelMeansGradient(dy, dx, c, pixels, n) {
  for (let i = 0, at = 0; i < c; i++)
    for (let q = 0; q < pixels; q++) for (let e = 0; e < n; e++, at++) dx[at] = dy[i * n + e] / pixels;
}
