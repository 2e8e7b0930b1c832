// Pictures and drawings of one's own, brought to the network's size as `predict --fit` does (data/fitted.py).

const BOX = 20 / 28; // the longer side of a digit, of the image's side
const LUMA = [299, 587, 114]; // thousandths of red, green and blue
const INK = 0.2; // of the darkest stroke: what is fainter is paper
const CONTRAST = 8; // grey levels from the paper to the darkest stroke: below it nothing is drawn

// How much of each of `count` pixels is in each of `wanted`, a triangle as wide as one of them: the first pixel that
// has a share, and the shares from there on.
function sharesOf(count, wanted) {
  const ratio = count / wanted, shares = [];
  for (let k = 0; k < wanted; k++) {
    const centre = (k + 0.5) * ratio - 0.5, wide = Math.max(ratio, 1), row = [];
    const first = Math.max(0, Math.floor(centre - wide)), end = Math.min(count, Math.ceil(centre + wide) + 1);
    for (let i = first; i < end; i++) row.push(Math.max(0, 1 - Math.abs(i - centre) / wide));
    const sum = row.reduce((a, b) => a + b, 0);
    shares.push([first, row.map((share) => share / sum)]);
  }
  return shares;
}

// Rows of numbers made `height` by `width`.
function resampled(rows, height, width) {
  const down = sharesOf(rows.length, height), across = sharesOf(rows[0].length, width);
  const weighed = ([first, shares], at) => shares.reduce((sum, share, i) => sum + share * at(first + i), 0);
  const tall = down.map((share) => rows[0].map((_, j) => weighed(share, (i) => rows[i][j])));
  return tall.map((row) => across.map((share) => weighed(share, (j) => row[j])));
}

// Half to even, as NumPy rounds.
function rounded(value) {
  const near = Math.round(value);
  return Math.abs(value % 1) === 0.5 && near % 2 ? near - 1 : near;
}

// A drawing, rows of bytes, as a digit of MNIST, rows of bytes; null where nothing is drawn.
function asDigit(drawing, size) {
  const last = (row) => row[row.length - 1];
  const border = [...drawing[0], ...last(drawing), ...drawing.map((row) => row[0]), ...drawing.map(last)].sort((a, b) => a - b);
  const half = border.length / 2;
  const paper = border.length % 2 ? border[Math.floor(half)] : (border[half - 1] + border[half]) / 2;
  const numbers = drawing.flat(), mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  let ink = drawing.map((row) => Array.from(row, (value) => Math.max(paper < mean ? value - paper : paper - value, 0)));
  const most = largestOf(ink.flat());
  if (most < CONTRAST) return null;
  ink = ink.map((row) => row.map((value) => (value / most < INK ? 0 : value / most)));
  const rows = ink.flatMap((row, i) => (row.some(Boolean) ? [i] : []));
  const columns = ink[0].flatMap((_, j) => (ink.some((row) => row[j]) ? [j] : []));
  let drawn = ink.slice(rows[0], last(rows) + 1).map((row) => row.slice(columns[0], last(columns) + 1));
  const box = Math.max(1, rounded(size * BOX)), scale = box / Math.max(drawn.length, drawn[0].length);
  drawn = resampled(drawn, ...[drawn.length, drawn[0].length].map((side) => Math.min(box, Math.max(1, rounded(side * scale)))));
  const darkest = largestOf(drawn.flat());
  drawn = drawn.map((row) => row.map((value) => Math.min(Math.max(value / darkest, 0), 1)));
  const masses = [drawn.map((row) => row.reduce((a, b) => a + b, 0)), drawn[0].map((_, j) => drawn.reduce((sum, row) => sum + row[j], 0))];
  const [top, left] = masses.map((mass) => {
    const centre = mass.reduce((sum, value, k) => sum + value * k, 0) / mass.reduce((a, b) => a + b, 0);
    return Math.min(Math.max(0, rounded(size / 2 - centre)), size - mass.length);
  });
  const made = Array.from({ length: size }, () => new Array(size).fill(0));
  drawn.forEach((row, i) => row.forEach((value, j) => (made[top + i][left + j] = rounded(255 * value))));
  return made;
}

// One channel cut around the middle to the proportions of `height` by `width`, and scaled to them.
function covered(rows, height, width) {
  const part = Math.min(rows.length / height, rows[0].length / width);
  const tall = Math.max(1, rounded(part * height)), wide = Math.max(1, rounded(part * width));
  const top = Math.floor((rows.length - tall) / 2), left = Math.floor((rows[0].length - wide) / 2);
  const cut = rows.slice(top, top + tall).map((row) => Array.from(row.slice(left, left + wide)));
  return resampled(cut, height, width).map((row) => row.map((value) => rounded(Math.min(Math.max(value, 0), 255))));
}

// The channels of what a canvas shows, rows of bytes, laid on white; `grey` as the one of how bright it is.
function planesOf({ data, width, height }, grey) {
  const planes = Array.from({ length: grey ? 1 : 3 }, () => Array.from({ length: height }, () => new Array(width)));
  const onWhite = (byte, opaque) => (opaque === 255 ? byte : rounded((byte * opaque) / 255 + 255 * (1 - opaque / 255)));
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++, at += 4) {
      const red = onWhite(data[at], data[at + 3]), green = onWhite(data[at + 1], data[at + 3]), blue = onWhite(data[at + 2], data[at + 3]);
      if (grey) planes[0][i][j] = Math.floor((LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue) / 1000);
      else [planes[0][i][j], planes[1][i][j], planes[2][i][j]] = [red, green, blue];
    }
  }
  return planes;
}

// What a canvas shows as bytes [c, h, w] of the network's size; null where nothing is drawn.
function fittedTo(image, { digits, shape: [channels, height, width] }) {
  const planes = planesOf(image, digits || channels === 1);
  if (digits) {
    const made = asDigit(planes[0], height);
    return made && Uint8Array.from(made.flat());
  }
  return Uint8Array.from(planes.flatMap((plane) => covered(plane, height, width).flat()));
}
