// What the check finds while one writes: under the text, with what would help as buttons.

const checking = { busy: false, again: false, fixes: 0, known: new Map() };
const MOST_KNOWN = 30; // texts whose answers are kept: undo and redo ask nobody
const PAUSE = 250; // milliseconds without a key until fixes are looked for

async function checkText() {
  if (checking.busy) {
    checking.again = true;
    return;
  }
  checking.busy = true;
  const { text } = state;
  try {
    const told = checking.known.get(text) || (await ask("check", text));
    checking.known.delete(text);
    checking.known.set(text, told);
    if (checking.known.size > MOST_KNOWN) checking.known.delete(checking.known.keys().next().value);
    if (text === state.text) {
      Object.assign(state, { findings: told.findings, problem: "" });
      if (told.network) Object.assign(state, { network: told.network, checked: text });
      showFindings([]);
      tell("findings");
      if (told.network) tell("network");
    }
  } catch (problem) {
    state.findings = [];
    state.problem = problem.message;
    showFindings([]);
  }
  checking.busy = false;
  if (checking.again) {
    checking.again = false;
    checkText();
    return;
  }
  document.documentElement.dataset.ready = "yes";
  window.clearTimeout(checking.fixes);
  if (state.findings.length) checking.fixes = window.setTimeout(findFixes, PAUSE, text);
}

async function findFixes(text) {
  const told = await ask("fixes", text).catch(() => ({ fixes: [] }));
  if (text === state.text) showFindings(told.fixes);
}

function showFindings(fixes) {
  const { findings, text, problem } = state;
  markFindings(findings);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const said = [errors && counted(errors, "error"), findings.length - errors && counted(findings.length - errors, "warning")];
  const verdict = byId("verdict");
  verdict.className = problem || errors ? "bad" : "good";
  verdict.textContent = problem || said.filter(Boolean).join(", ") || "no findings";
  byId("picture").classList.toggle("old", state.checked !== text);
  const held = byId("findings").contains(document.activeElement) ? document.activeElement.textContent : null;
  byId("findings").replaceChildren(...findings.map((one) => {
    const item = element("li", { class: one.severity });
    const go = () => {
      editor.area.focus();
      editor.area.setSelectionRange(one.start, one.end);
    };
    if (one.line) item.append(element("button", { type: "button", class: "place", on: { click: go } }, `line ${one.line}, column ${one.column}`), ": ");
    item.append(`${one.message} `, element("span", { class: "note" }, one.code));
    for (const more of [one.label, ...one.related, one.help && `help: ${one.help}`].filter(Boolean)) item.append(element("div", { class: "note" }, more));
    const mine = fixes.filter(({ code, edits }) => code === one.code && edits.some(({ start, end }) => start <= one.end && end >= one.start));
    if (mine.length) item.append(fixButtons(mine));
    return item;
  }));
  const rest = fixes.filter(({ code }) => !code);
  if (rest.length) byId("findings").append(element("li", { class: "warning" }, fixButtons(rest)));
  if (held !== null) [...byId("findings").querySelectorAll("button")].find((button) => button.textContent === held)?.focus();
}

function fixButtons(fixes) {
  return element("div", { class: "bar" }, ...fixes.map(({ title, edits }) =>
    element("button", { type: "button", class: "fix", on: { click: () => applyEdits(edits) } }, title)));
}
