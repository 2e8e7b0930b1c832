// The extension in Node, with the editor's module in memory and the server as it is.
// EXTENSION is its file, SERVER how the server is started, as JSON.
"use strict";

const assert = require("node:assert");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { test, beforeEach, afterEach } = require("node:test");

const Module = require("module");
const resolve = Module._resolveFilename;
const OURS = { vscode: path.join(__dirname, "vscode.js"), "vscode-languageclient/node": path.join(__dirname, "client.js") };
Module._resolveFilename = (name, ...rest) => OURS[name] || resolve(name, ...rest);

const vscode = require("vscode");
const { world } = vscode;
const { started } = require("vscode-languageclient/node");
const SERVER = JSON.parse(process.env.SERVER);
const GOOD = "input 1x8x8\nconv 4x3x3 -> relu -> dense 2 -> softmax\n";

let extension, context, folder;
beforeEach(() => {
  vscode.reset();
  delete require.cache[process.env.EXTENSION];
  extension = require(process.env.EXTENSION);
  context = { subscriptions: [] };
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "cnn "));
  world.folders = [folder];
});
afterEach(async () => {
  await extension.deactivate();
  fs.rmSync(folder, { recursive: true });
});

async function opened(text, name = "a;b.cnn") {
  world.setting = SERVER;
  await extension.activate(context);
  const document = vscode.file(path.join(folder, name), text);
  vscode.window.activeTextEditor = { document, selection: { active: new vscode.Position(0, 0) } };
  started.at(-1).opened(document);
  return document;
}

async function typed(document, text) {
  document.text = text;
  document.version += 1;
  started.at(-1).changed(document);
  await world.changed.fire({ document });
}

async function until(done) {
  for (let i = 0; i < 1500; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`not within half a minute: ${done}`);
}

const picture = () => Buffer.from(world.panels[0].webview.html.split("base64,")[1] || "", "base64").toString("utf8");

test("the server is that of the setting, the workspace, the Python extension, the search path", async () => {
  const [inside, name] = process.platform === "win32" ? ["Scripts", "cnnspec.exe"] : ["bin", "cnnspec"];
  assert.deepEqual(await extension.command(), ["cnnspec"]);
  world.python = path.join(folder, "conda", inside, "python");
  assert.deepEqual(await extension.command(), [world.python, "-m", "cnnspec"]);
  fs.mkdirSync(path.dirname(world.python), { recursive: true });
  fs.writeFileSync(path.join(path.dirname(world.python), name), "");
  assert.deepEqual(await extension.command(), [path.join(path.dirname(world.python), name)]);
  fs.mkdirSync(path.join(folder, "venv", inside), { recursive: true });
  fs.writeFileSync(path.join(folder, "venv", inside, name), "");
  assert.deepEqual(await extension.command(), [path.join(folder, "venv", inside, name)]);
  world.setting = ["python", "-m", "cnnspec"];
  assert.deepEqual(await extension.command(), ["python", "-m", "cnnspec"]);
});

test("an untrusted workspace starts nothing, and a trusted one the server", async () => {
  world.trusted = false;
  world.setting = SERVER;
  const before = started.length;
  await extension.activate(context);
  assert.equal(started.length, before);
  world.trusted = true;
  await world.granted.fire();
  assert.equal(started.length, before + 1);
});

test("a missing server is said, with how it is installed, and the user presses Enter", async () => {
  world.setting = [path.join(folder, "no-such-program")];
  world.chosen = "Install in a terminal";
  await extension.activate(context);
  assert.match(world.said[0], /no-such-program.*pip install 'cnnspec\[lsp\]'/s);
  assert.deepEqual(world.terminals[0].sent, [["pip install 'cnnspec[lsp]'", false]]);
  world.chosen = "Choose another command";
  await world.commands["cnnspec.restart"]();
  assert.deepEqual(world.executed, [["workbench.action.openSettings", "cnnspec.command"]]);
});

test("another setting starts another server, and the old one leaves", async () => {
  await opened(GOOD);
  const old = started.at(-1);
  await world.configured.fire({ affectsConfiguration: (name) => name === "cnnspec.command" });
  assert.equal(old.ended, 0);
  assert.notEqual(started.at(-1), old);
});

test("the drawing follows the keys, and stays while the text is wrong", async () => {
  const document = await opened(GOOD);
  await world.commands["cnnspec.draw"]();
  await until(() => picture().includes("4×6×6"));
  assert.equal(world.panels[0].options.enableScripts, false);
  assert.equal(world.panels[0].title, "Drawing of a;b.cnn");
  await typed(document, GOOD.replace("conv 4x3x3", "conv 7x3x3"));
  await until(() => picture().includes("7×6×6"));
  await typed(document, GOOD.replace("conv", "cnv"));
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.ok(picture().includes("7×6×6"));
  await world.panels[0].dispose();
  await world.commands["cnnspec.draw"]();
  assert.equal(world.panels.length, 2);
});

test("a file is trained and listed by a task that no shell reads", async () => {
  const document = await opened(GOOD);
  await world.commands["cnnspec.run"]();
  await world.commands["cnnspec.summary"]();
  assert.equal(document.saved, 2);
  const [program, ...rest] = SERVER;
  for (const [i, name] of ["run", "summary"].entries()) {
    const { execution } = world.tasks[i];
    assert.deepEqual([execution.process, execution.args], [program, [...rest, name, document.fileName]]);
    assert.equal(execution.options.cwd, folder);
  }
});

test("the code at the cursor is explained: of a finding, or written", async () => {
  const document = await opened(`${GOOD}# cnnspec: ignore CNN231\n`);
  const editor = vscode.window.activeTextEditor;
  await world.commands["cnnspec.explain"]();
  assert.match(world.said.at(-1), /no finding/);
  editor.selection.active = new vscode.Position(2, 20);
  await world.commands["cnnspec.explain"]();
  assert.deepEqual(world.tasks.at(-1).execution.args.slice(-2), ["explain", "CNN231"]);
  world.found = [{ range: new vscode.Range(new vscode.Position(1, 0), new vscode.Position(1, 4)), code: { value: "CNN201" } }];
  editor.selection.active = new vscode.Position(1, 2);
  await world.commands["cnnspec.explain"]();
  assert.deepEqual(world.tasks.at(-1).execution.args.slice(-2), ["explain", "CNN201"]);
  assert.equal(document.saved, 0);
});

test("without a spec in front every command says so and does nothing", async () => {
  await opened(GOOD);
  vscode.window.activeTextEditor = { document: vscode.file(path.join(folder, "notes.txt"), "x") };
  for (const name of ["run", "summary", "draw", "explain"]) await world.commands[`cnnspec.${name}`]();
  assert.deepEqual([world.tasks.length, world.panels.length, world.said.length], [0, 0, 4]);
});
