// The programs that are compared, on Colyseus: /room/ID and /tick/ID as in ws.mjs, as rooms of its own.
// Clients reserve a seat over HTTP there before they connect; here the server does it for them, at the
// upgrade. Messages are of type "m", as bytes: a client begins with the byte 0a, and every message in
// either direction with 11 a1 6d. Use: node colyseus.mjs PORT
import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { Room, Server, matchMaker } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { Tick } from "./tick.mjs";

class Relay extends Room {
  patchRate = null;
  seatReservationTimeout = 60;

  onCreate() {
    this.onMessageBytes("m", (from, bytes) => this.broadcastBytes("m", bytes, { except: from }));
  }
}

class TickRoom extends Room {
  patchRate = null;
  seatReservationTimeout = 60;
  #tick = new Tick((state) => this.broadcastBytes("m", state));

  onCreate() {
    this.onMessageBytes("m", (from, bytes) => this.#tick.said(from, bytes));
  }
  onJoin(client) {
    this.#tick.members.add(client);
    this.#tick.number(client);
  }
  onLeave(client) {
    this.#tick.members.delete(client);
  }
  onDispose() {
    this.#tick.stop();
  }
}

const reserved = new EventEmitter();
const http = createServer();
const transport = new WebSocketTransport({ noServer: true, pingInterval: 0, maxPayload: 1024 * 1024 });
transport.attachToServer(reserved);
transport.server = http;
const server = new Server({ greet: false, transport });
server.define("room", Relay).filterBy(["id"]);
server.define("tick", TickRoom).filterBy(["id"]);

// One after the other, or two that come first would make two rooms.
let before = Promise.resolve();
http.on("upgrade", (request, socket, head) => {
  socket.on("error", () => {});
  const [, kind, id] = request.url.split("/");
  before = before.then(async () => {
    const seat = await matchMaker.joinOrCreate(kind, { id });
    request.url = `/${seat.processId ?? seat.room.processId}/${seat.roomId ?? seat.room.roomId}?sessionId=${seat.sessionId}`;
    reserved.emit("upgrade", request, socket, head);
  }).catch(() => socket.destroy());
});
await server.listen(Number(process.argv[2]), "127.0.0.1");
