// The programs that are compared, on npm ws: /echo sends back, /room/ID sends to all others of the
// room, /tick/ID does what the sample TickRoom does. Use: node ws.mjs PORT
import { WebSocketServer } from "ws";
import { Tick } from "./tick.mjs";

const server = new WebSocketServer({
  host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096, perMessageDeflate: false,
  maxPayload: 1024 * 1024, clientTracking: false,
});
const rooms = new Map();

function enter(kind, path, socket) {
  let room = rooms.get(path);
  if (!room) rooms.set(path, room = kind === "tick" ? new Tick() : { members: new Set() });
  room.members.add(socket);
  socket.on("close", () => {
    room.members.delete(socket);
    if (room.members.size > 0) return;
    rooms.delete(path);
    room.stop?.();
  });
  return room;
}

server.on("connection", (socket, request) => {
  const path = request.url;
  socket.on("error", () => {});
  if (path.startsWith("/room/")) {
    const { members } = enter("room", path, socket);
    socket.on("message", (data, binary) => {
      for (const other of members) if (other !== socket) other.send(data, { binary });
    });
  } else if (path.startsWith("/tick/")) {
    const room = enter("tick", path, socket);
    room.number(socket);
    socket.on("message", (data, binary) => { if (binary) room.said(socket, data); });
  } else {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  }
});
