// The layers as a table and as a list, blocks folded until they are opened; and the drawing, which leads to them.

// Rows of the table: a layer, or a block that holds further rows: { path, layers, rows }.
function tree(some, depth = 0) {
  const rows = [];
  for (const layer of some) {
    const path = layer.blocks.slice(0, depth + 1).join(".");
    if (layer.blocks.length <= depth) rows.push(layer);
    else if (rows.at(-1)?.path === path) rows.at(-1).layers.push(layer);
    else rows.push({ path, layers: [layer] });
  }
  for (const row of rows) if (row.path) row.rows = tree(row.layers, depth + 1);
  return rows;
}

function showLayers() {
  const head = ["layer", "as written", "output", "parameters", "multiply-adds", "sees"];
  const made = byId("layers");
  made.append(element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))));
  addRows(made, tree(content.layers), 0, []);
  byId("choose").append(...options());
}

function addRows(made, rows, depth, inside) {
  for (const row of rows) {
    made.append(row.path ? blockRow(row, depth, inside) : layerRow(row, depth, inside));
    if (row.path) addRows(made, row.rows, depth + 1, [...inside, row.path]);
  }
}

function layerRow(layer, depth, inside) {
  const button = element("button", { type: "button", on: { click: () => choose(layer.name, true) } }, layer.name);
  const count = layer.shares ? `= ${layer.shares}` : layer.count ? layer.count.toLocaleString("en") : "";
  return tableRow({ "data-layer": layer.name }, button, depth, inside,
    [layer.written, layer.output, count, layer.macs ? layer.macs.toLocaleString("en") : "", sees(layer)]);
}

// A block on one line: what it holds, what it gives, and all of its numbers together.
function blockRow({ path, layers: held }, depth, inside) {
  const words = new Map();
  for (const { word } of held) words.set(word, (words.get(word) || 0) + 1);
  const told = [...words].map(([word, count]) => (count > 1 ? `${count} ${word}` : word)).join(", ");
  const sum = (name) => held.reduce((total, layer) => total + (layer[name] && !(name === "count" && layer.shares) ? layer[name] : 0), 0);
  const button = element("button", { type: "button", "aria-expanded": "false", "data-block": path, on: { click: () => openBlock(path) } }, `▸ ${path.split(".").at(-1)}`);
  const numbers = ["count", "macs"].map((name) => (sum(name) ? sum(name).toLocaleString("en") : ""));
  const last = held.at(-1);
  return tableRow({ class: "block" }, button, depth, inside, [told, last.output, ...numbers, sees(last)]);
}

const sees = (layer) => layer.field.map(([, size]) => size).join("×");

function tableRow(attributes, button, depth, inside, cells) {
  const row = element("tr", attributes, element("th", { scope: "row" }, button), ...cells.map((text) => element("td", {}, text)));
  row.firstChild.style.paddingLeft = `${10 + 16 * depth}px`;
  row.inside = inside;
  row.hidden = inside.length > 0;
  return row;
}

const opened = new Set();

function openBlock(path, open = !opened.has(path)) {
  if (open) opened.add(path);
  else opened.delete(path);
  for (const button of byId("layers").querySelectorAll("[data-block]")) {
    const is = opened.has(button.dataset.block);
    button.setAttribute("aria-expanded", String(is));
    button.textContent = `${is ? "▾" : "▸"} ${button.dataset.block.split(".").at(-1)}`;
  }
  for (const row of byId("layers").rows) if (row.inside) row.hidden = !row.inside.every((each) => opened.has(each));
}

// The layers to choose from, those of a block under its name.
function options() {
  const made = [], option = (layer) => element("option", { value: layer.name }, layer.name);
  for (const row of tree(content.layers)) {
    if (!row.path) made.push(option(row));
    else made.push(element("optgroup", { label: row.path }, ...row.layers.map(option)));
  }
  return made;
}

// Show which layer is chosen, in the table and in the drawing.
function markLayer(layer) {
  byId("choose").value = layer.name;
  layer.blocks.forEach((_, k) => openBlock(layer.blocks.slice(0, k + 1).join("."), true));
  for (const row of byId("layers").rows) row.classList.toggle("chosen", row.dataset.layer === layer.name);
  for (const group of byId("drawing").querySelectorAll("g[data-value]")) {
    group.classList.toggle("chosen", vertexOf(group) === layer.name);
  }
}

// The layer that a vertex of a drawing stands for.
const vertexOf = (group) => content.vertices[group.dataset.value];

function showDrawing() {
  const drawings = [...byId("drawing").querySelectorAll("svg")];
  for (const drawing of drawings) {
    drawing.setAttribute("role", "group");
    for (const group of drawing.querySelectorAll("g[data-value]")) {
      const name = vertexOf(group);
      if (!name) continue;
      const visible = [...group.querySelectorAll("text")].map((text) => text.textContent).join(" ");
      group.setAttribute("role", "button");
      group.setAttribute("tabindex", "0");
      group.setAttribute("aria-label", `${visible}; ${group.querySelector("title")?.textContent || name}`);
      group.addEventListener("click", () => choose(name));
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(name);
      });
    }
  }
  const button = byId("unfold");
  button.hidden = drawings.length < 2;
  button.addEventListener("click", () => {
    drawings.forEach((drawing) => drawing.toggleAttribute("hidden"));
    const open = drawings[0].hasAttribute("hidden");
    button.textContent = open ? "fold the blocks" : "open the blocks";
    button.setAttribute("aria-expanded", String(open));
  });
}
