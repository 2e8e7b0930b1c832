// The account of a number in sight: matrices, terms, and what they come to.

const OPEN = 1; // channels whose matrices are shown from the start
const narrow = window.matchMedia("(max-width: 999px)"); // the account stands below the maps, not beside them
const LOW_SCREEN = 800; // pixels of a screen's height below which fewer channels are listed, so that the way back is in sight, too
const listedFirst = () => (narrow.matches ? 2 : window.innerHeight < LOW_SCREEN ? 4 : 8); // channels before the reader asks for all, those that count most

// The numbers of a matrix as text, all to the same place behind the point: three digits of the largest.
function aligned(values) {
  const largest = largestOf(values);
  const places = largest > 0 ? Math.min(Math.max(2 - Math.floor(Math.log10(largest)), 0), 9) : 0;
  return (value) => (Number.isFinite(value) ? value.toFixed(places) : String(value));
}

// What stands behind a number: its sign as a hue, its size as how much of it.
function tint(value, largest) {
  const { below, above } = hues();
  const share = largest ? Math.min(1, Math.abs(value) / largest) : 0;
  return `rgba(${(value < 0 ? below : above).join(",")},${(0.4 * share).toFixed(3)})`;
}

// A kernel, or what else is small, as a picture beside a line of text.
function thumbnail(values, [height, width]) {
  const canvas = element("canvas", { class: "thumbnail", "aria-hidden": "true" });
  canvas.style.aspectRatio = `${width} / ${height}`;
  paint(canvas, values, height, width, signed(largestOf(values)));
  return canvas;
}

// Numbers in their places, as a picture of themselves.
function matrix(caption, values, [height, width], inside, argmax) {
  const finite = values.filter(Number.isFinite), largest = largestOf(finite), written = aligned(finite);
  const table = element("table", { class: "matrix" }, element("caption", {}, caption));
  for (let u = 0; u < height; u++) {
    const row = element("tr");
    for (let v = 0; v < width; v++) {
      const k = u * width + v;
      const padding = inside && !inside[k];
      const attributes = { class: padding ? "pad" : k === argmax ? "argmax" : "" };
      if (!padding) Object.assign(attributes, { "data-number": values[k], title: show(values[k], 8) });
      const cell = element("td", attributes, padding ? "pad" : written(values[k]));
      if (!padding) cell.style.background = tint(values[k], largest);
      row.append(cell);
    }
    table.append(row);
  }
  return table;
}

// A matrix with the sign before it, which go to a new line together.
const after = (text, table) => element("div", { class: "after" }, element("span", { class: "sign" }, text), table);

