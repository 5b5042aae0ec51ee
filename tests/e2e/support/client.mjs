// A WebSocket client (npm ws) whose messages wait in a queue until a test asks for them. Frames of
// the Agents protocol go past it, as past an application's own client, unless it asks for them.
import { WebSocket } from "ws";
import { within } from "./deadline.mjs";

const patience = 10_000;

const isProtocolFrame = (message) =>
  typeof message === "string" && /"type":"cf_agent_(identity|state|mcp_servers)"/.test(message);

export class Client {
  static async connect(server, path, options = {}) {
    const client = new this(server, path, options);
    await within(client.opened, patience, `opening ${path}`);
    return client;
  }

  /** `frames`: also those of the Agents protocol. The rest goes to ws. */
  constructor(server, path, { frames = false, ...options } = {}) {
    this.frames = frames;
    this.socket = new WebSocket(server.wsUrl(path), { perMessageDeflate: false, ...options });
    this.messages = [];
    this.waiting = [];
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
    this.opened.catch(() => {});
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on("message", (data, isBinary) => this.push(isBinary ? data : data.toString()));
  }

  push(message) {
    if (!this.frames && isProtocolFrame(message)) return;
    const waiter = this.waiting.shift();
    if (waiter) waiter(message);
    else this.messages.push(message);
  }

  /** The next message: a string, or a Buffer if it was binary. */
  next() {
    if (this.messages.length > 0) return Promise.resolve(this.messages.shift());
    const come = new Promise((resolve) => this.waiting.push(resolve));
    const closed = this.closed.then(({ code, reason }) => {
      throw new Error(`closed with ${code} ${reason} instead of a message`);
    });
    closed.catch(() => {});
    return within(Promise.race([come, closed]), patience, "a message");
  }

  async nextJson() {
    return JSON.parse(await this.next());
  }

  send(data) {
    this.socket.send(data);
  }

  /** Sends a JSON command and returns the next message as JSON. */
  ask(command) {
    this.send(JSON.stringify(command));
    return this.nextJson();
  }

  /** Sends a message as it is and returns the next one as JSON. */
  say(message) {
    this.send(message);
    return this.nextJson();
  }

  /** Closes as a browser does, and waits for the end. */
  async close(code, reason) {
    this.socket.close(code, reason);
    return within(this.closed, patience, "the close handshake");
  }

  ended() {
    return within(this.closed, patience, "the end of the connection");
  }
}
