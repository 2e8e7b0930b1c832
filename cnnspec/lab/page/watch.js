// The page of a run that trains in a terminal: it asks for what there is, again and again, until nobody answers.

const MOMENT = 400; // milliseconds between two questions
const TILE = 260; // pixels of the screen along the side of a layer's filters
const COLUMNS = [["cost of an epoch", "cost", show], ["accuracy of an epoch", "accuracy", percent], ["validation cost", "validation_cost", show], ["validation accuracy", "validation_accuracy", percent]];

async function runNow() {
  const question = { ask: "run", text: "", at: 0, settings: [] };
  const answer = await fetch("ask", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) });
  return answer.json();
}

function showRun({ name, epochs, now, costs, rows, filters, confusion }) {
  byId("name").textContent = name || "a run";
  document.title = `${name || "cnnspec run"}: ${now.state}`;
  const parts = [now.state];
  if (now.epoch) parts.push(`epoch ${now.epoch} of ${epochs}`, `step ${now.step.toLocaleString("en")} of ${now.steps.toLocaleString("en")}`);
  if (now.rate !== undefined) parts.push(`rate ${show(now.rate, 3)}`);
  if (now.per_second) parts.push(`${Math.round(now.per_second).toLocaleString("en")} images/s`);
  if (now.memory) parts.push(`${Math.round(now.memory / 2 ** 20).toLocaleString("en")} MiB of memory at most`);
  byId("progress").textContent = parts.join(", ");
  const charts = costs.length ? [curve("cost of a step", costs.map((cost) => cost ?? NaN), show)] : [];
  for (const [title, column, written] of COLUMNS) {
    const values = rows.map((row) => row[column] ?? NaN);
    if (values.some(Number.isFinite)) charts.push(curve(title, values, written));
  }
  byId("curves").replaceChildren(...charts);
  byId("live").replaceChildren(element("div", { class: "beside" }, ...filters.map(showFilters)));
  byId("confused").hidden = !confusion;
  if (confusion) showConfusion(confusion);
  document.documentElement.dataset.state = now.state;
}

function showFilters({ name, largest, rows }) {
  const made = element("canvas", { role: "img", "aria-label": `filters of ${name}, the largest number ${show(largest, 3)}` });
  const color = signed(127), numbers = rows.flat();
  paint(made, numbers, rows.length, rows[0].length, (value) => (value === null ? color(0) : color(value)));
  const unit = TILE / Math.max(rows.length, rows[0].length);
  made.style.width = `${Math.round(rows[0].length * unit)}px`;
  made.style.height = `${Math.round(rows.length * unit)}px`;
  return element("div", {}, element("div", { class: "note" }, name), made);
}

function showConfusion({ counts, classes }) {
  const head = element("tr", {}, element("th", {}), ...classes.map((name) => element("th", { scope: "col" }, name)));
  byId("confusion").replaceChildren(head, ...counts.map((row, k) => {
    const cells = row.map((count, j) => element("td", { class: j === k ? "good" : count ? "bad" : "" }, count ? String(count) : ""));
    return element("tr", {}, element("th", { scope: "row" }, classes[k]), ...cells);
  }));
}

async function ask() {
  const told = await runNow().catch(() => null);
  if (told) showRun(told);
  document.documentElement.dataset.ready = "yes";
  if (!told || told.now.state === "finished") {
    byId("said").textContent = "The run's program has ended; this is how it was. Its report.html lies in the run's folder.";
    return;
  }
  window.setTimeout(ask, MOMENT);
}

ask();
