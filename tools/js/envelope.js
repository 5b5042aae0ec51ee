// Ringroom's envelopes (proto/README.md) for browsers and Node: many messages in one WebSocket
// frame. decode() and encode() do the bytes; Batched puts both around a WebSocket, a partysocket or
// an npm ws.
import { Builder, ByteBuffer } from "flatbuffers";

export const subprotocols = { fb: "ringroom.batch.fb.v1", json: "ringroom.batch.json.v1" };

const identifier = "RRE1";
const kinds = ["bytes", "text", "json"];
const messagesMax = 16384;
const open = 1;  // WebSocket.OPEN
const utf8 = new TextDecoder("utf-8", { fatal: true });
const utf8Encoder = new TextEncoder();

/** The envelope in what a WebSocket delivered; null if it is a message by itself. Throws if it is
 *  malformed. Payloads of bytes are views into `data`. */
export function decode(data) {
  if (typeof data === "string") return decodeText(data);
  const bytes = data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const buffer = new ByteBuffer(bytes);
  if (bytes.length < 8 || !buffer.__has_identifier(identifier)) return null;
  const table = place(bytes, buffer.readUint32(0));
  const messages = [];
  forEach(buffer, bytes, buffer.__offset(table, 8) && table + buffer.__offset(table, 8),
    (at) => messages.push(messageOf(buffer, bytes, at)));
  return {
    timestamp: Number(scalar(buffer, table, 4, "readInt64", 0n)),
    sequence: Number(scalar(buffer, table, 6, "readUint64", 0n)),
    missed: scalar(buffer, table, 10, "readUint32", 0),
    messages,
  };
}

/** An envelope of messages: a Uint8Array, or a string if the format is "json". */
export function encode(messages, { format = "fb", timestamp = Date.now(), sequence = 0 } = {}) {
  if (messages.length > messagesMax) throw new RangeError(`at most ${messagesMax} messages`);
  if (format === "json") {
    return JSON.stringify({ messages: messages.map(jsonOf), timestamp, sequence });
  }
  const builder = new Builder(1024);
  const tables = messages.map((message) => tableOf(builder, message));
  builder.startVector(4, tables.length, 4);
  for (const table of tables.reverse()) builder.addOffset(table);
  const vector = builder.endVector();
  builder.startObject(4);
  builder.addFieldInt64(0, BigInt(timestamp), 0n);
  builder.addFieldInt64(1, BigInt(sequence), 0n);
  builder.addFieldOffset(2, vector, 0);
  builder.finish(builder.endObject(), identifier);
  return builder.asUint8Array();
}

/** A WebSocket with envelopes in both directions. What is queued while it isn't open waits for the
 *  next "open"; a partysocket may reconnect as often as it likes. */
export class Batched {
  /** `socket` has been made with subprotocols[format], or a URL with ?batch=. */
  constructor(socket, { format = "fb", flushAfterMs = 50, messagesMax: count = 100 } = {}) {
    this.socket = socket;
    this.format = format;
    this.flushAfterMs = flushAfterMs;
    this.messagesMax = count;
    this.sequence = 0;
    this.queued = [];
    /** Called with each message of an envelope, and the envelope. */
    this.onmessage = () => {};
    /** Called with what came by itself: a string or a Uint8Array. */
    this.onplain = () => {};
    /** Called with the number of messages that the server had to drop. */
    this.onmissed = () => {};
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => this.receive(event.data));
    socket.addEventListener("open", () => this.flush());
  }

  /** A string, a Uint8Array, or a value that becomes JSON. A newer message replaces the queued one of
   *  its key. */
  queue(type, payload, { key = "" } = {}) {
    if (key !== "") this.queued = this.queued.filter((message) => message.key !== key);
    this.queued.push({ type, payload, key });
    if (this.queued.length >= this.messagesMax) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.flushAfterMs);
  }

  /** Sends what is queued, if the socket is open. */
  flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.queued.length > 0 && this.socket.readyState === open) {
      const messages = this.queued.splice(0, messagesMax);
      this.sequence += 1;
      this.socket.send(encode(messages, { format: this.format, sequence: this.sequence }));
    }
  }

  receive(data) {
    const envelope = decode(data);
    if (envelope === null) {
      this.onplain(typeof data === "string" ? data : new Uint8Array(data));
      return;
    }
    if (envelope.missed > 0) this.onmissed(envelope.missed, envelope);
    for (const message of envelope.messages) this.onmessage(message, envelope);
  }
}

