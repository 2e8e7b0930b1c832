// Small changes to training images. Each function draws what happens to one image and gives a function that does it, in
// place, to an image of shape [c, h, w] at x[at]; those that move pixels do it to an answer that is an image, too, where
// `nearest` says that it is of classes.

/** Mirrors the image, or not: left to right, top to bottom, or either by a chance of its own. */
export function flipping(random, direction) {
  const first = random() < 0.5, second = direction === 'both' ? random() < 0.5 : first;
  const sideways = first && direction !== 'vertical', over = second && direction !== 'horizontal';
  const mirrored = (i, size) => size - 1 - i, same = (i) => i;
  return moved(over ? mirrored : same, sideways ? mirrored : same);
}

/** Moves the image by up to `reach` [rows, columns] either way; into the gap come zeros, or where `repeats` the pixels
 * of its edges. */
export function shifting(random, reach, repeats) {
  const [down, right] = reach.map((way) => (way ? Math.floor(random() * (2 * way + 1)) - way : 0));
  const inside = (i, size) => (repeats ? Math.min(Math.max(i, 0), size - 1) : i);
  return moved((i, size) => inside(i + down, size), (j, size) => inside(j + right, size));
}

/** A change that takes each pixel from another row, `row(i, h)`, and column; outside of the image are zeros. */
export function moved(row, column) {
  return (x, at, [c, h, w]) => {
    const before = x.slice(at, at + c * h * w), columns = Int32Array.from({ length: w }, (_, j) => column(j, w));
    for (let k = 0, to = at; k < c; k++)
      for (let i = 0; i < h; i++) {
        const y = row(i, h), from = (k * h + y) * w, there = y >= 0 && y < h;
        for (let j = 0; j < w; j++, to++) {
          const z = columns[j];
          x[to] = there && z >= 0 && z < w ? before[from + z] : 0;
        }
      }
  };
}

/** Turns the image about its middle, by up to so many degrees to either side. */
export function turning(random, degrees) {
  const angle = ((2 * random() - 1) * degrees * Math.PI) / 180, sine = Math.sin(angle), cosine = Math.cos(angle);
  return warped((h, w) => aboutTheMiddle(cosine, sine, -sine, cosine, h, w));
}

/** Makes the image larger or smaller about its middle, by a factor from 1 - amount to 1 + amount. */
export function zooming(random, amount) {
  const factor = 1 + (2 * random() - 1) * amount;
  return warped((h, w) => aboutTheMiddle(1 / factor, 0, 0, 1 / factor, h, w));
}

/** Brings a part of the image to the image's size: its area is at least `least` of it, its sides in a ratio of at most
 * `ratio`; a part that does not fit is cut to the image. */
export function resizing(random, least, ratio) {
  const area = least + random() * (1 - least), bend = Math.exp(((2 * random() - 1) * Math.log(ratio)) / 2);
  const down = Math.min(Math.sqrt(area) / bend, 1), across = Math.min(Math.sqrt(area) * bend, 1);
  const top = random() * (1 - down), left = random() * (1 - across);
  return warped((h, w) => [[down, 0, top * h + (down - 1) / 2], [0, across, left * w + (across - 1) / 2]]); // the middles of pixels are half a pixel in
}

/** The map (a b; c d) that leaves the middle of the image where it is. */
export function aboutTheMiddle(a, b, c, d, h, w) {
  const row = (h - 1) / 2, column = (w - 1) / 2;
  return [[a, b, row - a * row - b * column], [c, d, column - c * row - d * column]];
}

/** A change that looks at the image through a map from a place of the result to one of the image; what lies between
 * pixels is blended, and beyond the edge the edge is repeated. */
export function warped(map) {
  return (x, at, [c, h, w], nearest = false) => {
    const before = x.slice(at, at + c * h * w), [rows, columns] = map(h, w);
    for (let i = 0, to = at; i < h; i++)
      for (let j = 0; j < w; j++, to++) {
        const y = Math.min(Math.max(rows[0] * i + rows[1] * j + rows[2], 0), h - 1);
        const z = Math.min(Math.max(columns[0] * i + columns[1] * j + columns[2], 0), w - 1);
        const top = nearest ? roundHalfEven(y) : Math.floor(y), left = nearest ? roundHalfEven(z) : Math.floor(z);
        const down = nearest ? 0 : y - top, over = nearest ? 0 : z - left;
        const below = Math.min(top + 1, h - 1) * w, right = Math.min(left + 1, w - 1);
        for (let k = 0; k < c; k++) {
          const of = (row, column) => before[k * h * w + row + column];
          const upper = of(top * w, left) * (1 - over) + of(top * w, right) * over;
          const lower = of(below, left) * (1 - over) + of(below, right) * over;
          put(x, to + k * h * w, upper * (1 - down) + lower * down);
        }
      }
  };
}

