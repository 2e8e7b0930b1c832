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
  if (window.location.protocol === "file:") throw new Error("a browser loads no Python from the file system: this page needs a web server to check another text");
  asker.python ||= startPython();
  return (await asker.python)(question);
}

// What the page was given with a text, a script for each spec and lesson; null of any other text.
async function answersOf(text) {
  const of = [...given.specs, ...given.lessons].find((one) => one.text === text || one.exercises?.some(({ change }) => change && one.text.replace(change[0], () => change[1]) === text));
  if (!of || given.server) return null;
  if (!given.answers?.[text]) {
    await new Promise((done) => {
      const script = element("script", { src: `answers/${of.name}.js` });
      script.onload = script.onerror = done;
      document.head.append(script);
    });
  }
  return given.answers?.[text] ?? null;
}

// Python in a worker of its own, so that the page stays quick: Pyodide, and our wheels in it.
async function startPython() {
  say("Python is being loaded, once ...");
  const { hashes } = given.python, folder = new URL(given.python.folder, document.baseURI).href;
  const archives = given.python.archives.map((name) => new URL(name, document.baseURI).href);
  const scripts = hashes ? await verifiedScripts(folder, hashes) : "";
  const text = `${scripts}\n(${pythonWorker})(${[folder, archives, hashes].map((part) => JSON.stringify(part ?? null)).join(", ")})`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const waiting = new Map();
  let asked = 0;
  return new Promise((ready, failed) => {
    worker.onmessage = ({ data: { id, told, problem } }) => {
      if (id === 0) {
        say(problem ? "" : "Python is here.");
        if (problem) return failed(new Error(problem));
        return ready((question) => new Promise((done, refused) => {
          waiting.set(++asked, [done, refused]);
          worker.postMessage({ id: asked, question });
        }));
      }
      const [done, refused] = waiting.get(id);
      waiting.delete(id);
      if (problem) refused(new Error(problem));
      else done(JSON.parse(told));
    };
    worker.onerror = (event) => failed(new Error(event.message || "a worker could not be started"));
  });
}

// Pyodide's own scripts from another server, as a part of the worker: the browser takes them only with the hashes that
// the page came with. The module becomes a plain script that knows where it came from.
async function verifiedScripts(folder, hashes) {
  const texts = await Promise.all(Object.keys(hashes).filter((name) => /\.m?js$/.test(name)).map(async (name) => {
    const got = await fetch(`${folder}${name}`, { integrity: hashes[name] }).catch(() => null);
    if (!got?.ok) throw new Error(`${name} of Pyodide is not there, or not the one that this page was made with`);
    const text = await got.text();
    return name.endsWith(".mjs") ? text.replaceAll("import.meta.url", JSON.stringify(`${folder}${name}`)).replace(/export default (\w+);\s*$/, "self.createPyodideModule = $1;") : text;
  }));
  return texts.join("\n");
}

// What that worker does, in a scope of its own. With `hashes` Pyodide's scripts stand before it.
async function pythonWorker(folder, archives, hashes) {
  const queue = [];
  let answer = null;
  const reply = ({ id, question }) => {
    try {
      self.postMessage({ id, told: answer(JSON.stringify(question)) });
    } catch (problem) {
      self.postMessage({ id, problem: String(problem).trim().split("\n").pop() });
    }
  };
  self.onmessage = ({ data }) => (answer ? reply(data) : queue.push(data));
  try {
    if (hashes) {
      const plain = self.fetch.bind(self);
      self.fetch = (what, how = {}) => {
        const address = String(what.url ?? what), integrity = address.startsWith(folder) && hashes[address.slice(folder.length)];
        return plain(what, integrity ? { ...how, integrity } : how);
      };
    } else importScripts(`${folder}pyodide.js`);
    const python = await self.loadPyodide({ indexURL: folder, ...(hashes && { createPyodideModule: self.createPyodideModule }) });
    for (const archive of archives) {
      const got = await fetch(archive);
      if (!got.ok) throw new Error(`${archive} is not there: ${got.status}`);
      python.unpackArchive(await got.arrayBuffer(), "zip", { extractDir: "/compiler" });
    }
    answer = python.runPython("import sys\nsys.path.insert(0, '/compiler')\nfrom cnnspec.lab.front import answer_json\nanswer_json");
    self.postMessage({ id: 0 });
    queue.forEach(reply);
  } catch (problem) {
    self.postMessage({ id: 0, problem: String(problem).trim().split("\n").pop() });
  }
}