// A channel's part: the map with the window on it, and patch × kernel = products.
function groupOf(layer, place, group, told, example, open) {
  const before = layers.get(layer.inputs[0]);
  const heading = group.kernel
    ? [thumbnail(group.kernel, layer.detail.kernel), ` channel ${group.channel} of ${before.name}: ${show(group.sum)}`]
    : [`the window on channel ${group.channel} of ${before.name}`];
  const details = element("details", { class: "group", open }, element("summary", {}, ...heading));
  const fill = () => {
    if (details.childElementCount > 1 || !details.open) return;
    const input = seen(example, before, "values");
    const over = frame(input.shape[1], input.shape[2], 96);
    const map = channelOf(input, group.channel);
    paint(over.firstChild, map, input.shape[1], input.shape[2], colorOf(before, input, "values"));
    if (told.box) putBox(over, "window", ...told.box);
    details.append(element("div", { class: "map-and-matrices" }, over, matrices(layer, group, place)));
    if (group.kernel) details.append(presetsOf(layer, place, group.channel));
  };
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

// Patch, kernel and products of a group, or the window alone; with a `place` the kernel's numbers can be chosen.
function matrices(layer, group, place) {
  const parts = [matrix("patch", group.patch, layer.detail.kernel, group.inside, group.argmax)];
  if (group.kernel) {
    const kernel = matrix("kernel", group.kernel, layer.detail.kernel);
    if (place) choosable(kernel, layer, place, group.channel);
    parts.push(after("×", kernel));
    parts.push(after("=", matrix("products", group.products, layer.detail.kernel, group.inside)));
  }
  const label = `patch, kernel and products of channel ${group.channel}`;
  return element("div", { class: "matrices", tabindex: "0", role: "group", "aria-label": label }, ...parts);
}

// The groups that count most, in their order, and a button for all.
function groupList(layer, place, told, example) {
  const groups = told.groups || [], most = listedFirst();
  const ranked = [...groups].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  const open = ranked.slice(0, OPEN), listed = ranked.slice(0, most);
  const made = (some) => some.map((group) => groupOf(layer, place, group, told, example, open.includes(group)));
  if (groups.length <= most) return made(groups);
  const rest = ranked.slice(most).reduce((sum, group) => sum + group.sum, 0);
  const all = () => button.replaceWith(...made(groups.filter((group) => !listed.includes(group))));
  const button = element("button", { type: "button", on: { click: all } }, `and ${groups.length - most} channels more: ${show(rest)}`);
  return [...made(groups.filter((group) => listed.includes(group))), button];
}

// Rows of a label, a number, and what a press on the label does, where it does something.
function termsTable(rows, total) {
  const line = ([label, value, press]) => {
    const named = press ? element("button", { type: "button", class: "link", on: { click: press } }, label) : label;
    return element("tr", {}, element("th", { scope: "row" }, named), element("td", {}, show(value)));
  };
  const made = element("table", { class: "terms" }, ...rows.map(line));
  if (total !== undefined) {
    const last = line(["sum", total]);
    last.className = "total";
    last.lastChild.id = "sum";
    last.lastChild.dataset.number = total;
    made.append(last);
  }
  return made;
}

function strongestTable(layer, [o], parts) {
  const made = element("table", { class: "terms" });
  made.append(headed(["number", "in", "×", "weight", "=", "product"]));
  const size = looked.parameters[layer.parameters.weight.of].length / layer.shape[0];
  for (const { k, from, value, weight, product } of parts) {
    const press = () => chooseWeight(layer, "weight", o * size + k);
    const button = element("button", { type: "button", class: "link", on: { click: press } }, show(weight));
    const cells = [placeName(from.layer, from.place), show(value), "×", button, "=", show(product)];
    made.append(element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  }
  return made;
}

// A row of headings; signs between columns are for the eye alone.
function headed(names) {
  const cell = (name) => (/\w/.test(name) ? element("th", { scope: "col" }, name) : element("td", { "aria-hidden": "true" }));
  return element("tr", {}, ...names.map(cell));
}

// A table with a heading to each row.
function table(head, rows) {
  const made = element("table", { class: "grid" });
  made.append(element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))));
  for (const [first, ...rest] of rows) {
    made.append(element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))));
  }
  return made;
}

// Something that may be wider than a phone, and can be scrolled with the keyboard then.
function scrolling(label, ...children) {
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, ...children);
}

// Write the account of the chosen number.
function showSums(layer, place, example) {
  const result = byId("result"), sums = byId("sums"), focused = document.activeElement?.dataset?.cell;
  const told = explain(layer, place, example);
  const gradients = seen(example, layer, "gradients");
  const slope = gradients.data && channelOf(gradients, place[0])[place[1] * gradients.shape[2] + place[2]];
  result.replaceChildren(
    element("strong", { id: "value", "data-number": told.value }, `${placeName(layer, place)} = ${show(told.value)}`),
    element("span", { class: "note" }, gradients.data ? `   d cost / d this number = ${show(slope)}` : ""),
  );
  const made = [];
  if (told.terms && told.terms.length > 2) made.push(element("p", { class: "mono" }, `= ${shortTerms(told.terms)}`));
  if (told.says) made.push(element("p", {}, told.says));
  made.push(...groupList(layer, place, told, example));
  if (told.strongest) made.push(scrolling("the strongest contributions", strongestTable(layer, place, told.strongest)));
  if (told.rows) made.push(scrolling("numbers it is made of", termsTable(told.rows)));
  const others = told.groups ? told.terms?.slice(told.groups.length) : told.terms; // channels are told by their groups
  if (others) made.push(scrolling("terms and their sum", termsTable(others, told.total)));
  if (told.total !== undefined) {
    const text = told.agrees
      ? `${show(told.total)}: what the plan computed${computed(layer) ? "" : ", in float32"}`
      : `${show(told.total)}, and the plan computed ${show(told.value)}`;
    made.push(element("p", { id: "agreement", class: told.agrees ? "agrees" : "differs" }, text));
  }
  sums.replaceChildren(...made);
  if (focused) sums.querySelector(`[data-cell="${focused}"]`)?.focus({ preventScroll: true });
}
