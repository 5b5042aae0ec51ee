// The client that people of the Agents SDK use: partysocket, which reconnects by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import { within } from "./support/deadline.mjs";
import { lastingAddress, Server } from "./support/server.mjs";

function listen(socket) {
  const messages = [];
  const waiting = [];
  socket.addEventListener("message", ({ data }) => {
    const waiter = waiting.shift();
    if (waiter) waiter(data);
    else messages.push(data);
  });
  return () => within(messages.length > 0 ? Promise.resolve(messages.shift())
    : new Promise((resolve) => waiting.push(resolve)), 15_000, "a message");
}

function event(socket, name) {
  return within(new Promise((resolve) => socket.addEventListener(name, resolve, { once: true })), 15_000, name);
}

test("partysocket connects, is known by its id, and comes back after a restart with the same id", async (t) => {
  const listenAt = await lastingAddress();
  let server = await Server.start(["--listen", listenAt]);
  const socket = new PartySocket({
    host: listenAt, basePath: "agents/lab/party", id: "party-1", query: { tags: "fan" }, protocol: "ws",
    WebSocket, minReconnectionDelay: 50, maxReconnectionDelay: 200, connectionTimeout: 5_000,
  });
  t.after(() => socket.close());
  const next = listen(socket);
  await event(socket, "open");
  socket.send('{"op":"tags"}');
  assert.deepEqual(JSON.parse(await next()), { tags: ["party-1", "fan"] });

  const closed = event(socket, "close");
  await server.stop();
  assert.equal((await closed).code, 1001);
  const reopened = event(socket, "open");
  server = await Server.start(["--listen", listenAt]);
  await reopened;
  socket.send('{"op":"tags"}');
  assert.deepEqual(JSON.parse(await next()), { tags: ["party-1", "fan"] });
  socket.send('{"op":"info"}');
  assert.equal(JSON.parse(await next()).instance, 1);
  await server.stop();
});

test("partysocket keeps what was sent while it was away", async (t) => {
  const listenAt = await lastingAddress();
  let server = await Server.start(["--listen", listenAt]);
  const socket = new PartySocket({
    host: listenAt, party: "echo", prefix: "agents", room: "away", protocol: "ws",
    WebSocket, minReconnectionDelay: 50, maxReconnectionDelay: 200,
  });
  t.after(() => socket.close());
  const next = listen(socket);
  await event(socket, "open");
  const closed = event(socket, "close");
  await server.end("SIGKILL");
  await closed;
  socket.send("kept");
  server = await Server.start(["--listen", listenAt]);
  assert.equal(await next(), "kept");
  await server.stop();
});
