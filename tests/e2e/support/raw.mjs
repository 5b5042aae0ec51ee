// A TCP connection on which a test says exactly what it wants, byte by byte.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { within } from "./deadline.mjs";

const patience = 10_000;

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** One frame as a client sends it; every rule can be broken. */
export function frame(opcode, payload = "", options = {}) {
  const { fin = true, rsv = 0, masked = true, lengthBytes } = options;
  const body = Buffer.from(payload);
  const bytes = lengthBytes ?? (body.length < 126 ? 0 : body.length < 65536 ? 2 : 8);
  const head = Buffer.alloc(2 + bytes);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = bytes === 0 ? body.length : bytes === 2 ? 126 : 127;
  if (bytes === 2) head.writeUInt16BE(body.length, 2);
  if (bytes === 8) head.writeBigUInt64BE(BigInt(body.length), 2);
  if (!masked) return Buffer.concat([head, body]);
  head[1] |= 0x80;
  const mask = randomBytes(4);
  const hidden = Buffer.from(body);
  for (let i = 0; i < hidden.length; i += 1) hidden[i] ^= mask[i % 4];
  return Buffer.concat([head, mask, hidden]);
}

export function closePayload(code, reason = "") {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

export class Raw {
  static async connect(server, { admin = false } = {}) {
    const { hostname, port } = new URL(admin ? server.adminOrigin : server.origin);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await within(once(socket, "connect"), patience, "a TCP connection");
    return new Raw(socket);
  }

  /** A connection with the WebSocket handshake behind it. */
  static async open(server, path, headers = {}) {
    const raw = await Raw.connect(server);
    raw.send(upgrade(path, headers));
    const head = await raw.head();
    if (head.status !== 101) throw new Error(`upgrade answered ${head.status}`);
    return raw;
  }

  constructor(socket) {
    this.socket = socket;
    this.pieces = [];
    this.size = 0;
    this.isEnded = false;
    this.wasReset = false;
    this.changed = () => {};
    socket.on("data", (data) => {
      this.pieces.push(data);
      this.size += data.length;
      this.changed();
    });
    const end = () => { this.isEnded = true; this.changed(); };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", () => { this.wasReset = true; end(); });
  }

  /** What came and wasn't taken yet. */
  get buffer() {
    if (this.pieces.length !== 1) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0];
  }

  send(data) {
    this.socket.write(data);
  }

  sendFrame(opcode, payload, options) {
    this.send(frame(opcode, payload, options));
  }

  destroy() {
    this.socket.destroy();
  }

  /** Closes with RST. */
  reset() {
    this.socket.resetAndDestroy();
  }

  async until(ready, what) {
    const wait = async () => {
      while (!ready()) {
        if (this.isEnded) {
          throw new Error(`the connection ended before ${what}; it said: ${this.buffer.toString("latin1").slice(0, 300)}`);
        }
        await new Promise((resolve) => { this.changed = resolve; });
      }
    };
    await within(wait(), patience, what);
  }

  async bytes(count, what = `${count} bytes`) {
    await this.until(() => this.size >= count, what);
    const whole = this.buffer;
    this.pieces = [whole.subarray(count)];
    this.size -= count;
    return whole.subarray(0, count);
  }

  /** Status and headers of the next HTTP answer. */
  async head() {
    await this.until(() => this.buffer.includes("\r\n\r\n"), "an HTTP head");
    const end = this.buffer.indexOf("\r\n\r\n");
    const [first, ...lines] = (await this.bytes(end + 4)).toString("latin1").trimEnd().split("\r\n");
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    return { status: Number(first.split(" ")[1]), headers };
  }

  /** The next HTTP answer with its body. */
  async answer() {
    const { status, headers } = await this.head();
    const body = (await this.bytes(Number(headers.get("content-length") ?? 0))).toString();
    return { status, headers, body };
  }

  /** The next frame of the server. */
  async nextFrame() {
    const [first, second] = await this.bytes(2, "a frame");
    let length = second & 0x7f;
    if (length === 126) length = (await this.bytes(2)).readUInt16BE();
    else if (length === 127) length = Number((await this.bytes(8)).readBigUInt64BE());
    const payload = Buffer.from(await this.bytes(length));
    return { opcode: first & 0x0f, fin: first >> 7 === 1, rsv: (first >> 4) & 7, masked: second >> 7 === 1, payload };
  }

  /** The next frame, which must be a close: its code (1005 if it has none) and reason. */
  async nextClose() {
    const { opcode, payload } = await this.nextFrame();
    if (opcode !== Opcode.close) throw new Error(`a frame with opcode ${opcode}, not a close: ${payload}`);
    if (payload.length === 0) return { code: 1005, reason: "" };
    return { code: payload.readUInt16BE(), reason: payload.subarray(2).toString() };
  }

  /** Waits until the server has closed; what came before stays in the buffer. */
  async ended() {
    const wait = async () => {
      while (!this.isEnded) await new Promise((resolve) => { this.changed = resolve; });
    };
    await within(wait(), patience, "the end of the connection");
  }
}

/** The head of an upgrade; a header that is undefined is left out. */
export function upgrade(path, headers = {}) {
  const all = {
    Host: "ringroom.test",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
