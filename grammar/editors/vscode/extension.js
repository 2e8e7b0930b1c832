// Starts `cnnspec lsp` of the workspace's environment, and asks it for drawings, tables and explanations.
"use strict";

const fs = require("fs");
const path = require("path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const INSTALL = "pip install 'cnnspec[lsp]'";
const SHOWN = 80; // milliseconds after a key until the drawing follows

let client;
let panel; // the drawing, and the text that it is of
let drawn;
let waiting;

/** What starts cnnspec: the setting, the workspace's environment, that of the Python extension, the search path. */
async function command() {
  const said = vscode.workspace.getConfiguration("cnnspec").get("command");
  if (said && said.length) return said;
  const windows = process.platform === "win32";
  const [folder, name] = windows ? ["Scripts", "cnnspec.exe"] : ["bin", "cnnspec"];
  for (const { uri } of vscode.workspace.workspaceFolders || []) {
    for (const environment of [".venv", "venv", "env"]) {
      const found = path.join(uri.fsPath, environment, folder, name);
      if (fs.existsSync(found)) return [found];
    }
  }
  const python = await interpreter();
  if (python) {
    const beside = path.join(path.dirname(python), name);
    return fs.existsSync(beside) ? [beside] : [python, "-m", "cnnspec"];
  }
  return ["cnnspec"];
}

async function interpreter() {
  const extension = vscode.extensions.getExtension("ms-python.python");
  if (!extension) return undefined;
  try {
    const api = extension.isActive ? extension.exports : await extension.activate();
    const chosen = await api.environments.resolveEnvironment(api.environments.getActiveEnvironmentPath());
    return chosen && chosen.executable.uri && chosen.executable.uri.fsPath;
  } catch {
    return undefined;
  }
}

async function start() {
  if (!vscode.workspace.isTrusted) return; // the server is a program of the workspace's environment
  const [program, ...rest] = await command();
  const server = { command: program, args: [...rest, "lsp"] };
  client = new LanguageClient("cnnspec", "cnnspec", server, { documentSelector: [{ language: "cnn" }] });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    await missing(program, error);
  }
}

async function missing(program, error) {
  const shown = `cnnspec: the server "${program}" does not start (${error.message || error}). Install it: ${INSTALL}`;
  const chosen = await vscode.window.showErrorMessage(shown, "Install in a terminal", "Choose another command");
  if (chosen === "Install in a terminal") {
    const terminal = vscode.window.createTerminal("cnnspec");
    terminal.show();
    terminal.sendText(INSTALL, false); // the user presses Enter
  } else if (chosen) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "cnnspec.command");
  }
}

async function stop() {
  const old = client;
  client = undefined;
  if (old) await old.stop().catch(() => undefined);
}

function current() {
  const editor = vscode.window.activeTextEditor;
  if (editor && editor.document.languageId === "cnn") return editor;
  vscode.window.showInformationMessage("cnnspec: open a .cnn file first");
  return undefined;
}

// ---- the drawing beside the text ---------------------------------------------------------------------------

function show() {
  const editor = current();
  if (!editor) return;
  drawn = editor.document;
  if (!panel) {
    const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    panel = vscode.window.createWebviewPanel("cnnspec.drawing", "Drawing", beside, { enableScripts: false });
    panel.onDidDispose(() => {
      panel = drawn = undefined;
    });
  }
  panel.reveal(undefined, true);
  return draw();
}

async function draw() {
  const document = drawn;
  if (!panel || !document || !client) return;
  const answer = await client.sendRequest("cnnspec/drawing", { textDocument: { uri: document.uri.toString() } });
  if (!panel || drawn !== document) return;
  panel.title = `Drawing of ${path.basename(document.fileName)}`;
  if (answer && answer.svg) panel.webview.html = page(answer.svg); // a text that cannot be read keeps the last one
}

/** The drawing as a picture, in which nothing of it can run. */
function page(svg) {
  const data = Buffer.from(svg, "utf8").toString("base64");
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<style>body{background:#fff;margin:0}img{max-width:100%}</style>
<img alt="drawing of the network" src="data:image/svg+xml;base64,${data}">`;
}

function changed({ document }) {
  if (document !== drawn) return;
  clearTimeout(waiting);
  waiting = setTimeout(draw, SHOWN);
}

// ---- commands in a terminal --------------------------------------------------------------------------------

/** A program with its arguments as a task: no shell reads them. */
async function task(name, ...args) {
  const [program, ...rest] = await command();
  const folder = vscode.workspace.getWorkspaceFolder(vscode.window.activeTextEditor.document.uri);
  const execution = new vscode.ProcessExecution(program, [...rest, ...args], folder ? { cwd: folder.uri.fsPath } : {});
  const scope = folder || vscode.TaskScope.Workspace;
  return vscode.tasks.executeTask(new vscode.Task({ type: "cnnspec" }, scope, name, "cnnspec", execution));
}

async function onFile(name) {
  const editor = current();
  if (!editor) return;
  await editor.document.save();
  return task(name, name, editor.document.fileName);
}

async function explain() {
  const editor = current();
  if (!editor) return;
  const here = editor.selection.active;
  const found = vscode.languages.getDiagnostics(editor.document.uri).find(({ range }) => range.contains(here));
  const written = editor.document.getText(editor.document.getWordRangeAtPosition(here, /CNN\d{3}/) || new vscode.Range(here, here));
  const code = found ? String(found.code && found.code.value ? found.code.value : found.code) : written;
  if (/^CNN\d{3}$/.test(code)) return task(`explain ${code}`, "explain", code);
  vscode.window.showInformationMessage("cnnspec: there is no finding at the cursor");
}

async function activate(context) {
  const commands = {
    "cnnspec.run": () => onFile("run"),
    "cnnspec.summary": () => onFile("summary"),
    "cnnspec.draw": show,
    "cnnspec.explain": explain,
    "cnnspec.restart": async () => {
      await stop();
      await start();
    },
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(name, run));
  }
  context.subscriptions.push(vscode.workspace.onDidChangeTextDocument(changed));
  context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(start));
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("cnnspec.command")) return stop().then(start);
    })
  );
  await start();
}

module.exports = { activate, deactivate: stop, command, page };
