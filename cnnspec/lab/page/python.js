// Python in this page: Pyodide and the compiler, in a worker of their own, so that the page stays quick. The files are
// part of a script (`python/files.js`), so that a page that is opened from a disk has them, too; where Pyodide is
// another server's, its files are asked for there, and with hashes the browser takes only those that are meant.

const PYODIDE = ["pyodide.js", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
const FORMERLY = { "pyodide.asm.mjs": "pyodide.asm.js" }; // what older versions call a file

// A question to Python; the answer to it.
async function startPython() {
  say("Python is being loaded, once ...");
  await loadScript("python/files.js");
  if (!given.files) throw new Error("python/files.js is not there");
  const files = { ...given.files, ...(given.python.folder && await filesOf(given.python)) };
  const folder = new URL(given.python.folder || "pyodide/", document.baseURI).href;
  const scripts = Object.keys(files).filter((name) => /\.m?js$/.test(name)).map(async (name) => plainScript(await textOf(files[name]), `${folder}${name}`));
  const text = `${(await Promise.all(scripts)).join("\n")}\n(${pythonWorker})(${JSON.stringify(folder)})`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  worker.postMessage({ files });
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

// The files of Pyodide from another server, by their names.
async function filesOf({ folder, hashes }) {
  const got = async (name) => {
    const answer = await fetch(`${folder}${name}`, hashes ? { integrity: hashes[name] } : {}).catch(() => null);
    if (answer?.ok) return [name, await answer.arrayBuffer()];
    if (!hashes && FORMERLY[name]) return got(FORMERLY[name]);
    throw new Error(`${name} of Pyodide is not there, or not the one that this page was made with`);
  };
  return Object.fromEntries(await Promise.all((hashes ? Object.keys(hashes) : PYODIDE).map(got)));
}

const textOf = (file) => new Response(typeof file === "string" ? new Blob([bytesOf(file)]).stream().pipeThrough(new DecompressionStream("gzip")) : file).text();

// A module as a plain script that knows where it came from.
const plainScript = (text, address) => (address.endsWith(".mjs") ?
  text.replaceAll("import.meta.url", () => JSON.stringify(address)).replace(/export default (\w+);\s*$/, "self.createPyodideModule = $1;") : text);

// What the worker does, behind Pyodide's own scripts: it has the files that it is sent, and asks nobody for others.
async function pythonWorker(folder) {
  const queue = [];
  let answer = null;
  const reply = ({ id, question }) => {
    try {
      self.postMessage({ id, told: answer(JSON.stringify(question)) });
    } catch (problem) {
      self.postMessage({ id, problem: String(problem).trim().split("\n").pop() });
    }
  };
  const unpacked = (file) => {
    if (typeof file !== "string") return new Blob([file]).stream();
    const text = atob(file), bytes = new Uint8Array(text.length);
    for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
    return new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  };
  const { files } = await new Promise((sent) => {
    self.onmessage = ({ data }) => (data.files ? sent(data) : answer ? reply(data) : queue.push(data));
  });
  self.fetch = async (what) => {
    const name = String(what.url ?? what).slice(folder.length), file = files[name];
    if (!file) return new Response(null, { status: 404 });
    return new Response(unpacked(file), { headers: { "Content-Type": name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream" } });
  };
  try {
    const python = await self.loadPyodide({ indexURL: folder, createPyodideModule: self.createPyodideModule });
    for (const name of ["cnnspec.zip", "lark.zip"]) python.unpackArchive(await new Response(unpacked(files[name])).arrayBuffer(), "zip", { extractDir: "/compiler" });
    answer = python.runPython("import sys\nsys.path.insert(0, '/compiler')\nfrom cnnspec.lab.front import answer_json\nanswer_json");
    self.postMessage({ id: 0 });
    queue.forEach(reply);
  } catch (problem) {
    self.postMessage({ id: 0, problem: String(problem).trim().split("\n").pop() });
  }
}
