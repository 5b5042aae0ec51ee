// One WebSocket client of a recording: npm ws, with everything that it sees as rows in a queue.
import { WebSocket } from "ws";

export class Visitor {
  constructor(url, { protocols, compressed = false } = {}) {
    this.rows = [];
    this.changed = () => {};
    this.opened = new Promise((resolve) => { this.settle = resolve; });
    this.socket = new WebSocket(url, protocols ?? [], { perMessageDeflate: compressed });
    this.socket.on("upgrade", ({ statusCode, headers }) => {
      this.upgrade = { status: statusCode, headers };
    });
    this.socket.on("open", () => {
      this.listen();
      this.settle(this.upgrade);
    });
    this.socket.on("unexpected-response", (request, response) => this.refused(request, response));
    this.socket.on("error", (error) => {
      this.push({ event: "error", message: error.message });
      this.settle(this.upgrade ?? { error: error.message });
    });
    this.socket.on("message", (data, isBinary) => this.push(isBinary
      ? { dir: "s->c", kind: "binary", hex: data.toString("hex") }
      : { dir: "s->c", kind: "text", data: data.toString() }));
    this.socket.on("pong", (data) => this.push({ dir: "s->c", kind: "pong", data: data.toString() }));
    this.socket.on("close", (code, reason) => this.push(
      { event: "tcp-closed", eventCode: code, eventReason: reason.toString() }));
  }

  // ws tells of a close frame only at the end of the connection; its receiver does at once.
  listen() {
    this.socket._receiver.on("conclude", (code, reason) => this.push(
      { dir: "s->c", kind: "close", code: code === 1005 ? null : code, reason: reason.toString() }));
  }

  refused(request, response) {
    const pieces = [];
    response.on("data", (piece) => pieces.push(piece));
    response.on("end", () => {
      this.settle({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString() });
      request.destroy();
    });
  }

  push(row) {
    this.rows.push(row);
    this.changed();
  }

  /** The next row (of those that `isMeant`), or undefined if none comes in time. */
  async next(patience, isMeant = () => true) {
    const until = Date.now() + patience;
    for (;;) {
      const at = this.rows.findIndex(isMeant);
      if (at >= 0) return this.rows.splice(at, 1)[0];
      const left = until - Date.now();
      if (left <= 0) return undefined;
      let timer;
      await new Promise((resolve) => {
        this.changed = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  send(row) {
    if (this.socket.readyState === WebSocket.CONNECTING) return; // was refused
    this.socket.send(row.kind === "binary" ? Buffer.from(row.hex, "hex") : row.data);
  }

  close({ code, reason }) {
    if (code === null) this.socket.close();
    else this.socket.close(code, reason);
  }

  drop() {
    this.socket.terminate();
  }

  /** Waits until all that the server has sent up to now is here. */
  async flush(patience) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const come = new Promise((resolve) => {
      this.socket.once("pong", resolve);
      this.socket.once("close", resolve);
      setTimeout(resolve, patience).unref();
    });
    this.socket.ping("flush");
    await come;
    const own = this.rows.findLastIndex(({ kind, data }) => kind === "pong" && data === "flush");
    if (own >= 0) this.rows.splice(own, 1);
  }
}
