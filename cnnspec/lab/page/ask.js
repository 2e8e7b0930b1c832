// Who answers questions about a text: the server of `cnnspec lab`, Python in this page, or, of texts that the page
// was given, what it was given with them.

const asker = { python: null };

async function ask(what, text, { at = 0, settings = [] } = {}) {
  const question = { ask: what, text, at, settings };
  if (given.server) {
    const answer = await fetch("ask", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question),
    });
    if (!answer.ok) throw new Error(answer.status === 413 ? "the text is too long" : `the server refuses: ${answer.status}`);
    const told = await answer.json();
    if (told.fault) throw new Error(told.fault);
    return told;
  }
  const known = settings.length ? null : (await answersOf(text))?.[what];
  if (known) return known;
  if (!given.python) throw new Error("this page has no compiler: it shows and trains the specs and lessons that it came with");
  asker.python ||= startPython();
  return (await asker.python)(question);
}

// What the page was given with a text, a script for each spec and lesson; null of any other text.
async function answersOf(text) {
  const of = [...given.specs, ...given.lessons].find((one) => one.text === text || one.exercises?.some(({ change }) => change && one.text.replace(change[0], () => change[1]) === text));
  if (!of || given.server) return null;
  if (!given.answers?.[text]) await loadScript(`answers/${of.name}.js`);
  return given.answers?.[text] ?? null;
}

// A script of this page's folder, run once it is there; whether there is one shows in what it has set.
const loadScript = (src) => new Promise((done) => {
  const script = element("script", { src });
  script.onload = script.onerror = done;
  document.head.append(script);
});
