// Two sockets with one id: both stay, unless the class wants the newer one only.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import { Client } from "./support/client.mjs";
import { eventually, within } from "./support/deadline.mjs";
import { Raw } from "./support/raw.mjs";
import { fixture, Server } from "./support/server.mjs";

const replaced = { code: 4009, reason: "replaced by a newer connection with this id" };
const alone = { here: 1, of_this_id: 1 };

describe("Two sockets with one id", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--hibernate-after", "60ms"]); });
  after(() => server.stop());

  const connect = (path) => Client.connect(server, path);

  test("both stay, and the id stands for the newer one", async () => {
    const old = await connect("/agents/lab/both?_pk=same");
    const newer = await connect("/agents/lab/both?_pk=same");
    assert.deepEqual(await newer.ask({ op: "list" }), { ids: ["same", "same"] });
    old.send(JSON.stringify({ op: "broadcast", text: "all" }));
    assert.equal(await old.next(), "all");
    assert.equal(await newer.next(), "all");
    await old.close();
    assert.deepEqual(await newer.ask({ op: "list" }), { ids: ["same"] });
    await newer.close();
  });

  test("duplicate_ids = replace closes the older one with 4009, before on_connect of the newer", async () => {
    const other = await connect("/agents/one-each/r?_pk=other");
    assert.deepEqual(await other.nextJson(), alone);
    const old = await connect("/agents/one-each/r?_pk=same");
    assert.deepEqual(await old.nextJson(), { here: 2, of_this_id: 1 });
    const newer = await connect("/agents/one-each/r?_pk=same");
    assert.deepEqual(await newer.nextJson(), { here: 2, of_this_id: 1 });
    assert.deepEqual(await old.ended(), replaced);
    for (const client of [newer, other]) {
      assert.deepEqual(await client.nextJson(), { left: "same", code: 4009, clean: true });
    }
    other.send("after");
    assert.equal(await newer.next(), "after");
    await Promise.all([newer.close(), other.close()]);
  });

  test("an old socket that hangs is no member from then on", async () => {
    const old = await Raw.open(server, "/agents/one-each/hangs?_pk=same");
    await old.nextFrame();
    for (let i = 0; i < 5; i += 1) {
      const newer = await connect("/agents/one-each/hangs?_pk=same");
      assert.deepEqual(await newer.nextJson(), alone);
      newer.send("to whom?");
      assert.equal(await newer.next(), "to whom?");
      if (i === 0) assert.deepEqual(await old.nextClose(), replaced);
      await newer.close();
    }
    old.destroy();
  });

  test("who has no id is never replaced", async () => {
    const clients = await Promise.all([1, 2, 3].map(() => connect("/agents/one-each/strangers")));
    const counts = await Promise.all(clients.map((client) => client.nextJson()));
    assert.deepEqual(counts.map(({ here }) => here).sort(), [1, 2, 3]);
    await Promise.all(clients.map((client) => client.close()));
  });

  test("replaces a socket whose room sleeps", async () => {
    const old = await connect("/agents/one-each/sleepy?_pk=same");
    await old.next();
    await eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
    const newer = await connect("/agents/one-each/sleepy?_pk=same");
    assert.deepEqual(await newer.nextJson(), alone);
    assert.deepEqual(await old.ended(), replaced);
    assert.deepEqual(await newer.nextJson(), { left: "same", code: 4009, clean: true });
    await newer.close();
  });

  test("a client that reconnects by itself gets through while its old socket hangs", async () => {
    const sockets = [];
    const socket = new PartySocket({
      host: `${server.host}:${server.port}`, basePath: "agents/one-each/party", id: "p", protocol: "ws",
      minReconnectionDelay: 10, maxReconnectionDelay: 20,
      WebSocket: class extends WebSocket {
        constructor(...args) { super(...args); sockets.push(this); }
      },
    });
    const next = () => within(new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(data)), { once: true });
    }), 10_000, "a message");
    assert.deepEqual(await next(), alone);
    // The old socket reads nothing more, so it never answers.
    sockets[0].pause();
    const again = next();
    socket.reconnect();
    assert.deepEqual(await again, alone);
    socket.close();
    sockets[0].terminate();
  });
});