/** A number into an image: bytes are rounded and stay within their bounds. */
export function put(x, at, value) {
  const bytes = x instanceof Uint8Array || x instanceof Uint8ClampedArray;
  x[at] = bytes ? roundHalfEven(Math.min(Math.max(value, 0), 255)) : value;
}

/** Multiplies the image by a factor from 1 - amount to 1 + amount. */
export function brightening(random, amount) {
  const factor = 1 + (2 * random() - 1) * amount;
  return (x, at, shape) => {
    for (let i = at; i < at + sizeOf(shape); i++) put(x, i, x[i] * factor);
  };
}

/** Brings the pixels of the image nearer to their mean or further from it. */
export function contrasting(random, amount) {
  const factor = 1 + (2 * random() - 1) * amount;
  return (x, at, shape) => {
    const size = sizeOf(shape);
    let mean = 0;
    for (let i = at; i < at + size; i++) mean += x[i] / size;
    for (let i = at; i < at + size; i++) put(x, i, mean + (x[i] - mean) * factor);
  };
}

/** Brings the colours of the image nearer to grey or further from it (luma of ITU-R BT.601). */
export function saturating(random, amount) {
  const factor = 1 + (2 * random() - 1) * amount;
  return (x, at, [, h, w]) => {
    for (let i = at, s = h * w; i < at + s; i++) {
      const grey = 0.299 * x[i] + 0.587 * x[i + s] + 0.114 * x[i + 2 * s];
      for (const k of [i, i + s, i + 2 * s]) put(x, k, grey + (x[k] - grey) * factor);
    }
  };
}

/** Adds to each number one of a normal distribution (Box and Muller), whose deviation is a share of the full range. */
export function noising(random, amount) {
  return (x, at, shape) => {
    const deviation = amount * (x instanceof Uint8Array || x instanceof Uint8ClampedArray ? 255 : 1);
    for (let i = at; i < at + sizeOf(shape); i++) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      put(x, i, x[i] + normal * deviation);
    }
  };
}

/** Puts zeros into a box [rows, columns] of the image, whose middle lies anywhere in it. */
export function hiding(random, box) {
  const places = box.map((length) => (length ? random() : 0));
  return (x, at, [c, h, w]) => {
    const [top, left] = [h, w].map((side, k) => Math.floor(places[k] * side) - Math.floor(box[k] / 2));
    for (let k = 0; k < c; k++)
      for (let i = Math.max(0, top); i < Math.min(h, top + Math.max(1, box[0])); i++)
        for (let j = Math.max(0, left); j < Math.min(w, left + box[1]); j++) x[at + (k * h + i) * w + j] = 0;
  };
}

/** Mixes the image with another one, `share` of it and the rest of the other; the share, which is given back, comes of
 * a beta distribution. */
export function mixing(random, alpha) {
  const share = beta(random, alpha);
  return (x, at, shape, other) => {
    for (let i = 0; i < sizeOf(shape); i++) put(x, at + i, x[at + i] * share + other[i] * (1 - share));
    return share;
  };
}

/** Puts a box of another image into this one, whose area comes of a beta distribution; gives the share that stays.
 * `sides` are 2 of an image, 1 of a sequence. */
export function patching(random, alpha, sides) {
  const area = 1 - beta(random, alpha), places = [sides > 1 ? random() : 0, random()];
  return (x, at, [c, h, w], other) => {
    const [[top, bottom], [left, right]] = [h, w].map((side, k) => {
      const length = area ** (1 / sides) * side;
      if (sides === 1 && k === 0) return [0, 1];
      return [-0.5, 0.5].map((half) => Math.min(Math.max(roundHalfEven(places[k] * side + half * length), 0), side));
    });
    for (let k = 0; k < c; k++)
      for (let i = top; i < bottom; i++)
        for (let j = left; j < right; j++) x[at + (k * h + i) * w + j] = other[(k * h + i) * w + j];
    return 1 - ((bottom - top) * (right - left)) / (h * w);
  };
}

/** A number from 0 to 1 of the beta distribution with both parameters alpha. */
export function beta(random, alpha) {
  const a = gamma(random, alpha), b = gamma(random, alpha);
  return a + b > 0 ? a / (a + b) : random() < 0.5 ? 0 : 1; // both can be too small for a number
}

/** A number of the gamma distribution (Marsaglia and Tsang 2000). */
export function gamma(random, alpha) {
  if (alpha < 1) return gamma(random, alpha + 1) * (1 - random()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const v = (1 + normal / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) return d * v;
  }
}
