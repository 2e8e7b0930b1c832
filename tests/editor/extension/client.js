// The part of vscode-languageclient that the extension uses: it starts the server and speaks with it.
"use strict";

const { spawn } = require("child_process");

exports.started = [];

exports.LanguageClient = class {
  constructor(id, name, server) {
    Object.assign(this, { server, waiting: new Map(), next: 1, read: Buffer.alloc(0) });
  }

  async start() {
    this.process = spawn(this.server.command, this.server.args, { stdio: ["pipe", "pipe", "ignore"] });
    await new Promise((resolve, reject) => this.process.once("spawn", resolve).once("error", reject));
    this.left = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdout.on("data", (data) => this.take(data));
    await this.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
    this.send({ method: "initialized", params: {} });
    exports.started.push(this);
  }

  send(message) {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  take(data) {
    this.read = Buffer.concat([this.read, data]);
    for (;;) {
      const head = /^(?:[^\r\n]+\r\n)*?Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*?\r\n/i.exec(this.read.toString("latin1"));
      if (!head || this.read.length < head[0].length + Number(head[1])) return;
      const message = JSON.parse(this.read.subarray(head[0].length, head[0].length + Number(head[1])).toString("utf8"));
      this.read = this.read.subarray(head[0].length + Number(head[1]));
      const waiting = this.waiting.get(message.id);
      if (waiting && !message.method) waiting[message.error ? 1 : 0](message.error || message.result);
    }
  }

  sendRequest(method, params) {
    const id = this.next++;
    const answer = new Promise((resolve, reject) => this.waiting.set(id, [resolve, reject]));
    this.send({ id, method, params });
    return answer;
  }

  opened(document) {
    const { uri, text, version } = document;
    this.send({ method: "textDocument/didOpen", params: { textDocument: { uri: uri.toString(), languageId: "cnn", version, text } } });
  }

  changed(document) {
    const { uri, text, version } = document;
    this.send({ method: "textDocument/didChange", params: { textDocument: { uri: uri.toString(), version }, contentChanges: [{ text }] } });
  }

  async stop() {
    await this.sendRequest("shutdown");
    this.send({ method: "exit" });
    this.ended = await this.left;
  }
};
