// Curves over the epochs.

const SVG = "http://www.w3.org/2000/svg";
const FEW = 12; // epochs up to which each is marked; a single one has no line

function drawn(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// A chart of one or two series, [label, numbers, class]; missing numbers leave gaps.
function chart(title, series, percent) {
  const [width, height, left, bottom] = [420, 220, 56, 28];
  const all = series.flatMap(([, values]) => values).filter((value) => value !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = high - low || Math.abs(high) || 1;
  const count = Math.max(...series.map(([, values]) => values.length));
  const x = (k) => left + ((width - left - 12) * k) / Math.max(1, count - 1);
  const y = (value) => 24 + (height - 24 - bottom) * (1 - (value - low) / span);
  const written = (value) => (percent ? `${show(100 * value, 4)} %` : show(value, 3));
  const ends = series.map(([label, values]) => `${label} ends at ${written(values.at(-1) ?? NaN)}`).join(", ");
  const made = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  made.setAttribute("aria-label", `${title} over ${epochs(count)}: ${ends}`);
  made.append(drawn("text", { x: left, y: 14 }, title));
  for (const value of [low, high]) {
    made.append(drawn("line", { class: "axis", x1: left, x2: width - 12, y1: y(value), y2: y(value) }));
    made.append(drawn("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, written(value)));
  }
  made.append(drawn("text", { x: left, y: height - 8 }, "epoch 1"));
  if (count > 1) made.append(drawn("text", { x: width - 12, y: height - 8, "text-anchor": "end" }, `epoch ${count}`));
  series.forEach(([label, values, kind], number) => {
    const points = values.flatMap((value, k) => (value === null ? [] : [[x(k), y(value)]]));
    made.append(drawn("polyline", { class: kind, points: points.join(" ") }));
    if (points.length <= FEW) {
      for (const [cx, cy] of points) made.append(drawn("circle", { class: `${kind} dot`, cx, cy, r: 3 }));
    }
    const at = { x: width - 12 - 130 * (series.length - 1 - number), y: 14, "text-anchor": "end" };
    made.append(drawn("text", at, `${kind === "a" ? "—" : "- -"} ${label}`));
  });
  return made;
}

const CHARTS = [ // title, column, whether in percent
  ["cost", "cost", false], ["accuracy", "accuracy", true], ["F1, mean of the classes", "f1", true], ["ROC AUC", "auc", false],
  ["IoU, mean of the classes", "iou", true], ["MAE", "mae", false], ["RMSE", "rmse", false], ["R²", "r2", false],
];
const epochs = (count) => `${count} epoch${count === 1 ? "" : "s"}`;

function showTraining(training) {
  if (!training) return;
  document.getElementById("training").hidden = false;
  const summary = training.summary || {};
  const said = [];
  if (summary.status) said.push(`${summary.status} after ${epochs(summary.epochs)}`);
  if (summary.test_accuracy !== null && summary.test_accuracy !== undefined) {
    said.push(`test accuracy ${(100 * summary.test_accuracy).toFixed(2)} %`);
  }
  if (typeof summary.seconds === "number") said.push(`${show(summary.seconds, 3)} s`);
  document.getElementById("trained").textContent = said.join(", ");
  const columns = training.columns || {};
  const known = (name) => columns[name] && columns[name].some((value) => value !== null);
  const charts = document.getElementById("charts");
  for (const [title, name, percent] of CHARTS) {
    const series = [];
    if (known(name)) series.push(["training", columns[name], "a"]);
    if (known(`validation_${name}`)) series.push(["validation", columns[`validation_${name}`], "b"]);
    if (series.length) charts.append(chart(title, series, percent));
  }
  const table = document.getElementById("epochs");
  const names = Object.keys(columns).filter(known);
  if (!names.length) return;
  table.append(element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));
  columns[names[0]].forEach((_, k) => {
    const cells = names.map((name) => element("td", {}, columns[name][k] === null ? "" : show(columns[name][k])));
    table.append(element("tr", {}, ...cells));
  });
}
