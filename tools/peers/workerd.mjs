// The programs that are compared, as Durable Objects with the hibernation interface: one object for
// /echo, one for each /room/ID, and one for each /tick/ID, which stays awake by its timer.
import { DurableObject } from "cloudflare:workers";
import { Tick } from "./tick.mjs";

export class Room extends DurableObject {
  #tick;

  async fetch(request) {
    const pair = new WebSocketPair();
    const socket = pair[1];
    this.ctx.acceptWebSocket(socket);
    if (new URL(request.url).pathname.startsWith("/tick/")) {
      this.#tick ??= new Tick();
      this.#tick.members.add(socket);
      this.#tick.number(socket);
    }
    return new Response(null, { status: 101, webSocket: pair[0] });
  }
  webSocketMessage(socket, data) {
    if (this.#tick) return this.#tick.said(socket, data);
    if (this.ctx.id.name === "/echo") return socket.send(data);
    for (const other of this.ctx.getWebSockets()) if (other !== socket) other.send(data);
    return undefined;
  }
  webSocketClose(socket, code) {
    this.#leave(socket);
    try { socket.close(code === 1005 || code === 1006 ? 1000 : code); } catch { /* it is gone */ }
  }
  webSocketError(socket) {
    this.#leave(socket);
  }

  #leave(socket) {
    this.#tick?.members.delete(socket);
    if (this.#tick?.members.size !== 0) return;
    this.#tick.stop();
    this.#tick = undefined;
  }
}

export default {
  fetch(request, env) {
    if (request.headers.get("Upgrade") !== "websocket") {
      return new Response("WebSocket only", { status: 426 });
    }
    return env.ROOM.get(env.ROOM.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
