// Agents that sleep, sockets that stay: what clients can see of it, and what they can't.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { frame, Opcode, Raw } from "./support/raw.mjs";
import { Server } from "./support/server.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("Hibernation", () => {
  let server;
  before(async () => { server = await Server.start(["--hibernate-after", "60ms"]); });
  after(() => server.stop());

  const connect = (path) => Client.connect(server, path);
  const awake = () => server.metric("ringroom_agents_awake");
  const created = () => server.metric("ringroom_agents_created_total");
  const parked = () => server.metric("ringroom_connections_parked");
  /** Until all agents sleep and `count` connections are parked. */
  const asleep = (count) => eventually(
    async () => (await awake()) === 0 && (await parked()) === count, `${count} parked connections`);

  test("everything of a connection is as before, the agent is new", async () => {
    const client = await connect("/agents/lab/same?_pk=me&tags=red,blue&x=%20y");
    await client.ask({ op: "attach", hex: "00ff10" });
    const { uri } = await client.ask({ op: "uri" });
    await asleep(1);
    assert.deepEqual(await client.ask({ op: "info" }),
      { instance: 2, starts: 1, connects: 0, connections: 1, hibernated_before: true });
    assert.deepEqual(await client.ask({ op: "attachment" }), { hex: "00ff10" });
    assert.deepEqual(await client.ask({ op: "tags" }), { tags: ["me", "red", "blue"] });
    assert.deepEqual(await client.ask({ op: "uri" }), { uri });
    assert(uri.endsWith("/agents/lab/same?_pk=me&tags=red,blue&x=%20y"));
    assert.deepEqual(await client.ask({ op: "list", tag: "blue" }), { ids: ["me"] });
    await client.close();
  });

  test("a waking room reaches all of its sleeping members, and keeps the order", async () => {
    const clients = await Promise.all([0, 1, 2, 3, 4].map(() => connect("/agents/relay/all")));
    for (let round = 0; round < 3; round += 1) {
      await asleep(5);
      const from = clients[round];
      for (let i = 0; i < 50; i += 1) from.send(`${round}.${i}`);
      for (const to of clients.filter((client) => client !== from)) {
        for (let i = 0; i < 50; i += 1) assert.equal(await to.next(), `${round}.${i}`);
      }
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  test("a room of hundreds parks wholly, and a member that speaks meanwhile is heard", async () => {
    const clients = await Promise.all(
      Array.from({ length: 400 }, () => connect("/agents/relay/hundreds")));
    await asleep(400);
    for (let round = 0; round < 3; round += 1) {
      for (const i of [0, 399, 200]) {
        clients[i].send(`${round} from ${i}`);
        for (const to of clients) {
          if (to !== clients[i]) assert.equal(await to.next(), `${round} from ${i}`);
        }
        await pause(20 * i % 70);
      }
    }
    await asleep(400);
    await Promise.all(clients.map((client) => client.close()));
  });

  test("hundreds of rooms come and go, and each is found again", async () => {
    const name = (i) => `/agents/lab/r${i}`;
    const clients = await Promise.all(Array.from({ length: 300 }, (_, i) => connect(name(i))));
    await asleep(300);
    for (let i = 0; i < 300; i += 3) await clients[i].close();
    await eventually(async () => (await server.metric("ringroom_rooms")) === 200, "200 rooms");
    for (let i = 0; i < 300; i += 1) {
      const found = await connect(name(i));
      const expected = i % 3 === 0 ? 1 : 2;
      assert.equal((await found.ask({ op: "info" })).connections, expected, name(i));
      await found.close();
    }
    await Promise.all(clients.filter((_, i) => i % 3 > 0).map((client) => client.close()));
    await eventually(async () => (await server.metric("ringroom_rooms")) === 0, "no room");
  });

  test("a message in pieces wakes when it is whole", async () => {
    const raw = await Raw.open(server, "/agents/lab/pieces");
    await asleep(1);
    const before_ = await created();
    const bytes = frame(Opcode.text, '{"op":"info"}');
    raw.send(bytes.subarray(0, 9));
    await pause(150);
    assert.equal(await created(), before_, "half a frame wakes nobody");
    raw.send(bytes.subarray(9));
    assert.equal(JSON.parse((await raw.nextFrame()).payload).instance, 2);
    await asleep(1);
    raw.sendFrame(Opcode.text, '{"op":', { fin: false });
    await pause(150);
    raw.sendFrame(Opcode.ping, "between");
    assert.equal((await raw.nextFrame()).opcode, Opcode.pong);
    assert.equal(await created(), before_ + 1, "nor does a fragment, nor a ping");
    raw.sendFrame(Opcode.continuation, '"info"}');
    assert.equal(JSON.parse((await raw.nextFrame()).payload).instance, 3);
    raw.destroy();
  });

  test("half a message keeps the agent awake until the other half comes", async () => {
    const raw = await Raw.open(server, "/agents/lab/half");
    const bytes = frame(Opcode.text, '{"op":"why"}');
    raw.send(bytes.subarray(0, 8));
    await pause(200);
    assert.equal(await awake(), 1);
    raw.send(bytes.subarray(8));
    assert.equal((await raw.nextFrame()).opcode, Opcode.text);
    await asleep(1);
    raw.destroy();
  });

  test("protocol pings are answered in their sleep", async () => {
    const raw = await Raw.open(server, "/agents/lab/pings");
    await asleep(1);
    const before_ = await created();
    for (let i = 0; i < 200; i += 1) {
      raw.sendFrame(Opcode.ping, `ping ${i}`);
      assert.equal((await raw.nextFrame()).payload.toString(), `ping ${i}`);
    }
    assert.equal(await created(), before_);
    await asleep(1);
    raw.destroy();
  });

  test("automatic answers are given in their sleep, with a timestamp", async () => {
    const [client, other] = await Promise.all([0, 1].map(() => connect("/agents/lab/automatic")));
    assert.deepEqual(await client.ask({ op: "auto-response", request: "ping", response: "pong" }),
      { ok: true });
    assert.deepEqual(await client.ask({ op: "auto-response-timestamp" }), { timestamp: null });
    await asleep(2);
    const before_ = await created();
    const began = Date.now();
    for (let i = 0; i < 100; i += 1) {
      client.send("ping");
      assert.equal(await client.next(), "pong");
    }
    await asleep(2);
    assert.equal(await created(), before_, "nobody woke");
    const { timestamp } = await client.ask({ op: "auto-response-timestamp" });
    assert(timestamp >= began - 1000 && timestamp <= Date.now() + 1000);
    assert.deepEqual(await other.ask({ op: "auto-response-timestamp" }), { timestamp: null });
    client.send("PING");
    assert.match((await client.nextJson()).error, /parse error/, "another text is a message");
    client.send(Buffer.from("ping"));
    assert.deepEqual(await client.nextJson(), { error: "commands are text" });
    assert.deepEqual(await client.ask({ op: "auto-response", request: null }), { ok: true });
    client.send("ping");
    assert.match((await client.nextJson()).error, /parse error/, "cleared");
    assert.deepEqual(await client.ask({ op: "auto-response-timestamp" }), { timestamp });
    await Promise.all([client.close(), other.close()]);
  });

  test("limits of automatic answers and event timeouts", async () => {
    const client = await connect("/agents/lab/limits");
    assert.deepEqual(
      await client.ask({ op: "auto-response", request: "x".repeat(2049), response: "y" }),
      { error: "Request cannot be larger than 2048 bytes. A request of size 2049 was provided." });
    assert.deepEqual(
      await client.ask({ op: "auto-response", request: "x", response: "y".repeat(2049) }),
      { error: "Response cannot be larger than 2048 bytes. A response of size 2049 was provided." });
    assert.deepEqual(
      await client.ask({ op: "auto-response", request: "x".repeat(2048), response: "y".repeat(2048) }),
      { ok: true });
    assert.deepEqual(await client.ask({ op: "event-timeout", ms: 604_800_001 }),
      { error: "Event timeout should not exceed 604800000 ms." });
    assert.deepEqual(await client.ask({ op: "event-timeout", ms: 604_800_000 }), { ok: true });
    assert.deepEqual(await client.ask({ op: "event-timeout", ms: 0 }), { ok: true });
    await client.close();
  });

  for (const [how, end] of [
    ["a close", (raw) => raw.sendFrame(Opcode.close, Buffer.from([3, 232]))],
    ["the end of the stream", (raw) => raw.socket.end()],
    ["a reset", (raw) => raw.reset()],
    ["a reset in the middle of a message", async (raw) => {
      raw.send(frame(Opcode.text, "half of this").subarray(0, 9));
      await pause(50);
      raw.reset();
    }],
    ["a broken frame", (raw) => raw.sendFrame(3, "")],
  ]) {
    test(`${how} wakes the agent for on_close`, async () => {
      const name = encodeURIComponent(how);
      const watcher = await connect(`/agents/lab/${name}`);
      const raw = await Raw.open(server, `/agents/lab/${name}`);
      await asleep(2);
      const before_ = await created();
      await end(raw);
      await eventually(async () => (await created()) === before_ + 1, "the agent woke");
      await asleep(1);
      const info = await watcher.ask({ op: "info" });
      assert.equal(info.connections, 1);
      assert.equal(info.instance, 3);
      raw.destroy();
      await watcher.close();
    });
  }

  test("a new connection and a request wake; on_connect runs for the new one only", async () => {
    const first = await connect("/agents/lab/new");
    await asleep(1);
    const second = await connect("/agents/lab/new");
    assert.deepEqual(await first.ask({ op: "info" }),
      { instance: 2, starts: 1, connects: 1, connections: 2, hibernated_before: true });
    await asleep(2);
    const answer = await fetch(`${server.origin}/agents/lab/new`);
    assert.equal(answer.status, 404);
    assert.equal((await first.ask({ op: "info" })).instance, 3);
    await Promise.all([first.close(), second.close()]);
  });

  test("an alarm wakes, also an empty room", async () => {
    const client = await connect("/agents/lab/alarm");
    assert.deepEqual(await client.ask({ op: "alarm", ms: 400 }), { ok: true });
    await asleep(1);
    assert.deepEqual(await client.nextJson(), { alarm: true });
    assert.equal((await client.ask({ op: "info" })).instance, 2);
    const before_ = await created();
    await client.ask({ op: "alarm", ms: 400 });
    await client.close();
    await eventually(async () => (await awake()) === 0, "the agent sleeps");
    await eventually(async () => (await created()) === before_ + 1, "the alarm of the empty room");
    await eventually(async () => (await server.metric("ringroom_rooms")) === 0, "the room is gone");
  });

  test("says what keeps a room awake", async () => {
    const client = await connect("/agents/lab/why");
    assert.deepEqual(await client.ask({ op: "why" }), { awake: ["message"] });
    await client.ask({ op: "tick", hz: 100 });
    assert.deepEqual(await client.ask({ op: "why" }), { awake: ["message", "tick"] });
    await pause(200);
    assert.equal(await awake(), 1);
    assert.equal(await server.metric("ringroom_rooms_awake", 'reason="tick"'), 1);
    assert.equal(await server.metric("ringroom_rooms_awake", 'reason="timer"'), 0);
    await client.ask({ op: "tick", hz: 0 });
    await asleep(1);
    await client.close();
  });

  test("1,000 naps under random traffic lose nothing", async () => {
    const napping = await Server.start(["--hibernate-after", "1ms"]);
    let seed = 20261121;
    const random = (below) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const clients = await Promise.all([0, 1, 2, 3].map(
      (i) => Client.connect(napping, `/agents/lab/model?_pk=c${i}`)));
    const model = clients.map(() => null);
    let naps = 0;
    let instance = 1;
    for (let step = 0; naps < 1000; step += 1) {
      assert(step < 20_000, "agents don't sleep");
      const i = random(clients.length);
      const what = random(4);
      if (what === 0) {
        model[i] = Buffer.alloc(1 + random(random(8) === 0 ? 2048 : 40), random(256)).toString("hex");
        assert.deepEqual(await clients[i].ask({ op: "attach", hex: model[i] }), { ok: true });
      } else if (what === 1 && random(10) === 0) {
        await clients[i].close();
        clients[i] = await Client.connect(napping, `/agents/lab/model?_pk=c${i}`);
        model[i] = null;
      } else {
        assert.deepEqual(await clients[i].ask({ op: "attachment" }), { hex: model[i] });
      }
      if (random(3) > 0) await pause(random(6));
      const info = await clients[random(clients.length)].ask({ op: "info" });
      assert.equal(info.connections, clients.length);
      naps += info.instance - instance;
      instance = info.instance;
    }
    await Promise.all(clients.map((client) => client.close()));
    await napping.stop();
  });
});
