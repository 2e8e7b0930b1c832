// What came of a run: its measures, class by class, who is taken for whom, the worst mistakes, the filters.

const FEW_CLASSES = 30; // whose confusion is a table of numbers
const COMMONEST = 12; // mistakes that are listed
const TITLES = {
  accuracy: "accuracy", top5: "top-5", precision: "precision", recall: "recall", f1: "F1", auc: "ROC AUC",
  iou: "IoU", mae: "MAE", rmse: "RMSE", r2: "R²", cost: "cost",
};
const SHARES = ["accuracy", "top5", "precision", "recall", "f1", "iou"];

function measured(name, value) {
  if (typeof value !== "number") return "–";
  return SHARES.includes(name) ? `${(100 * value).toFixed(2)} %` : show(value, 4);
}

function showResults(results, summary) {
  const test = (summary && summary.test) || null;
  if (!test && !results) return;
  byId("results").hidden = false;
  if (test) showMeasures(test, summary);
  if (test && test.confusion) showConfusion(test.confusion, test.classes.map((one) => one.name));
  showMistakes(results ? results.mistakes : []);
  showFilters(results ? results.filters : []);
}

function showMeasures(test, summary) {
  const known = Object.keys(TITLES).filter((name) => name in test);
  const figures = known.map((name) => element("div", { class: "figure" },
    element("span", { class: "value" }, measured(name, test[name])), element("span", { class: "note" }, TITLES[name])));
  if (typeof summary.test_cost === "number") {
    figures.push(element("div", { class: "figure" },
      element("span", { class: "value" }, show(summary.test_cost, 4)), element("span", { class: "note" }, "cost")));
  }
  byId("measures").append(element("div", { class: "figures" }, ...figures));
  if (test.classes) {
    const names = ["precision", "recall", "f1", "iou"].filter((name) => name in test);
    const rows = test.classes.map((one) =>
      [one.name, one.count.toLocaleString("en"), ...names.map((name) => measured(name, one[name]))]);
    const head = ["class", "iou" in test ? "pixels" : "images", ...names.map((name) => TITLES[name])];
    byId("by-class").append(scrolling("Measures of each class", table(head, rows)));
  } else if (test.outputs) {
    const names = ["mae", "rmse", "r2"];
    const rows = test.outputs.map((one, k) => [String(k), ...names.map((name) => measured(name, one[name]))]);
    byId("by-class").append(scrolling("Errors of each output", table(["output", ...names.map((n) => TITLES[n])], rows)));
  }
}

function showConfusion(counts, names) {
  const sums = counts.map((row) => row.reduce((a, b) => a + b, 0) || 1);
  const place = byId("confusion");
  place.append(element("h3", {}, "Who is taken for whom"),
    element("p", { class: "note" }, "A row for the class that is, a column for the one that was answered."));
  if (counts.length <= FEW_CLASSES) {
    const made = element("table", { class: "grid confusion" });
    made.append(element("tr", {}, element("th", { scope: "col" }, "is \\ answered"),
      ...names.map((name) => element("th", { scope: "col" }, name))));
    counts.forEach((row, i) => {
      const cells = row.map((count, j) => {
        const cell = element("td", { title: `${names[i]} taken for ${names[j]}: ${count}` }, count ? String(count) : "·");
        const share = count / sums[i];
        if (count) cell.style.background = `color-mix(in srgb, var(--${i === j ? "accent" : "positive"}) ${Math.round(90 * share + 10)}%, var(--page))`;
        if (share > 0.5) cell.style.color = "var(--page)";
        return cell;
      });
      made.append(element("tr", {}, element("th", { scope: "row" }, names[i]), ...cells));
    });
    place.append(scrolling("Confusion matrix", made));
  } else {
    const over = frame(counts.length, counts.length, 480);
    over.style.cursor = "default";
    over.setAttribute("role", "img");
    over.setAttribute("aria-label", `Confusion of ${counts.length} classes; the commonest mistakes follow`);
    const shares = counts.flatMap((row, i) => row.map((count) => count / sums[i]));
    const again = () => paint(over.firstChild, shares, counts.length, counts.length, signed(1));
    again();
    dark.addEventListener("change", again);
    place.append(over);
  }
  const wrong = counts.flatMap((row, i) => row.map((count, j) => [count, i, j])).filter(([count, i, j]) => count && i !== j);
  wrong.sort((a, b) => b[0] - a[0]);
  if (counts.length > 5 && wrong.length) {
    const rows = wrong.slice(0, COMMONEST).map(([count, i, j]) => [names[i], names[j], String(count)]);
    place.append(element("p", {}, "The commonest mistakes"), scrolling("The commonest mistakes", table(["is", "answered", "times"], rows)));
  }
}

