// Convolutions and their gradients, by im2col. Images lie as x[c][h][w][n], the n images of a batch innermost, so a
// row of a feature map is one run of w·n numbers and a window that moves is a copy of runs.

/** The most numbers of columns that are made at a time, unless one row has more. */
export const COLUMNS = 1 << 17;

/** How a window slides over an image `from` [c, h, w] and makes `to` [f, h, w]; pad: zeros above and at the left. */
export function sliding({ from, to, kernel, stride = [1, 1], pad = [0, 0], dilate = [1, 1], groups = 1 }, n) {
  const [c, h, w] = from, [f, rows, columns] = to, run = columns * n;
  const depth = (c / groups) * kernel[0] * kernel[1];
  const block = Math.max(1, Math.min(rows, Math.floor(COLUMNS / (depth * run))));
  const plain = kernel[0] * kernel[1] * stride[0] * stride[1] === 1 && pad[0] + pad[1] === 0 && rows === h && columns === w;
  return { c, h, w, f, rows, columns, kernel, stride, pad, dilate, groups, run, depth, block, plain, n };
}

/** What column v of a kernel sees along a row of windows: `count` pixels, `step` apart, from pixel `from` of the
 * image's row on; the first of them belongs to window `at`. */
export function seen(s, v) {
  const step = s.stride[1], first = v * s.dilate[1] - s.pad[1]; // the pixel of the first window
  const low = first < 0 ? Math.ceil(-first / step) : 0;
  const high = Math.min(s.columns, Math.floor((s.w - 1 - first) / step) + 1);
  return { at: low, from: first + low * step, count: Math.max(0, high - low), step };
}

/** The patches of some output rows as a matrix: out[(c,u,v)][row·column·n], zeros where a window looks outside. */
export function columns(x, channel, channels, row, rows, s, out) {
  const { n, run, kernel, stride, pad, dilate, h, w } = s, taps = [];
  for (let v = 0; v < kernel[1]; v++) taps.push(seen(s, v));
  let to = 0;
  for (let c = channel; c < channel + channels; c++)
    for (let u = 0; u < kernel[0]; u++)
      for (let v = 0; v < kernel[1]; v++) {
        const { at, from, count, step } = taps[v];
        for (let r = row; r < row + rows; r++, to += run) {
          const y = r * stride[0] + u * dilate[0] - pad[0];
          if (y < 0 || y >= h || !count) { out.fill(0, to, to + run); continue; }
          const source = ((c * h + y) * w + from) * n, target = to + at * n, length = count * n;
          if (at) out.fill(0, to, target);
          if (step > 1) {
            for (let j = 0, o = target; j < count; j++)
              for (let i = source + j * step * n, end = i + n; i < end; i++, o++) out[o] = x[i];
          } else if (length < 64) for (let i = 0; i < length; i++) out[target + i] = x[source + i];
          else out.set(x.subarray(source, source + length), target);
          if (target + length < to + run) out.fill(0, target + length, to + run);
        }
      }
}

/** y[f][h][w][n] = x convolved with weight[f][c / groups][u][v]. */
export function convolve(room, x, weight, y, n, window) {
  const s = sliding(window, n), c = s.c / s.groups, f = s.f / s.groups, size = s.rows * s.run;
  for (let g = 0; g < s.groups; g++) {
    const filters = g * f * s.depth;
    if (s.plain) {
      room.product(weight, filters, s.depth, 1, x, g * c * size, size, y, g * f * size, size, f, c, size);
      continue;
    }
    for (let row = 0; row < s.rows; row += s.block) {
      const rows = Math.min(s.block, s.rows - row), length = rows * s.run;
      columns(x, g * c, c, row, rows, s, room.scratch);
      const to = g * f * size + row * s.run;
      room.product(weight, filters, s.depth, 1, room.scratch, 0, length, y, to, size, f, s.depth, length);
    }
  }
}

/** dweight[f][c / groups][u][v]: for each tap, what it saw times the gradient dy of what it made. */
export function convolveFilterGradient(room, x, dy, dweight, n, window) {
  const s = sliding(window, n), c = s.c / s.groups, f = s.f / s.groups, size = s.rows * s.run;
  dweight.fill(0);
  for (let g = 0; g < s.groups; g++) {
    const filters = g * f * s.depth;
    if (s.plain) {
      room.dots(dy, g * f * size, size, x, g * c * size, size, dweight, filters, s.depth, f, s.depth, size);
      continue;
    }
    for (let row = 0; row < s.rows; row += s.block) {
      const rows = Math.min(s.block, s.rows - row), length = rows * s.run;
      columns(x, g * c, c, row, rows, s, room.scratch);
      const from = g * f * size + row * s.run;
      room.dots(dy, from, size, room.scratch, 0, length, dweight, filters, s.depth, f, s.depth, length);
    }
  }
}

/** dx[c][h][w][n]: each gradient dy goes to the pixels that its window saw; also the transposed convolution. Where
 * windows move by one pixel it is a convolution of dy with the kernels flipped (turned by half a turn). */
