// The recording of raw frames: each of its rows is bytes on a connection of its own, and what came back.
import { Opcode, Raw, frame } from "../support/raw.mjs";

/** Written down in part only. */
const longPing = frame(Opcode.ping, "p".repeat(126), { lengthBytes: 2 });

function received({ opcode, fin, rsv, payload }) {
  const row = { fin: fin ? 1 : 0, rsv, op: opcode, data: payload.toString() };
  if (opcode !== Opcode.close) return row;
  const code = payload.length === 0 ? null : payload.readUInt16BE();
  return { ...row, data: { code, reason: payload.subarray(2).toString() } };
}

/** What comes back: as many frames as there are in `expected`, and whether TCP ends then. */
export async function exchange(server, { sentHex, received: expected, tcpEnded }) {
  const raw = await Raw.open(server, "/raw/c35");
  for (const hex of sentHex) raw.send(hex.endsWith("...") ? longPing : Buffer.from(hex, "hex"));
  const frames = [];
  try {
    for (let i = 0; i < expected.length; i += 1) frames.push(received(await raw.nextFrame()));
    if (tcpEnded) await raw.ended();
  } catch (error) {
    frames.push(error.message);
  }
  raw.destroy();
  return frames;
}
