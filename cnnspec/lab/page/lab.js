// The page from its first moment on: what it opens, and what hears what.

function showSpecs() {
  const choice = byId("specs");
  const option = ({ name, title }) => element("option", { value: name }, title || name);
  const first = given.specs.find(({ text }) => text === given.text);
  if (!first) choice.append(element("option", { value: "" }, given.name || "your own"));
  choice.append(element("optgroup", { label: "specs" }, ...given.specs.map(option)));
  if (given.lessons.length) choice.append(element("optgroup", { label: "lessons" }, ...given.lessons.map(option)));
  choice.value = first?.name ?? "";
  choice.addEventListener("change", () => openNamed(choice.value));
}

function openNamed(name) {
  const lesson = given.lessons.find((one) => one.name === name) || null;
  const spec = lesson || given.specs.find((one) => one.name === name);
  openLesson(lesson);
  setText(spec ? spec.text : given.text);
  if (lesson) state.seed = lesson.seed ?? 1;
  byId("seed").value = state.seed;
}

async function openFirst(hash) {
  const kept = await linked(hash);
  if (!kept) {
    setText(given.text);
    return showView("drawing");
  }
  state.seed = byId("seed").value = kept.seed;
  openLesson(given.lessons.find((one) => one.name === kept.lesson) || null);
  Object.assign(inside, { of: "", place: kept.place });
  setText(kept.text);
  byId("watched").append(element("option", { value: kept.image }, ""));
  byId("watched").value = kept.image;
  arrived.weights = kept.weights;
  return showView(kept.view);
}

hear("written", checkText);
hear("network", showNetwork);
hear("network", async () => {
  const { weights } = arrived;
  if (weights && weights !== arrived.taking) {
    arrived.taking = weights;
    await takeWeights(weights);
    if (weights === arrived.weights) arrived.weights = null;
  }
  showInside();
});
hear("view", showInside);
startEditor();
startTabs();
startTraining();
showSpecs();
byId("share").addEventListener("click", () => share().catch(leaveIt));
byId("download").addEventListener("click", () => offer(state.text, given.name || "net.cnn"));
byId("drawing-out").addEventListener("click", () => {
  if (shownNetwork.drawing) offer(shownNetwork.drawing, `${(given.name || "net").replace(/\.cnn$/, "")}.svg`);
  else say("There is no drawing yet: the text has errors.");
});
byId("save").hidden = !given.saves;
byId("save").addEventListener("click", async () => {
  const told = await ask("save", state.text).catch(({ message }) => ({ problem: message }));
  say(told.problem || `Saved to ${given.name}.`);
});
window.addEventListener("keydown", (event) => {
  if (given.saves && event.key === "s" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    byId("save").click();
  }
});
window.addEventListener("hashchange", ({ newURL }) => { // a link, while it is open; whatever the address is by now
  const { hash } = new URL(newURL);
  if (hash.startsWith("#lab=")) openFirst(hash);
});
openFirst(window.location.hash);
