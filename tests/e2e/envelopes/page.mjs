// A page whose sockets the test drives: Batched of tools/js around a WebSocket or a partysocket.
// What they hear is kept as plain values, in order.
import { PartySocket } from "partysocket";
import { Batched, subprotocols } from "../../../tools/js/envelope.js";

const plain = (payload) => payload instanceof Uint8Array ? { bytes: Array.from(payload) } : payload;
const typed = (payload) => payload?.bytes === undefined ? payload : Uint8Array.from(payload.bytes);

/** Sockets by name. `party` has the options of a PartySocket, else there is a `url`. */
const sockets = {};
window.connect = (name, { format, url, party }) => {
  const socket = party === undefined ? new WebSocket(url, subprotocols[format])
    : new PartySocket({ ...party, protocols: [subprotocols[format]] });
  const batched = new Batched(socket, { format, flushAfterMs: 20 });
  const heard = [];
  batched.onmessage = ({ type, payload, kind, key }, { sequence }) =>
    heard.push({ type, payload: plain(payload), kind, key, sequence });
  batched.onplain = (data) => heard.push({ plain: plain(data) });
  batched.onmissed = (count) => heard.push({ missed: count });
  sockets[name] = { socket, batched, heard };
};
window.queue = (name, messages) => {
  for (const { type, payload, key } of messages) sockets[name].batched.queue(type, typed(payload), { key });
};
window.heard = (name) => sockets[name].heard;
window.protocolOf = (name) => sockets[name].socket.protocol;
window.isOpen = (name) => sockets[name].socket.readyState === WebSocket.OPEN;
window.leave = (name) => sockets[name].socket.close();
