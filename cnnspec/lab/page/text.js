// The text as it is written: colours under it, marks of what was found, completion.

const KEYWORDS = new Set(["input", "let", "block", "net", "import", "train", "data", "expect", "as"]);
const TOKENS = /(?<comment>#[^\n]*)|(?<quote>"[^"\n]*"?)|(?<number>\d[\w.%]*)|(?<name>[A-Za-z_]\w*)|(?<plain>[^#"\w]+|_)/gu;

const editor = { area: byId("text"), items: [], chosen: 0, from: 0, closed: 0, asking: false, again: false };

function setText(text) {
  editor.area.value = text;
  written();
}

// Replace a piece of the text, so that the browser's own undo takes it back.
function replacePiece(start, end, text) {
  const { area } = editor;
  area.focus();
  area.setSelectionRange(start, end);
  if (!document.execCommand(text ? "insertText" : "delete", false, text)) area.setRangeText(text, start, end, "end");
  if (area.value !== state.text) written();
}

// The edits of a fix, from the last to the first, so that places stay what they were.
function applyEdits(edits) {
  for (const { start, end, text } of [...edits].sort((a, b) => b.start - a.start)) replacePiece(start, end, text);
}

function written() {
  state.text = editor.area.value;
  document.documentElement.dataset.ready = ""; // until it is checked
  colour();
  markFindings([]);
  tell("written");
}

function colour() {
  const words = new Set(given.words), parts = [];
  for (const { 0: text, groups } of state.text.matchAll(TOKENS)) {
    const { name } = groups;
    const kind = name ? (KEYWORDS.has(name) ? "keyword" : words.has(name) ? "word" : "plain") : Object.keys(groups).find((key) => groups[key] !== undefined);
    parts.push(element("span", { class: kind }, text));
  }
  byId("coloured").replaceChildren(...parts, "\n");
  follow();
}

function markFindings(findings) {
  const parts = [];
  let at = 0;
  for (const { start, end, severity } of findings.filter(({ start }) => start !== undefined).sort((a, b) => a.start - b.start)) {
    if (start < at) continue;
    parts.push(state.text.slice(at, start), element("span", { class: severity }, state.text.slice(start, end) || " "));
    at = end;
  }
  byId("marks").replaceChildren(...parts, state.text.slice(at), "\n");
  follow();
}

// The layers beneath scroll as the area does.
function follow() {
  if (editor.area.scrollLeft <= parseFloat(getComputedStyle(editor.area).paddingLeft)) editor.area.scrollLeft = 0; // a caret at a line's begin hides no margin
  for (const id of ["marks", "coloured"]) {
    byId(id).scrollTop = editor.area.scrollTop;
    byId(id).scrollLeft = editor.area.scrollLeft;
  }
}

// ---- completion ------------------------------------------------------------------------------------

const typedBefore = () => editor.area.value.slice(0, editor.area.selectionStart).match(/[\w.]*$/)[0];

// One question at a time: who types quickly wants the answer to the last key alone, and the check not behind the others.
async function completeHere() {
  editor.again = editor.asking;
  if (editor.asking) return;
  editor.asking = true;
  const { area } = editor, at = area.selectionStart, text = area.value, { closed } = editor;
  const told = await ask("complete", text, { at }).catch(() => ({ items: [] }));
  editor.asking = false;
  if (editor.again) completeHere();
  if (area.value !== text || area.selectionStart !== at || editor.closed !== closed) return;
  const typed = typedBefore();
  const items = told.items.filter(([name]) => name.startsWith(typed) && name !== typed).slice(0, 40);
  Object.assign(editor, { items, chosen: 0, from: at - typed.length });
  showCompletion();
}

function showCompletion() {
  const box = byId("completion"), { area, items, chosen } = editor;
  box.hidden = !items.length;
  box.replaceChildren(...items.map(([text, kind, about], k) => {
    const option = element("div", { role: "option", id: `option-${k}`, "aria-selected": String(k === chosen) }, text);
    option.append(element("span", { class: "note" }, about ? about : kind));
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(k);
    });
    return option;
  }));
  if (box.hidden) return area.removeAttribute("aria-activedescendant");
  area.setAttribute("aria-activedescendant", `option-${chosen}`);
  const before = area.value.slice(0, area.selectionStart).split("\n"), style = getComputedStyle(area);
  const tall = parseFloat(style.lineHeight), wide = parseFloat(style.fontSize) * 0.602;
  box.style.top = `${before.length * tall + 14 - area.scrollTop}px`;
  box.style.left = `${Math.max(0, Math.min(before.at(-1).length * wide + 12 - area.scrollLeft, area.clientWidth - 200))}px`;
  box.children[chosen].scrollIntoView({ block: "nearest" });
}

function take(k) {
  const [text] = editor.items[k];
  const { from, area } = editor;
  hideCompletion();
  replacePiece(from, area.selectionStart, text);
}

function hideCompletion() {
  editor.items = [];
  editor.closed += 1; // an answer that is on its way opens nothing
  editor.again = false;
  showCompletion();
}

// What is still meant of what is listed, at once: Enter takes nothing that another key has ruled out.
function narrowCompletion() {
  const typed = typedBefore(), { from, area } = editor;
  const meant = from === area.selectionStart - typed.length ? editor.items.filter(([name]) => name.startsWith(typed) && name !== typed) : [];
  Object.assign(editor, { items: meant, chosen: 0 });
  showCompletion();
}

function editorKey(event) {
  const { key, ctrlKey, metaKey } = event, { items } = editor;
  const open = items.length > 0;
  const act = (run) => {
    event.preventDefault();
    run();
  };
  if (key === " " && (ctrlKey || metaKey)) return act(completeHere);
  if (open && (key === "ArrowDown" || key === "ArrowUp")) {
    return act(() => {
      editor.chosen = (editor.chosen + (key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
      showCompletion();
    });
  }
  if (open && (key === "Enter" || key === "Tab")) return act(() => take(editor.chosen));
  if (key === "Escape") {
    editor.leaves = true; // so that Tab goes on to what follows
    if (open) event.preventDefault();
    return hideCompletion();
  }
  if (key === "Tab" && !event.shiftKey && !editor.leaves) {
    return act(() => replacePiece(editor.area.selectionStart, editor.area.selectionEnd, "  "));
  }
  if (key !== "Tab" && key !== "Shift") editor.leaves = false;
  return undefined;
}

function startEditor() {
  const { area } = editor;
  area.addEventListener("input", () => {
    written();
    narrowCompletion();
    if (editor.items.length || /[A-Za-z]{2,}$|[@({] ?$/.test(area.value.slice(0, area.selectionStart))) completeHere();
    else hideCompletion();
  });
  area.addEventListener("keydown", editorKey);
  area.addEventListener("scroll", follow);
  area.addEventListener("blur", hideCompletion);
}
