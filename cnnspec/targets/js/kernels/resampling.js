// More or fewer pixels. Images lie as x[c][h][w][n].

/** x[c][h][w][n] in the midst of zeros: y[c + ..][h + ..][w + ..][n]; `before` counts channels, rows and columns. */
export function place(x, y, n, { from: [c, h, w], to: [, rows, columns], before }) {
  y.fill(0);
  for (let i = 0; i < c; i++)
    for (let r = 0; r < h; r++) {
      const to = (((i + before[0]) * rows + r + before[1]) * columns + before[2]) * n;
      for (let j = 0, at = (i * h + r) * w * n; j < w * n; j++) y[to + j] = x[at + j];
    }
}

/** The part of x that y covers; `before` counts channels, rows and columns ahead of it. */
export function take(x, y, n, { from: [, h, w], to: [c, rows, columns], before }) {
  for (let i = 0; i < c; i++)
    for (let r = 0; r < rows; r++) {
      const from = (((i + before[0]) * h + r + before[1]) * w + before[2]) * n;
      for (let j = 0, at = (i * rows + r) * columns * n; j < columns * n; j++) y[at + j] = x[from + j];
    }
}

/** Every pixel a block of `factors` [rows, columns]. */
export function enlarge(x, y, n, { from: [, h, w], to: [c, rows, columns], factors }) {
  for (let i = 0, o = 0; i < c; i++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++) {
        const at = ((i * h + Math.floor(r / factors[0])) * w + Math.floor(q / factors[1])) * n;
        for (let e = 0; e < n; e++, o++) y[o] = x[at + e];
      }
}

/** The sum of each block; from and to as `enlarge` has them. */
export function enlargeGradient(dy, dx, n, { from: [, h, w], to: [c, rows, columns], factors }) {
  dx.fill(0);
  for (let i = 0, o = 0; i < c; i++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++) {
        const at = ((i * h + Math.floor(r / factors[0])) * w + Math.floor(q / factors[1])) * n;
        for (let e = 0; e < n; e++, o++) dx[at + e] += dy[o];
      }
}

/** Rows blended by the matrix `down`, columns by `across`; each row of them is a list of [pixel, share]. */
export function blendPixels(x, y, n, { from: [, h, w], to: [c, rows, columns], down, across }) {
  y.fill(0);
  for (let i = 0; i < c; i++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (const [row, part] of down[r])
          for (const [column, share] of across[q]) {
            const at = ((i * h + row) * w + column) * n, to = ((i * rows + r) * columns + q) * n;
            for (let e = 0; e < n; e++) y[to + e] += part * share * x[at + e];
          }
}


/** Channels become pixels: y[c][h·u + i][w·v + j][n] = x[(c·u + i)·v + j][h][w][n]; `from` is the size of x. */
export function pixelShuffle(x, y, n, how) {
  eachShuffled(how, (many, few) => {
    for (let e = 0; e < n; e++) y[few * n + e] = x[many * n + e];
  });
}

/** Its inverse; `from` is the size of y, which has more channels. */
export function pixelUnshuffle(x, y, n, how) {
  eachShuffled(how, (many, few) => {
    for (let e = 0; e < n; e++) y[many * n + e] = x[few * n + e];
  });
}

/** Where a pixel stands with many channels, [c·u·v, h, w], and with few, [c, h·u, w·v]. */
export function eachShuffled({ from: [channels, h, w], factors: [u, v] }, visit) {
  for (let c = 0, many = 0; c < channels / (u * v); c++)
    for (let i = 0; i < u; i++)
      for (let j = 0; j < v; j++)
        for (let r = 0; r < h; r++)
          for (let q = 0; q < w; q++, many++) visit(many, ((c * h + r) * u + i) * w * v + q * v + j);
}
