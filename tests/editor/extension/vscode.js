// What the extension asks of the editor, kept in memory: a test sets `world` and reads what was said and shown.
"use strict";

const path = require("path");

class Emitter {
  constructor() {
    this.listeners = [];
    this.event = (listener) => (this.listeners.push(listener), { dispose: () => this.listeners.splice(this.listeners.indexOf(listener), 1) });
  }
  fire(value) {
    return Promise.all(this.listeners.map((listener) => listener(value)));
  }
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(start, end) {
    Object.assign(this, { start, end });
  }
  contains({ line, character }) {
    const after = line > this.start.line || (line === this.start.line && character >= this.start.character);
    const before = line < this.end.line || (line === this.end.line && character <= this.end.character);
    return after && before;
  }
}

const world = {};
function reset() {
  Object.assign(world, {
    setting: [], folders: [], python: undefined, trusted: true, said: [], chosen: undefined, terminals: [], tasks: [],
    commands: {}, executed: [], panels: [], found: [], changed: new Emitter(), granted: new Emitter(), configured: new Emitter(),
  });
  module.exports.window.activeTextEditor = undefined;
}

function file(name, text) {
  const document = {
    uri: { fsPath: name, toString: () => require("url").pathToFileURL(name).href }, fileName: name, languageId: path.extname(name) === ".cnn" ? "cnn" : "text",
    text, saved: 0, version: 1,
    async save() {
      this.saved += 1;
    },
    getText: (range) => (range ? document.text.split("\n")[range.start.line].slice(range.start.character, range.end.character) : document.text),
    getWordRangeAtPosition({ line, character }, expression) {
      for (const match of document.text.split("\n")[line].matchAll(new RegExp(expression, "g"))) {
        if (match.index <= character && character <= match.index + match[0].length)
          return new Range(new Position(line, match.index), new Position(line, match.index + match[0].length));
      }
    },
  };
  return document;
}

module.exports = {
  world, reset, file, Position, Range, ViewColumn: { Beside: -2 }, TaskScope: { Workspace: 2 },
  ProcessExecution: class {
    constructor(process, args, options) {
      Object.assign(this, { process, args, options });
    }
  },
  Task: class {
    constructor(definition, scope, name, source, execution) {
      Object.assign(this, { definition, scope, name, source, execution });
    }
  },
  workspace: {
    getConfiguration: () => ({ get: () => world.setting }),
    get workspaceFolders() {
      return world.folders.map((folder) => ({ uri: { fsPath: folder } }));
    },
    get isTrusted() {
      return world.trusted;
    },
    getWorkspaceFolder: ({ fsPath }) => {
      const folder = world.folders.find((one) => fsPath.startsWith(one + path.sep));
      return folder && { uri: { fsPath: folder } };
    },
    onDidChangeTextDocument: (listener) => world.changed.event(listener),
    onDidGrantWorkspaceTrust: (listener) => world.granted.event(listener),
    onDidChangeConfiguration: (listener) => world.configured.event(listener),
  },
  extensions: {
    getExtension: (id) =>
      id === "ms-python.python" && world.python
        ? {
            isActive: true,
            exports: {
              environments: {
                getActiveEnvironmentPath: () => "chosen",
                resolveEnvironment: async () => ({ executable: { uri: { fsPath: world.python } } }),
              },
            },
          }
        : undefined,
  },
  window: {
    activeTextEditor: undefined,
    showErrorMessage: async (text) => (world.said.push(text), world.chosen),
    showInformationMessage: async (text) => void world.said.push(text),
    createTerminal: () => {
      const terminal = { shown: false, sent: [], show: () => (terminal.shown = true), sendText: (...sent) => terminal.sent.push(sent) };
      world.terminals.push(terminal);
      return terminal;
    },
    createWebviewPanel: (kind, title, where, options) => {
      const gone = new Emitter();
      const panel = { kind, title, options, webview: { html: "" }, reveal() {}, onDidDispose: gone.event, dispose: () => gone.fire() };
      world.panels.push(panel);
      return panel;
    },
  },
  tasks: { executeTask: async (task) => (world.tasks.push(task), task) },
  languages: { getDiagnostics: () => world.found },
  commands: {
    registerCommand: (name, run) => ((world.commands[name] = run), { dispose() {} }),
    executeCommand: async (...command) => void world.executed.push(command),
  },
};
reset();