export function convolveInputGradient(room, dy, weight, dx, n, window) {
  const s = sliding(window, n), c = s.c / s.groups, f = s.f / s.groups, size = s.rows * s.run;
  if (s.stride[0] * s.stride[1] === 1 && !s.plain) {
    const flipped = room.scratch.subarray(room.scratch.length - weight.length);
    flipKernels(weight, flipped, c, f, s);
    const pad = s.dilate.map((d, k) => d * (s.kernel[k] - 1) - s.pad[k]);
    convolve(room, dy, flipped, dx, n, { ...window, from: window.to, to: window.from, pad });
    return;
  }
  if (!s.plain) dx.fill(0);
  for (let g = 0; g < s.groups; g++) {
    const filters = g * f * s.depth;
    if (s.plain) {
      room.product(weight, filters, 1, s.depth, dy, g * f * size, size, dx, g * c * size, size, s.depth, f, size);
      continue;
    }
    for (let row = 0; row < s.rows; row += s.block) {
      const rows = Math.min(s.block, s.rows - row), length = rows * s.run, from = g * f * size + row * s.run;
      room.product(weight, filters, 1, s.depth, dy, from, size, room.scratch, 0, length, s.depth, f, length);
      addColumns(room.scratch, g * c, c, row, rows, s, dx);
    }
  }
}

/** Kernels [groups · f][c][u][v] flipped (turned by half a turn), as [groups · c][f][u][v]. */
export function flipKernels(weight, flipped, c, f, { groups, kernel: [kh, kw] }) {
  const taps = kh * kw;
  for (let g = 0; g < groups; g++)
    for (let j = 0; j < f; j++)
      for (let i = 0; i < c; i++) {
        const from = ((g * f + j) * c + i) * taps, to = ((g * c + i) * f + j) * taps;
        for (let t = 0; t < taps; t++) flipped[to + t] = weight[from + taps - 1 - t];
      }
}

/** The way back of `columns`: adds each number of the matrix to the pixel that it came from. */
export function addColumns(matrix, channel, channels, row, rows, s, dx) {
  const { n, run, kernel, stride, pad, dilate, h, w } = s, taps = [];
  for (let v = 0; v < kernel[1]; v++) taps.push(seen(s, v));
  let at = 0;
  for (let c = channel; c < channel + channels; c++)
    for (let u = 0; u < kernel[0]; u++)
      for (let v = 0; v < kernel[1]; v++) {
        const tap = taps[v];
        for (let r = row; r < row + rows; r++, at += run) {
          const y = r * stride[0] + u * dilate[0] - pad[0];
          if (y < 0 || y >= h) continue;
          let to = ((c * h + y) * w + tap.from) * n, from = at + tap.at * n;
          if (tap.step === 1) for (const end = from + tap.count * n; from < end; from++, to++) dx[to] += matrix[from];
          else
            for (let j = 0; j < tap.count; j++, to += (tap.step - 1) * n)
              for (const end = from + n; from < end; from++, to++) dx[to] += matrix[from];
        }
      }
}

/** Each channel filtered by a kernel of its own: y[c] from x[c] and weight[c][1][u][v]. */
export function depthwise(x, weight, y, n, window) {
  const s = sliding(window, n);
  y.fill(0);
  eachTap(s, (k, to, from, count, skip, run) => {
    const t = weight[k];
    for (let j = 0; j < count; j++, from += skip)
      for (const end = to + run; to < end; to++, from++) y[to] += t * x[from];
  });
}

/** dx of `depthwise`. */
export function depthwiseInputGradient(dy, weight, dx, n, window) {
  dx.fill(0);
  eachTap(sliding(window, n), (k, to, from, count, skip, run) => {
    const t = weight[k];
    for (let j = 0; j < count; j++, from += skip)
      for (const end = to + run; to < end; to++, from++) dx[from] += t * dy[to];
  });
}

/** dweight of `depthwise`. */
export function depthwiseFilterGradient(x, dy, dweight, n, window) {
  dweight.fill(0);
  eachTap(sliding(window, n), (k, to, from, count, skip, run) => {
    let sum = 0;
    for (let j = 0; j < count; j++, from += skip)
      for (const end = to + run; to < end; to++, from++) sum += dy[to] * x[from];
    dweight[k] += sum;
  });
}

/** Calls visit(k, to, from, count, skip, run) for tap k of each channel on each row of windows: outputs begin at
 * y[to], what they see at x[from], in `count` runs of `run` numbers, with `skip` numbers of x between two runs. */
export function eachTap(s, visit) {
  const { n, kernel, stride, pad, dilate, h, w } = s;
  for (let c = 0, k = 0; c < s.c; c++)
    for (let u = 0; u < kernel[0]; u++)
      for (let v = 0; v < kernel[1]; v++, k++) {
        const tap = seen(s, v);
        if (!tap.count) continue;
        for (let r = 0; r < s.rows; r++) {
          const y = r * stride[0] + u * dilate[0] - pad[0];
          if (y < 0 || y >= h) continue;
          const from = ((c * h + y) * w + tap.from) * n, to = (c * s.rows + r) * s.run + tap.at * n;
          if (tap.step === 1) visit(k, to, from, 1, 0, tap.count * n);
          else visit(k, to, from, tap.count, (tap.step - 1) * n, n);
        }
      }
}
