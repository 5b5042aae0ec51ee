// What keeps a room awake, what its agent finds when it wakes, and many that wake at once.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { Raw } from "./support/raw.mjs";
import { start } from "./support/process.mjs";
import { fixture, Server } from "./support/server.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Connects, sends half a message to a room that sleeps by then, and waits to be killed.
const half_speaker = `
  const socket = require("node:net").connect(Number(process.argv[1]), "127.0.0.1");
  socket.write("GET /agents/sleepy/killed?_pk=victim&state=alive HTTP/1.1\\r\\nHost: x\\r\\n" +
    "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n");
  process.stdin.once("data", () => {
    socket.write(Buffer.from([0x81, 0x90, 1, 2, 3, 4, 5]), () => console.log("sent"));
  });
  socket.once("data", () => console.log("open"));
`;

describe("Sleeping rooms", () => {
  let server;
  before(async () => {
    server = await Server.start(["--agents", fixture, "--hibernate-after", "60ms"]);
  });
  after(() => server.stop());

  const connect = (path) => Client.connect(server, path);
  const awake = () => server.metric("ringroom_agents_awake");
  const asleep = () => eventually(async () => (await awake()) === 0, "all agents sleep");

  test("what keeps a room awake is named, and when it ends the room sleeps", async () => {
    const client = await connect("/agents/sleepy/reasons");
    const wait = async (reason) => {
      await pause(150);
      assert.equal(await awake(), 1, reason);
      assert.equal(await server.metric("ringroom_rooms_awake", `reason="${reason}"`), 1, reason);
    };
    assert.deepEqual(await client.ask({ op: "keep" }), ["message", "keep_alive"]);
    await wait("keep_alive");
    assert.deepEqual(await client.ask({ op: "release" }), ["message"]);
    await asleep();
    assert.deepEqual(await client.ask({ op: "timer", ms: 400 }), ["message", "timer"]);
    await wait("timer");
    await asleep();
    const answer = fetch(`${server.origin}/agents/sleepy/reasons`);
    await eventually(async () => (await awake()) === 1, "the request wakes it");
    await wait("request");
    assert.deepEqual(await client.ask({ op: "answer" }), ["message"]);
    assert.equal(await (await answer).text(), "at last");
    await asleep();
    await client.close();
  });

  test("a client that doesn't read keeps its room awake until it has read", async () => {
    const slow = await Raw.open(server, "/agents/sleepy/slow");
    const client = await connect("/agents/sleepy/slow");
    slow.socket.pause();
    let reasons = [];
    await eventually(async () => {
      reasons = await client.ask({ op: "flood", bytes: 500_000 });
      return reasons.includes("outbox");
    }, "the kernel takes no more");
    await pause(150);
    assert.equal(await awake(), 1);
    slow.socket.resume();
    await asleep();
    slow.destroy();
    await client.close();
  });

  test("a class may stay awake", async () => {
    const client = await connect("/agents/wakeful/room");
    await pause(200);
    client.send("why?");
    assert.deepEqual(await client.nextJson(), ["never hibernates"]);
    assert.equal(await server.metric("ringroom_rooms_awake", 'reason="never hibernates"'), 1);
    await client.close();
    await eventually(async () => (await awake()) === 0, "nobody is in it any more");
  });

  test("the destructor runs, and changes to a copy of the attachment are lost", async () => {
    const client = await connect("/agents/sleepy/object");
    const destroyed = await client.ask({ op: "destroyed" });
    assert.deepEqual(await client.ask({ op: "forget" }), [1000, 7]);
    await asleep();
    assert.equal(await client.ask({ op: "destroyed" }), destroyed + 1);
    assert.deepEqual(await client.ask({ op: "forget" }), [1000, 7]);
    await client.close();
  });

  test("on_close of a room that slept finds state and attachment, and the leaver no member", async () => {
    const watcher = await connect("/agents/sleepy/leaving");
    const leaver = await connect("/agents/sleepy/leaving?_pk=leaver&state=kept");
    const left = {
      left: "leaver", state: "kept", seat: [7, 9], open: 0, with_closing: 1,
    };
    await asleep();
    await leaver.close(4100, "mine");
    assert.deepEqual(await watcher.nextJson(), { ...left, code: 4100, reason: "mine", ready: 2 });
    await asleep();
    const closed = await connect("/agents/sleepy/leaving?_pk=leaver&state=kept");
    closed.send(JSON.stringify({ op: "close", code: 4200 }));
    assert.deepEqual(await closed.ended(), { code: 4200, reason: "said the room" });
    assert.deepEqual(await watcher.nextJson(),
      { ...left, code: 4200, reason: "said the room", ready: 3 }, "both frames are exchanged");
    const lost = await Raw.open(server, "/agents/sleepy/leaving?_pk=leaver&state=kept");
    await asleep();
    lost.reset();
    assert.deepEqual(await watcher.nextJson(), {
      ...left, code: 1006, reason: "WebSocket disconnected without sending Close frame.", ready: 2,
    });
    await watcher.close();
  });

  test("a client that is killed in the middle of a message to a sleeping room is missed", async () => {
    const watcher = await connect("/agents/sleepy/killed");
    const child = start(process.execPath, ["-e", half_speaker, String(server.port)],
      { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await asleep();
    child.stdin.write("go\n");
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    const { left, code, state, seat } = await watcher.nextJson();
    assert.deepEqual({ left, code, state, seat },
      { left: "victim", code: 1006, state: "alive", seat: [7, 9] });
    await watcher.close();
  });

  test("connection(id) is the newest, whoever left meanwhile and however often it slept", async () => {
    const others = [];
    for (let i = 0; i < 3; i += 1) others.push(await connect(`/agents/sleepy/newest?_pk=other${i}`));
    const twins = [];
    for (let i = 0; i < 3; i += 1) {
      twins.push(await connect(`/agents/sleepy/newest?_pk=twin&state=${i}`));
    }
    const left = async (client, watcher) => {
      await client.close();
      await watcher.nextJson();
    };
    for (const twin of twins.slice(0, 2)) {
      const leaver = others.pop();
      await leaver.close();
      for (const each of [...others, ...twins]) assert.match((await each.nextJson()).left, /other/);
      assert.equal(await twin.ask({ op: "newest", id: "twin" }), "2");
      await asleep();
      assert.equal(await twin.ask({ op: "newest", id: "twin" }), "2");
    }
    await left(twins[2], twins[0]);
    assert.equal(await twins[0].ask({ op: "newest", id: "twin" }), "1");
    assert.equal(await twins[0].ask({ op: "newest", id: "nobody" }), null);
    await Promise.all([...others, twins[0], twins[1]].map((client) => client.close()));
  });

  test("a handler that takes too long is named in the log and told, and the shard goes on", async () => {
    const client = await connect("/agents/sleepy/busy?_pk=me");
    await client.ask({ op: "keep" });
    client.send(JSON.stringify({ op: "busy", ms: 0 }));  // sets the timeout for those after it
    assert.equal(await client.next(), "done");
    client.send(JSON.stringify({ op: "busy", ms: 60 }));
    const [line] = await server.logged(/Sleepy\/busy: on_message took \d+ ms.*/);
    assert.match(line, /longer than the event timeout of 20 ms/);
    assert.equal(await client.next(), "done");
    const errors = await client.ask({ op: "errors" });
    assert.equal(errors.length, 1);
    assert.match(errors[0], /^me on_message: on_message took \d+ ms, longer than/);
    await client.ask({ op: "release" });
    await client.close();
  });

  test("who speaks envelopes and leaves, politely or not, gives its descriptor back", async () => {
    const connections = () => server.metric("ringroom_connections");
    const others = await connections();
    for (const format of ["fb", "json"]) {
      for (const leave of [(raw) => raw.reset(), (raw) => raw.sendFrame(3, "no such opcode")]) {
        const raw = await Raw.open(server, `/agents/echo/leaving?batch=${format}`);
        assert((await connections()) > others);
        leave(raw);
        await eventually(async () => (await connections()) <= others, `${format}: the descriptor is free`);
        raw.destroy();
      }
    }
  });

  test("500 sleeping rooms that all get a message at once answer, each woken once", async () => {
    const clients = await Promise.all(
      Array.from({ length: 500 }, (_, i) => connect(`/agents/lab/storm${i}?_pk=c${i}`)));
    await Promise.all(clients.map((client, i) => client.ask({ op: "attach", hex: `${1000 + i}` })));
    let before_ = [];
    for (let round = 0; round < 4; round += 1) {
      await asleep();
      const created = await server.metric("ringroom_agents_created_total");
      const infos = await Promise.all(clients.map((client) => client.ask({ op: "info" })));
      infos.forEach(({ instance, starts, connects, connections }, i) => {
        assert.deepEqual({ starts, connects, connections }, { starts: 1, connects: 0, connections: 1 });
        if (round > 0) assert.equal(instance, before_[i] + 1, `room ${i}`);
      });
      before_ = infos.map(({ instance }) => instance);
      assert.equal(await server.metric("ringroom_agents_created_total"), created + 500);
    }
    const kept = await Promise.all(clients.map((client) => client.ask({ op: "attachment" })));
    assert.deepEqual(kept, clients.map((_, i) => ({ hex: `${1000 + i}` })));
    await Promise.all(clients.map((client) => client.close()));
  });
});
