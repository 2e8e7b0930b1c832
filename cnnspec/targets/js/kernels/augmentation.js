// Small changes to a training image, in place: it lies at x[at] as [c][h][w].

/** Mirrors every other image, on average, left to right. */
export function flip(x, at, [c, h, w], random) {
  if (!(random() < 0.5)) return;
  for (let row = at; row < at + c * h * w; row += w) x.subarray(row, row + w).reverse();
}

/** Moves the image by up to `reach` [rows, columns] either way; into the gap come zeros, or where `repeats` the pixels
 * of its edges. */
export function move(x, at, [c, h, w], random, reach, repeats) {
  const [down, right] = reach.map((way) => Math.floor(random() * (2 * way + 1)) - way);
  const before = x.slice(at, at + c * h * w);
  const inside = (i, size) => (repeats ? Math.min(Math.max(i, 0), size - 1) : i);
  for (let i = 0, to = at; i < c; i++)
    for (let r = 0; r < h; r++) {
      const y = inside(r + down, h);
      for (let q = 0; q < w; q++, to++) {
        const z = inside(q + right, w);
        x[to] = y < 0 || y >= h || z < 0 || z >= w ? 0 : before[(i * h + y) * w + z];
      }
    }
}
