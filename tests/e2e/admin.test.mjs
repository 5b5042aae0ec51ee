// The admin address: health, metrics, rooms.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { Raw, upgrade } from "./support/raw.mjs";
import { Server } from "./support/server.mjs";

describe("Admin", () => {
  let server;
  before(async () => { server = await Server.start(); });
  after(() => server.stop());

  const get = (path) => fetch(server.adminOrigin + path);

  test("/healthz says ok", async () => {
    const answer = await get("/healthz");
    assert.deepEqual([answer.status, (await answer.text()).trim()], [200, "ok"]);
  });

  test("/metrics is Prometheus text, with a series for every shard", async () => {
    const answer = await get("/metrics");
    assert.match(answer.headers.get("content-type"), /^text\/plain; ?version=0\.0\.4/);
    const text = await answer.text();
    for (const name of ["connections", "agents_awake", "messages_received_total", "messages_sent_total",
      "received_bytes_total", "sent_bytes_total", "turn_seconds_bucket", "tick_lateness_seconds_count",
      "job_lateness_seconds_count", "receive_buffers_exhausted_total", "outbox_dropped_total", "handovers_total"]) {
      for (let shard = 0; shard < server.shards; shard += 1) {
        assert.match(text, new RegExp(`^ringroom_${name}\\{[^}]*shard="${shard}"[^}]*\\} `, "m"), name);
      }
    }
    for (const line of text.trimEnd().split("\n")) {
      assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [-+.\deINFnaf]+)$/);
    }
  });

  test("metrics count what happens", async () => {
    const names = ["connections", "messages_received_total", "messages_sent_total"];
    const read = () => Promise.all(names.map((name) => server.metric(`ringroom_${name}`)));
    const [, received, sent] = await read();
    const client = await Client.connect(server, "/agents/echo/counted");
    for (let i = 0; i < 10; i += 1) {
      client.send("x");
      await client.next();
    }
    await eventually(async () => {
      const [, receivedNow, sentNow] = await read();
      return receivedNow === received + 10 && sentNow === sent + 10;
    }, "ten messages more");
    await client.close();
  });

  test("/rooms lists the rooms with what is in them", async () => {
    const clients = await Promise.all([0, 1, 2, 3, 4, 5].map((i) =>
      Client.connect(server, `/agents/lab/listed-${i % 3}`)));
    clients[0].send('{"op":"info"}');
    await clients[0].next();
    const { rooms } = await (await get("/rooms")).json();
    const listed = rooms.filter(({ room }) => room.startsWith("listed-"));
    assert.equal(listed.length, 3);
    for (const { class: name, connections, shard, awake } of listed) {
      assert.deepEqual([name, connections], ["Lab", 2]);
      assert(shard >= 0 && shard < server.shards);
      assert.deepEqual(awake, ["message"]);
    }
    const first = listed.find(({ room }) => room === "listed-0");
    assert(first.bytes_received >= 13 && first.bytes_sent >= 10);
    await Promise.all(clients.map((client) => client.close()));
  });

  test("refuses what it doesn't have, upgrades among it", async () => {
    assert.equal((await get("/agents/echo/x")).status, 404);
    assert.equal((await get("/no")).status, 404);
    assert.equal((await fetch(`${server.adminOrigin}/healthz`, { method: "POST" })).status, 405);
    const raw = await Raw.connect(server, { admin: true });
    raw.send(upgrade("/agents/echo/x"));
    assert.equal((await raw.answer()).status, 404);
    assert.equal((await fetch(server.url("/healthz"))).status, 404, "nor has the main address what is here");
  });
});

describe("Shards", () => {
  test("a room is one room, whichever shard accepts", async () => {
    const server = await Server.start(["--shards", "2"]);
    assert.equal(server.shards, 2);
    const rooms = Array.from({ length: 8 }, (_, i) => `/agents/relay/shared-${i}`);
    for (const room of rooms) {
      const members = await Promise.all(Array.from({ length: 6 }, () => Client.connect(server, room)));
      members[0].send("to all of you");
      for (const member of members.slice(1)) assert.equal(await member.next(), "to all of you");
      await Promise.all(members.map((member) => member.close()));
    }
    const answers = await Promise.all(rooms.map(async (room) => (await fetch(server.url(room))).status));
    assert(answers.every((status) => status === 426));
    assert((await server.metric("ringroom_handovers_total")) > 0);
    await server.stop();
  });
});
