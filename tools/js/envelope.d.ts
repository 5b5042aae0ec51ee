/** What a payload can be: bytes, text, or any other JSON value. */
export type Payload = Uint8Array | string | number | boolean | null | object;
export type Format = "fb" | "json";

/** One logical message, received. */
export interface Message {
  type: string;
  payload: Payload;
  kind: "bytes" | "text" | "json";
  /** Of what it is the newest value; "" of nothing. */
  key: string;
  /** Milliseconds it had waited when the envelope was made. */
  age: number;
}

export interface Envelope {
  /** Milliseconds since 1970. */
  timestamp: number;
  sequence: number;
  /** Messages that were dropped before these. */
  missed: number;
  messages: Message[];
}

export interface OutgoingMessage {
  type: string;
  payload: Payload;
  key?: string;
}

/** For `new WebSocket(url, subprotocols.fb)`. */
export const subprotocols: { readonly fb: string; readonly json: string };

export function decode(data: string | ArrayBuffer | ArrayBufferView): Envelope | null;
export function encode(
  messages: OutgoingMessage[],
  options: { format: "json"; timestamp?: number; sequence?: number },
): string;
export function encode(
  messages: OutgoingMessage[],
  options?: { format?: Format; timestamp?: number; sequence?: number },
): Uint8Array;

/** What Batched needs of a WebSocket; partysocket and npm ws have it too. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string | Uint8Array): void;
  addEventListener(type: "message", listener: (event: { data: any }) => void): void;
  addEventListener(type: "open", listener: () => void): void;
}

export interface BatchedOptions {
  format?: Format;
  /** Default 50. */
  flushAfterMs?: number;
  /** Default 100. */
  messagesMax?: number;
}

/** What is queued while the socket isn't open waits for the next "open". */
export class Batched {
  constructor(socket: SocketLike, options?: BatchedOptions);
  readonly socket: SocketLike;
  onmessage: (message: Message, envelope: Envelope) => void;
  onplain: (data: string | Uint8Array) => void;
  onmissed: (count: number, envelope: Envelope) => void;
  queue(type: string, payload: Payload, options?: { key?: string }): void;
  flush(): void;
}
