// Maps as pictures: one canvas a channel, a pixel a number, blue below zero and orange above.

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const WIDEST = 120; // of a map, in pixels of the screen

function hues() {
  return dark.matches
    ? { zero: [15, 23, 42], below: [96, 165, 250], above: [251, 146, 60] }
    : { zero: [255, 255, 255], below: [29, 78, 216], above: [194, 65, 12] };
}

// The hues between, 256 steps below zero and as many above.
const ramps = new Map();

function rampsNow() {
  const { zero, below, above } = hues();
  if (!ramps.has(dark.matches)) {
    const step = (end, share) => zero.map((from, k) => Math.round(from + ((end[k] - from) * share) / 255));
    ramps.set(dark.matches, [below, above].map((end) => Array.from({ length: 256 }, (_, share) => step(end, share))));
  }
  return ramps.get(dark.matches);
}

function signed(largest) {
  const [below, above] = rampsNow();
  return (value) => (value < 0 ? below : above)[largest ? Math.min(255, Math.round((255 * Math.abs(value)) / largest)) : 0];
}

// An image as it is looked at: from its darkest to its brightest number.
function grey(data) {
  const [low, high] = extremes(data);
  return (value) => Array(3).fill(Math.round((255 * (value - low)) / (high - low || 1)));
}

function extremes(data) {
  let low = Infinity, high = -Infinity;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function largestOf(data) {
  const [low, high] = extremes(data);
  return Math.max(Math.abs(low), Math.abs(high));
}

// Draw numbers on a canvas of `height` by `width`; `shown` leaves out what has not been computed yet.
function paint(canvas, data, height, width, color, shown = Infinity) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height), bytes = image.data, count = Math.min(data.length, height * width, shown);
  for (let k = 0, at = 0; k < count; k++, at += 4) {
    const pixel = color(data[k]);
    bytes[at] = pixel[0];
    bytes[at + 1] = pixel[1];
    bytes[at + 2] = pixel[2];
    bytes[at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// The rows and columns in which a channel is drawn: a map as it is, a vector in lines.
function extent(layer, shape) {
  if (layer.rank > 1) return { height: shape[1], width: shape[2], vector: false };
  const width = Math.min(shape[0], 20);
  return { height: Math.ceil(shape[0] / width), width, vector: true };
}

// A frame of a size in which its pixels can be told apart: a canvas, and boxes over it.
function frame(height, width, widest = WIDEST) {
  const unit = Math.max(widest / Math.max(height, width), height === 1 ? 2 : 0);
  const tall = Math.max(height * unit, height === 1 ? 16 : 1);
  const made = element("div", { class: "frame" }, element("canvas", { "aria-hidden": "true" }));
  made.style.width = `${Math.round(width * unit)}px`;
  if (height === 1) made.style.height = `${Math.round(tall)}px`;
  else made.style.aspectRatio = `${width} / ${height}`;
  made.pixels = { height, width };
  return made;
}

function putBox(over, kind, rows, columns) {
  over.querySelector(`.box.${kind}`)?.remove();
  if (!rows) return;
  const box = element("div", { class: `box ${kind}` });
  const { height, width } = over.pixels;
  box.style.top = `${(100 * rows[0]) / height}%`;
  box.style.height = `${(100 * (rows[1] - rows[0])) / height}%`;
  box.style.left = `${(100 * columns[0]) / width}%`;
  box.style.width = `${(100 * (columns[1] - columns[0])) / width}%`;
  over.append(box);
}

// A map that can be pointed at: `pick(row, column)` hears clicks, `move(keys)` the arrows.
function pickable(layer, caption, height, width, color, data, pick, key) {
  const over = frame(height, width, height === 1 || layer.rank === 1 ? 320 : WIDEST);
  paint(over.firstChild, data, height, width, color);
  over.setAttribute("role", "img");
  over.setAttribute("aria-label", `${caption}, ${height} by ${width}; arrow keys choose a number`);
  over.addEventListener("click", (event) => {
    const { left, top, width: wide, height: tall } = over.firstChild.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / wide) * width);
    const row = Math.floor(((event.clientY - top) / tall) * height);
    pick(Math.min(Math.max(row, 0), height - 1), Math.min(Math.max(column, 0), width - 1));
  });
  over.addEventListener("keydown", (event) => {
    if (key(event.key)) event.preventDefault();
  });
  return element("figure", { class: "map" }, over, element("figcaption", {}, caption));
}
