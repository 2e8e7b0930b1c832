// Pictures and drawings of one's own, brought to the network's size as `predict --fit` does (data/fitted.py).

const BOX = 20 / 28; // the longer side of a digit, of the image's side
const LUMA = [299, 587, 114]; // thousandths of red, green and blue
const INK = 0.2; // of the darkest stroke: what is fainter is paper
const CONTRAST = 8; // grey levels from the paper to the darkest stroke: below it nothing is drawn

// How much of each of `count` pixels is in each of `wanted`: a triangle as wide as one of them.
function sharesOf(count, wanted) {
  const ratio = count / wanted, shares = [];
  for (let k = 0; k < wanted; k++) {
    const centre = (k + 0.5) * ratio - 0.5, row = [];
    for (let i = 0; i < count; i++) row.push(Math.max(0, 1 - Math.abs(i - centre) / Math.max(ratio, 1)));
    const sum = row.reduce((a, b) => a + b, 0);
    shares.push(row.map((share) => share / sum));
  }
  return shares;
}

// Rows of numbers made `height` by `width`.
function resampled(rows, height, width) {
  const down = sharesOf(rows.length, height), across = sharesOf(rows[0].length, width);
  const tall = down.map((shares) => rows[0].map((_, j) => shares.reduce((sum, share, i) => sum + share * rows[i][j], 0)));
  return tall.map((row) => across.map((shares) => shares.reduce((sum, share, j) => sum + share * row[j], 0)));
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

// What a canvas shows as bytes [c, h, w] of the network's size; null where nothing is drawn. Laid on white.
function fittedTo(image, { digits, shape: [channels, height, width] }) {
  const planes = [0, 1, 2].map((c) => Array.from({ length: image.height }, (_, i) => Array.from({ length: image.width }, (_, j) => {
    const at = 4 * (i * image.width + j), opaque = image.data[at + 3] / 255;
    return rounded(image.data[at + c] * opaque + 255 * (1 - opaque));
  })));
  const grey = () => planes[0].map((row, i) => row.map((_, j) =>
    Math.floor(planes.reduce((sum, plane, c) => sum + plane[i][j] * LUMA[c], 0) / 1000)));
  if (digits) {
    const made = asDigit(grey(), height);
    return made && Uint8Array.from(made.flat());
  }
  return Uint8Array.from((channels === 1 ? [grey()] : planes).flatMap((plane) => covered(plane, height, width).flat()));
}
