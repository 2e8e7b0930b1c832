// What the network is given and what it answers, each shown as what it is: an image, a line, numbers with their names,
// classes, a mask.

const FEW_CHANNELS = 8; // of an input that is no picture
const FEW_NUMBERS = 40; // rows of a table of numbers
const FEW_ANSWERS = 10; // classes that are listed

// A picture that is looked at, not pointed at.
function pictured(label, height, width, widest, draw) {
  const over = frame(height, width, widest);
  over.style.cursor = "default";
  over.setAttribute("role", "img");
  over.setAttribute("aria-label", label);
  draw(over.firstChild);
  return over;
}

const captioned = (over, text) => element("figure", { class: "map" }, over, element("figcaption", {}, text));

// ---- inputs ----------------------------------------------------------------------------------------

function showInputs(example) {
  const shown = inputs.map((input) => {
    const array = seen(example, layers.get(input.name), "values");
    return INPUTS[input.as](input, array, example);
  });
  const pictures = () => [...byId("picture").querySelectorAll(".frame")], held = pictures().indexOf(document.activeElement);
  byId("picture").replaceChildren(...shown);
  if (held >= 0) pictures()[held]?.focus({ preventScroll: true });
  showReach();
}

const INPUTS = {
  image(input, array, example) {
    const over = pictured(`${input.name}: ${example.title}`, array.shape[1], array.shape[2], 200, (canvas) => paintImage(canvas, array));
    over.dataset.input = input.name;
    if (!part || part.layers.length) coverable(over, input.name);
    return captioned(over, inputs.length > 1 ? input.name : "");
  },

  channels(input, array, example) {
    const [count, height, width] = array.shape, maps = [];
    for (let c = 0; c < Math.min(count, FEW_CHANNELS); c++) {
      const over = pictured(`${input.name}, channel ${c}: ${example.title}`, height, width, 112, (canvas) => paint(canvas, channelOf(array, c), height, width, grey(array.data)));
      over.dataset.input = input.name;
      if (!part || part.layers.length) coverable(over, input.name);
      maps.push(captioned(over, `channel ${c}`));
    }
    if (count > FEW_CHANNELS) maps.push(element("p", { class: "note" }, `and ${count - FEW_CHANNELS} more channels`));
    return element("div", { class: "tiles", role: "group", "aria-label": input.name }, ...maps);
  },

  sequence(input, array, example) {
    return captioned(lines(`${input.name}: ${example.title}`, array, input.name), input.name);
  },

  numbers(input, array) {
    const rows = Array.from(array.data.slice(0, FEW_NUMBERS), (value, k) => [input.names?.[k] || `${input.name}[${k}]`, show(value)]);
    if (array.data.length > FEW_NUMBERS) rows.push([`and ${array.data.length - FEW_NUMBERS} more`, ""]);
    return scrolling(`Numbers of ${input.name}`, table([input.name, "number"], rows));
  },
};

// An image of one or three channels, from its darkest number to its brightest.
function paintImage(canvas, array) {
  const { shape: [channels, height, width], data } = array;
  if (channels !== 3) return paint(canvas, channelOf(array, 0), height, width, grey(data));
  const [low, high] = extremes(data), size = height * width;
  const scale = (value) => Math.round((255 * (value - low)) / (high - low || 1));
  const places = Array.from({ length: size }, (_, k) => k);
  paint(canvas, places, height, width, (k) => [scale(data[k]), scale(data[size + k]), scale(data[2 * size + k])]);
}

// A sequence as lines, one above the other, a channel each; what a number sees of it lies under them.
function lines(label, { data, shape: [channels, , width] }, name) {
  const some = Math.min(channels, FEW_CHANNELS), tall = some === 1 ? 80 : 36, wide = 420;
  const made = drawn("svg", { viewBox: `0 0 ${wide} ${some * tall}`, width: wide, height: some * tall, role: "img", "aria-label": label, class: "lines" });
  made.dataset.input = name;
  made.append(drawn("rect", { class: "seen", x: 0, y: 0, width: 0, height: some * tall }));
  for (let c = 0; c < some; c++) {
    const part = data.subarray(c * width, (c + 1) * width), [low, high] = extremes(part);
    const points = Array.from(part, (value, k) =>
      `${((k + 0.5) * wide) / width},${c * tall + 3 + (tall - 6) * (1 - (value - low) / (high - low || 1))}`);
    made.append(drawn("polyline", { points: points.join(" ") }));
  }
  return made;
}

// What the chosen number sees, on every input.
function showReach() {
  const { layer, place } = chosen, told = [];
  for (const over of byId("picture").querySelectorAll("[data-input]")) {
    const { input } = over.dataset, box = layer && layer.name !== input ? reach(layer, input, place) : null;
    const ranges = box && box.every(([first, end]) => end > first) ? box : null; // padding sees nothing
    if (over.pixels) putBox(over, "window", ...(ranges ? (ranges.length === 2 ? ranges : [[0, 1], ranges[0]]) : [null]));
    else showSpan(over, ranges && ranges[0], layers.get(input).shape[2]);
    if (!ranges) continue;
    const axes = ranges.map(([first, end], axis) => `${ranges.length === 2 && !axis ? "rows" : "columns"} ${first} to ${end - 1}`);
    const text = `${axes.join(" and ")}${inputs.length > 1 ? ` of ${input}` : ""}`;
    if (!told.includes(text)) told.push(text);
  }
  byId("receptive").textContent = told.length ? `${placeName(layer, place)} sees ${told.join(", ")}` : "";
}