// The colours of PASCAL VOC's masks: bit 3k + i of a class's number is bit 7 - k of channel i.
function colourOfClass(number) {
  const color = [0, 0, 0];
  for (let k = 0; k < 8; k++) for (let i = 0; i < 3; i++) color[i] |= ((number >> (3 * k + i)) & 1) << (7 - k);
  return color;
}

function showMistakes(mistakes) {
  if (!mistakes.length) return;
  const tiles = mistakes.map((one) => {
    const tile = element("figure", { class: "map mistake" });
    if (one.picture) {
      const { at, shape } = one.picture;
      const [channels, height, width] = shape;
      const over = frame(height, width, 112);
      over.style.cursor = "default";
      const data = numbersAt(at);
      const planes = Array.from({ length: channels }, (_, c) => data.subarray(c * height * width, (c + 1) * height * width));
      const places = Array.from({ length: height * width }, (_, k) => k);
      paint(over.firstChild, places, height, width, (k) => [planes[0][k], planes[channels > 1 ? 1 : 0][k], planes[channels > 1 ? 2 : 0][k]]);
      over.setAttribute("role", "img");
      over.setAttribute("aria-label", one.title);
      tile.append(over);
    }
    (one.masks || []).forEach(({ at, shape }, k) => {
      const over = frame(shape[0], shape[1], 112);
      over.style.cursor = "default";
      over.setAttribute("role", "img");
      over.setAttribute("aria-label", `${one.title}: classes that ${k ? "were answered" : "are"}`);
      paint(over.firstChild, numbersAt(at), shape[0], shape[1], colourOfClass);
      tile.append(element("figcaption", {}, k ? "answered" : "is"), over);
    });
    tile.append(element("figcaption", {}, one.title, element("br"), one.said));
    return tile;
  });
  byId("mistakes").append(element("h3", {}, "The worst mistakes"), element("div", { class: "tiles" }, ...tiles));
}

function showFilters(filters) {
  if (!filters.length) return;
  byId("filters").append(element("h3", {}, "Filters"), element("p", { class: "note" }, KERNELS),
    element("div", { class: "tiles" }, ...filters.map(kernelsPicture)));
}

const KERNELS = "A row for a filter, a column for a channel that it sees; orange above zero, blue below.";
const painted = new Map(); // canvas -> how it is painted again, in other hues

// Many kernels as one picture.
function kernelsPicture({ name, at, shape: [height, width], largest }) {
  const over = frame(height, width, 200), data = numbersAt(at);
  over.style.cursor = "default";
  over.setAttribute("role", "img");
  over.setAttribute("aria-label", `Filters of ${name}`);
  const again = () => {
    const color = signed(127);
    const gap = dark.matches ? [51, 65, 85] : [203, 213, 225];
    paint(over.firstChild, data, height, width, (byte) => (byte ? color(byte - 128) : gap));
  };
  again();
  painted.set(over, again);
  return element("figure", { class: "map" }, over, element("figcaption", {}, `${name}, up to ${show(largest, 2)}`));
}

dark.addEventListener("change", () => {
  for (const [over, again] of painted) over.isConnected ? again() : painted.delete(over);
});