// ---- FlatBuffers

function place(bytes, at) {
  if (at < 0 || at + 4 > bytes.length) throw new RangeError("a malformed envelope");
  return at;
}

function scalar(buffer, table, slot, read, otherwise) {
  const offset = buffer.__offset(table, slot);
  return offset === 0 ? otherwise : buffer[read](table + offset);
}

function forEach(buffer, bytes, field, call) {
  if (field === 0) return;
  const vector = place(bytes, buffer.__indirect(field));
  const count = buffer.readUint32(vector);
  if (count > messagesMax) throw new RangeError("an envelope of too many messages");
  for (let i = 0; i < count; i += 1) {
    call(place(bytes, buffer.__indirect(place(bytes, vector + 4 + 4 * i))));
  }
}

function bytesOf(buffer, bytes, table, slot) {
  const offset = buffer.__offset(table, slot);
  if (offset === 0) return new Uint8Array(0);
  const vector = place(bytes, buffer.__indirect(table + offset));
  const end = vector + 4 + buffer.readUint32(vector);
  if (end > bytes.length) throw new RangeError("a malformed envelope");
  return bytes.subarray(vector + 4, end);
}

function messageOf(buffer, bytes, table) {
  const kind = kinds[scalar(buffer, table, 12, "readUint8", 0)] ?? "bytes";
  const payload = bytesOf(buffer, bytes, table, 6);
  return {
    type: utf8.decode(bytesOf(buffer, bytes, table, 4)),
    payload: kind === "bytes" ? payload
      : kind === "text" ? utf8.decode(payload) : JSON.parse(utf8.decode(payload)),
    kind,
    key: utf8.decode(bytesOf(buffer, bytes, table, 8)),
    age: scalar(buffer, table, 10, "readUint32", 0),
  };
}

function tableOf(builder, { type, payload, key = "" }) {
  const kind = kindOf(payload);
  const bytes = kind === "bytes" ? payload
    : utf8Encoder.encode(kind === "text" ? payload : JSON.stringify(payload));
  const payloadAt = builder.createByteVector(bytes);
  const keyAt = key === "" ? 0 : builder.createString(key);
  const typeAt = builder.createSharedString(type);
  builder.startObject(5);
  builder.addFieldOffset(0, typeAt, 0);
  builder.addFieldOffset(1, payloadAt, 0);
  builder.addFieldOffset(2, keyAt, 0);
  builder.addFieldInt8(4, kinds.indexOf(kind), 0);
  return builder.endObject();
}

// ---- JSON

function kindOf(payload) {
  if (payload instanceof Uint8Array) return "bytes";
  return typeof payload === "string" ? "text" : "json";
}

function jsonOf({ type, payload, key = "" }) {
  const message = { type, payload };
  if (kindOf(payload) === "bytes") {
    message.payload = btoa(Array.from(payload, (byte) => String.fromCharCode(byte)).join(""));
    message.encoding = "base64";
  }
  if (key !== "") message.key = key;
  return message;
}

function decodeText(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object" || !Array.isArray(value.messages)) return null;
  const { timestamp = 0, sequence = 0, missed = 0 } = value;
  const messages = value.messages.map(({ type, payload, encoding, key = "", age = 0 }) => {
    const isBytes = payload === undefined || encoding === "base64";
    const bytes = isBytes ? Uint8Array.from(atob(payload ?? ""), (c) => c.charCodeAt(0)) : payload;
    return { type, payload: bytes, kind: kindOf(bytes), key, age };
  });
  return { timestamp, sequence, missed, messages };
}