function showSpan(svg, range, width) {
  const wide = svg.viewBox.baseVal.width, [first, end] = range || [0, 0];
  svg.querySelector(".seen").setAttribute("x", (first * wide) / width);
  svg.querySelector(".seen").setAttribute("width", ((end - first) * wide) / width);
}

// ---- outputs ---------------------------------------------------------------------------------------

function showAnswers(example) {
  const cost = example.seen.cost === null ? "" : `cost ${show(example.seen.cost)}${example.known ? "" : " (as if its own answer were right)"}`;
  const shown = outputs.map((output) => {
    const layer = layers.get(output.name), array = seen(example, layer, "values");
    if (!array.data) return element("p", { class: "note" }, `${output.name} is not computed here.`);
    const right = example.known ? rightOf(example, output.name) : null;
    const made = OUTPUTS[output.as](output, array, right, layer);
    if (outputs.length === 1) return made;
    return element("div", {}, element("h3", {}, output.name), made);
  });
  byId("answers").replaceChildren(element("p", {}, cost), ...shown);
}

// The numbers that an output is judged by; null where nobody knows them.
function rightOf(example, name) {
  const at = example.targets?.[name];
  return !at ? null : Array.isArray(at) ? numbersAt(at) : at;
}

const largestAt = (numbers) => numbers.indexOf(Math.max(...numbers));

const OUTPUTS = {
  classes(output, array, right) {
    const label = right ? largestAt(Array.from(right)) : -1;
    const order = Array.from(array.data, (value, k) => [value, k]).sort((a, b) => b[0] - a[0]).slice(0, FEW_ANSWERS);
    return bars(order.map(([value, k], rank) => ({ name: output.names[k], value, best: !rank, right: k === label })));
  },

  labels(output, array, right) {
    const rows = Array.from(array.data.slice(0, FEW_NUMBERS), (value, k) =>
      ({ name: output.names[k], value, best: value > 0.5, right: right ? right[k] > 0.5 : false }));
    return bars(rows, 1);
  },

  numbers(output, array, right) {
    const rows = Array.from(array.data.slice(0, FEW_NUMBERS), (value, k) =>
      [output.names[k], show(value), ...(right ? [show(right[k]), show(value - right[k])] : [])]);
    if (array.data.length > FEW_NUMBERS) rows.push([`and ${array.data.length - FEW_NUMBERS} more`]);
    return scrolling("Answered numbers", table(["number", "answered", ...(right ? ["right", "off by"] : [])], rows));
  },

  image(output, array, right) {
    const picture = (data, what) => captioned(pictured(`${output.name}, ${what}`, array.shape[1], array.shape[2], 200,
      (canvas) => paintImage(canvas, { data, shape: array.shape })), what);
    return element("div", { class: "tiles" }, picture(array.data, "answered"), ...(right ? [picture(right, "right")] : []));
  },

  mask(output, array, right) {
    const [, height, width] = array.shape, masks = [[classesOf(array), "answered"]];
    if (right) masks.push([classesOf({ data: right, shape: array.shape }), "right"]);
    const tiles = masks.map(([mask, what]) => captioned(pictured(`${output.name}: classes of the pixels, ${what}`, height, width, 200,
      (canvas) => paint(canvas, mask, height, width, colourOfClass)), what));
    const found = new Map(); // class -> pixels answered and right
    masks.forEach(([mask], which) => mask.forEach((k) => {
      if (!found.has(k)) found.set(k, [0, 0]);
      found.get(k)[which] += 1;
    }));
    const rows = [...found].sort((a, b) => b[1][0] - a[1][0]).slice(0, FEW_NUMBERS).map(([k, counts]) => {
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = `rgb(${colourOfClass(k).join(",")})`;
      const percent = counts.slice(0, masks.length).map((count) => `${((100 * count) / (height * width)).toFixed(1)} %`);
      return [element("span", {}, swatch, ` ${output.names[k] ?? k}`), ...percent];
    });
    const legend = table(["class", ...masks.map(([, what]) => what)], rows);
    return element("div", {}, element("div", { class: "tiles" }, ...tiles), scrolling("Classes of the mask", legend));
  },

  sequence(output, array, right) {
    const sides = [captioned(lines(`${output.name}, answered`, array, ""), "answered")];
    if (right) sides.push(captioned(lines(`${output.name}, right`, { data: right, shape: array.shape }, ""), "right"));
    return element("div", { class: "tiles" }, ...sides);
  },

  maps(output) {
    return element("p", { class: "note" }, `${output.name} is ${layers.get(output.name).output}: look at its maps below.`);
  },
};

// The class of each pixel: the largest channel, or of a single one whether it is above a half.
function classesOf({ data, shape: [channels, height, width] }) {
  const size = height * width, found = new Uint8Array(size);
  for (let k = 0; k < size; k++) {
    if (channels === 1) found[k] = data[k] > 0.5 ? 1 : 0;
    else for (let c = 1; c < channels; c++) if (data[c * size + k] > data[found[k] * size + k]) found[k] = c;
  }
  return found;
}

function bars(rows, largest = Math.max(...rows.map(({ value }) => Math.abs(value)))) {
  const made = element("div", { class: "answers", role: "list", "aria-label": "Answers" });
  for (const { name, value, best, right } of rows) {
    const bar = element("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.max(value, 0)) / (largest || 1)}%`;
    const texts = [element("span", { class: best ? "best" : "" }, `${name}${right ? " ✓" : ""}`), bar, element("span", { class: "mono" }, show(value, 4))];
    made.append(element("div", { role: "listitem", class: "answer" }, ...texts));
  }
  return made;
}
