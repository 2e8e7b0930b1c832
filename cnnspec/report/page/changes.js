// What was changed, newest last, and the way back: numbers of kernels, silent filters, covered parts, strokes of the pen.

const changes = { steps: [], before: null };

// Keep a step: what it was in words, and how it is undone. `answers` are those from before the first.
function keepStep(what, back) {
  if (!changes.steps.length) changes.before = answersOf(chosen.example);
  changes.steps.push({ what, back });
  showHistory();
}

async function undo() {
  const last = changes.steps.pop();
  if (!last) return;
  await last.back();
  showHistory();
}

// The numbers of the first output.
const answersOf = (example) => (example?.seen?.values[outputs[0].name] ? Array.from(example.seen.values[outputs[0].name]) : null);

function showHistory() {
  const { steps, before } = changes;
  for (const button of document.querySelectorAll("button.undo")) button.hidden = !steps.length;
  const said = steps.map(({ what }) => what), last = said.slice(-3).join("; ");
  byId("changed").textContent = steps.length ? `Changed: ${last}${steps.length > 3 ? `; and ${steps.length - 3} before` : ""}.` : "";
  const now = answersOf(chosen.example), [{ names, as }] = outputs, told = byId("before-and-after");
  told.textContent = "";
  if (!steps.length || !now || now.length !== before?.length || !["classes", "labels", "numbers"].includes(as)) return;
  const rows = as === "classes" ? [largestAt(before), largestAt(now)] : now.slice(0, 3).map((_, k) => k);
  const line = (k) => `${names[k]} ${show(before[k], 4)} → ${show(now[k], 4)}`;
  told.textContent = `Before → after: ${[...new Set(rows)].map(line).join(", ")}`;
}

function startHistory() {
  for (const button of document.querySelectorAll("button.undo")) button.addEventListener("click", undo);
  document.addEventListener("keydown", (event) => {
    const writing = event.target.matches?.("input[type=number], textarea");
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || writing || !changes.steps.length) return;
    event.preventDefault();
    undo();
  });
}
