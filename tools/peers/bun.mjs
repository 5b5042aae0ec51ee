// The programs that are compared, on Bun's own WebSocket server: /echo, /room/ID, /tick/ID as in
// ws.mjs. Use: bun bun.mjs PORT
import { Tick } from "./tick.mjs";

const ticks = new Map();

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    const path = new URL(request.url).pathname;
    if (server.upgrade(request, { data: { path } })) return undefined;
    return new Response("WebSocket only", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength: 1024 * 1024,
    backpressureLimit: 16 * 1024 * 1024,
    publishToSelf: false,
    open(socket) {
      const { path } = socket.data;
      if (path.startsWith("/room/")) socket.subscribe(path);
      if (!path.startsWith("/tick/")) return;
      if (!ticks.has(path)) ticks.set(path, new Tick());
      ticks.get(path).members.add(socket);
      ticks.get(path).number(socket);
    },
    message(socket, data) {
      const { path } = socket.data;
      if (path.startsWith("/room/")) socket.publish(path, data);
      else if (path.startsWith("/tick/")) ticks.get(path).said(socket, data);
      else socket.send(data);
    },
    close(socket) {
      const room = ticks.get(socket.data.path);
      if (!room) return;
      room.members.delete(socket);
      if (room.members.size > 0) return;
      room.stop();
      ticks.delete(socket.data.path);
    },
  },
});
