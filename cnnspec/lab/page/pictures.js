// Small pictures of numbers as they are now: tiles of maps and filters, curves.

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / (numbers.length || 1);
const percent = (value) => `${(100 * value).toFixed(1)} %`;

// A canvas for numbers of a height and width, its longer side `side` pixels of the screen.
function tile(height, width, side) {
  const canvas = element("canvas", { "aria-hidden": "true", height, width }), unit = side / Math.max(height, width);
  canvas.style.width = `${Math.round(width * unit)}px`;
  canvas.style.height = `${Math.round(height * unit)}px`;
  return canvas;
}

// Pixels [count][size] of numbers, each picture `apart` from the one before, blue below zero and orange above as `signed`
// has them, by the largest of all. (This function is also put into the worker.)
function shadedPixels(numbers, size, count, apart, { zero, below, above }) {
  const pixels = new Uint8ClampedArray(4 * size * count), shown = Math.min(numbers.length, count * apart);
  let largest = 0;
  for (let k = 0; k < shown; k++) largest = Math.max(largest, Math.abs(numbers[k]));
  const scale = largest > 0 ? 1 / largest : 0;
  for (let c = 0, at = 0; c < count; c++)
    for (let k = c * apart; k < c * apart + size; k++, at += 4) {
      const share = numbers[k] * scale, end = share < 0 ? below : above, far = Math.abs(share);
      pixels[at] = zero[0] + (end[0] - zero[0]) * far;
      pixels[at + 1] = zero[1] + (end[1] - zero[1]) * far;
      pixels[at + 2] = zero[2] + (end[2] - zero[2]) * far;
      pixels[at + 3] = 255;
    }
  return pixels;
}

// A curve of values, and behind it in dashes `others` to compare it with.
function curve(title, values, written, others = []) {
  const [width, height, left] = [290, 130, 50];
  const finite = [values, ...others].flat().filter(Number.isFinite), steps = Math.max(values.length, ...others.map(({ length }) => length));
  const [low, high] = extremes(finite.length ? finite : [0]), span = high - low || 1;
  const x = (k) => left + ((width - left - 8) * k) / Math.max(1, steps - 1), y = (v) => height - 8 - ((height - 34) * (v - low)) / span;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  const last = (some) => (some.length ? written(some.at(-1), 3) : "–");
  const compared = others.length ? `, kept runs ${others.map(last).join(", ")}` : "";
  svg.setAttribute("aria-label", `${title}: ${last(values)} now${compared}, from ${written(low, 3)} to ${written(high, 3)}`);
  svg.append(drawn("text", { x: left, y: 12 }, `${title}: ${last(values)}`));
  for (const value of [low, high]) {
    svg.append(drawn("line", { class: "axis", x1: left, x2: width - 8, y1: y(value), y2: y(value) }));
    svg.append(drawn("text", { x: left - 4, y: y(value) + 4, "text-anchor": "end" }, written(value, 3)));
  }
  const placed = (some) => some.flatMap((value, k) => (Number.isFinite(value) ? [`${x(k)},${y(value)}`] : []));
  others.forEach((other, k) => svg.append(drawn("polyline", { class: `kept-${k}`, points: placed(other).join(" ") })));
  const points = placed(values);
  svg.append(drawn("polyline", { points: points.join(" ") }));
  if (points.length <= FEW) for (const [cx, cy] of points.map((point) => point.split(","))) svg.append(drawn("circle", { class: "dot", cx, cy, r: 3 }));
  return svg;
}
