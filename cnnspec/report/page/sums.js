// The account of a number in sight: matrices, terms, and what they come to.

const OPEN = 3; // channels whose matrices are shown from the start

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

// Numbers in their places, as a picture of themselves.
function matrix(caption, values, [height, width], inside, won) {
  const finite = values.filter(Number.isFinite), largest = largestOf(finite), written = aligned(finite);
  const table = element("table", { class: "matrix" }, element("caption", {}, caption));
  for (let u = 0; u < height; u++) {
    const row = element("tr");
    for (let v = 0; v < width; v++) {
      const k = u * width + v;
      const padding = inside && !inside[k];
      const attributes = { class: padding ? "pad" : k === won ? "won" : "" };
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
    ? `channel ${group.channel} of ${before.name}: sum of products ${show(group.sum)}`
    : `the window on channel ${group.channel} of ${before.name}`;
  const details = element("details", { class: "group", open }, element("summary", {}, heading));
  const fill = () => {
    if (details.childElementCount > 1 || !details.open) return;
    const input = seen(example, before, "values");
    const over = frame(input.shape[1], input.shape[2], 96);
    const map = channelOf(input, group.channel);
    paint(over.firstChild, map, input.shape[1], input.shape[2], colorOf(before, input, "values"));
    if (told.box) putBox(over, "window", ...told.box);
    let presets = null;
    const parts = [matrix("patch", group.patch, layer.detail.kernel, group.inside, group.won)];
    if (group.kernel) {
      const kernel = matrix("kernel", group.kernel, layer.detail.kernel);
      presets = changeable(kernel, layer, place, group.channel);
      parts.push(after("×", kernel));
      parts.push(after("=", matrix("products", group.products, layer.detail.kernel, group.inside)));
    }
    const label = `patch, kernel and products of channel ${group.channel}`;
    const sides = { class: "matrices", tabindex: "0", role: "group", "aria-label": label };
    details.append(over, element("div", sides, ...parts), ...(presets ? [presets] : []));
  };
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

function termsTable(rows, total) {
  const line = ([label, value]) =>
    element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, show(value)));
  const table = element("table", { class: "terms" }, ...rows.map(line));
  if (total !== undefined) {
    const last = line(["sum", total]);
    last.className = "total";
    last.lastChild.id = "sum";
    last.lastChild.dataset.number = total;
    table.append(last);
  }
  return table;
}

function strongestTable(parts) {
  const head = ["number", "in", "", "weight", "", "product"];
  const table = element("table", { class: "terms" });
  table.append(element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))));
  for (const { from, value, weight, product } of parts) {
    const cells = [placeName(from.layer, from.place), show(value), "×", show(weight), "=", show(product)];
    table.append(element("tr", {}, ...cells.map((text) => element("td", {}, text))));
  }
  return table;
}

// Something that may be wider than a phone, and can be scrolled with the keyboard then.
function scrolling(label, child) {
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, child);
}

// Write the account of the chosen number.
function showSums(layer, place, example) {
  const [result, sums] = [document.getElementById("result"), document.getElementById("sums")];
  sums.replaceChildren();
  const told = explain(layer, place, example);
  const gradients = seen(example, layer, "gradients");
  const slope = channelOf(gradients, place[0])[place[1] * gradients.shape[2] + place[2]];
  result.replaceChildren(
    element("strong", { id: "value", "data-number": told.value }, `${placeName(layer, place)} = ${show(told.value)}`),
    element("span", { class: "note" }, `   d cost / d this number = ${show(slope)}`),
  );
  if (told.terms && told.terms.length > 2) sums.append(element("p", { class: "mono" }, `= ${shortTerms(told.terms)}`));
  if (told.says) sums.append(element("p", {}, told.says));
  const groups = told.groups || [];
  const ranked = [...groups].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, OPEN);
  for (const group of groups) sums.append(groupOf(layer, place, group, told, example, ranked.includes(group)));
  if (told.strongest) sums.append(scrolling("the strongest contributions", strongestTable(told.strongest)));
  if (told.rows) sums.append(scrolling("numbers it is made of", termsTable(told.rows)));
  if (told.terms) sums.append(scrolling("terms and their sum", termsTable(told.terms, told.total)));
  if (told.total !== undefined) {
    const text = told.agrees
      ? `${show(told.total)}: what the plan computed`
      : `${show(told.total)}, and the plan computed ${show(told.value)}`;
    sums.append(element("p", { id: "agreement", class: told.agrees ? "agrees" : "differs" }, text));
  }
}
