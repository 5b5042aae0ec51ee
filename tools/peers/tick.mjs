// TickRoom in JavaScript: each member's last message of at most 64 bytes, and 20 times a second one
// frame with all of them to everybody: u32 number, u16 length, bytes, little endian.
export class Tick {
  members = new Set();
  #last = new Map();
  #total = 0;
  #timer = setInterval(() => this.#tick(), 50);
  #broadcast;

  constructor(broadcast = (state) => { for (const socket of this.members) socket.send(state); }) {
    this.#broadcast = broadcast;
  }
  number(socket) {
    this.#last.set(socket, { number: ++this.#total, data: undefined });
  }
  said(socket, data) {
    const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
    if (bytes.length === 0 || bytes.length > 64) return;
    this.#last.get(socket).data = bytes.slice();
  }
  stop() {
    clearInterval(this.#timer);
  }

  #tick() {
    let size = 0;
    for (const socket of this.members) size += 6 + (this.#last.get(socket).data?.length ?? -6);
    const state = new Uint8Array(size);
    const view = new DataView(state.buffer);
    let at = 0;
    for (const socket of this.members) {
      const { number, data } = this.#last.get(socket);
      if (!data) continue;
      view.setUint32(at, number, true);
      view.setUint16(at + 4, data.length, true);
      state.set(data, at + 6);
      at += 6 + data.length;
    }
    this.#broadcast(state);
    for (const socket of this.#last.keys()) if (!this.members.has(socket)) this.#last.delete(socket);
  }
}
