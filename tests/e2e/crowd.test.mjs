// Many at once, the slow, the silent and those that vanish: memory returns, others see nothing.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { Crowd } from "./support/crowd.mjs";
import { eventually } from "./support/deadline.mjs";
import { Opcode, Raw, frame, upgrade } from "./support/raw.mjs";
import { Server } from "./support/server.mjs";

const MiB = 1024 * 1024;

describe("A crowd", () => {
  let server;
  before(async () => { server = await Server.start(["--hibernate-after", "300ms"]); });
  after(() => server.stop());

  /** Memory comes back to where it was, but for what an allocator keeps. */
  async function returns(before, allowance) {
    await eventually(async () => (await server.metric("ringroom_connections")) <= 3, "closed sockets");
    await eventually(async () => (await server.residentBytes()) - before < allowance,
      `memory back to ${before} bytes`).catch(async (error) => {
      throw new Error(`${error.message}; it is ${await server.residentBytes()}`);
    });
  }

  /** Somebody else who talks all the while; every message must come back. */
  async function bystander() {
    const client = await Client.connect(server, "/agents/echo/bystander");
    let talking = true;
    let count = 0;
    const done = (async () => {
      for (; talking; count += 1) {
        client.send(`${count}`);
        assert.equal(await client.next(), `${count}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    return async () => {
      talking = false;
      await done;
      assert(count > 0);
      await client.close();
    };
  }

  test("15,000 connections at once all speak, twice over, and leave nothing behind", async () => {
    const calm = await bystander();
    const before = await server.residentBytes();
    const sizes = [];
    for (let round = 0; round < 2; round += 1) {
      const crowd = new Crowd(server, "/agents/echo/crowd-{i}", 15_000);
      await crowd.all("connect");
      await crowd.all("echo");
      assert((await server.metric("ringroom_connections")) >= 15_000);
      await crowd.all("close");
      await crowd.quit();
      await eventually(async () => (await server.metric("ringroom_connections")) <= 3, "closed sockets");
      sizes.push(await server.residentBytes());
    }
    assert(sizes[0] - before < 16 * MiB, `a crowd leaves little behind: ${before}, ${sizes}`);
    assert(sizes[1] - sizes[0] < 4 * MiB, `and a second one nothing more: ${sizes}`);
    await calm();
  });

  test("2,000 connections that vanish by RST in the middle of a frame", async () => {
    const calm = await bystander();
    const warm = new Crowd(server, "/agents/relay/warm-{i}", 2_000);
    await warm.all("connect");
    await warm.all("reset");
    await warm.quit();
    await eventually(async () => (await server.metric("ringroom_connections")) <= 3, "closed sockets");
    const before = await server.residentBytes();
    const crowd = new Crowd(server, "/agents/relay/crowd-{i}", 2_000);
    await crowd.all("connect");
    await crowd.all("half");
    await crowd.all("reset");
    await crowd.quit();
    await returns(before, 8 * MiB);
    await calm();
  });

  test("a reader who never reads costs a bounded outbox, and the room goes on", async () => {
    const path = "/agents/relay/slow-reader";
    const stuck = await Raw.open(server, path);
    stuck.socket.pause();
    const [from, to] = [await Client.connect(server, path), await Client.connect(server, path)];
    const before = await server.residentBytes();
    let most = 0;
    const message = Buffer.alloc(100_000, 3);
    for (let i = 0; i < 600; i += 1) {
      from.send(message);
      assert.equal((await to.next()).length, message.length);
      if (i % 50 === 0) most = Math.max(most, await server.residentBytes());
    }
    assert(most - before < 24 * MiB, `${most - before} bytes more for 60 MB that nobody read`);
    await eventually(async () => (await server.metric("ringroom_outbox_closed_total")) >= 1, "1013");
    stuck.destroy();
    await Promise.all([from.close(), to.close()]);
    await returns(before, 16 * MiB);
  });

  test("a client that sends byte by byte is served like any other", async () => {
    const calm = await bystander();
    const raw = await Raw.connect(server);
    const text = "slow but steady";
    const bytes = Buffer.concat([
      Buffer.from(upgrade("/agents/echo/drip")), frame(Opcode.text, text), frame(Opcode.close, "")]);
    for (const byte of bytes) {
      raw.send(Buffer.from([byte]));
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    assert.equal((await raw.head()).status, 101);
    assert.equal((await raw.nextFrame()).payload.toString(), text);
    assert.equal((await raw.nextClose()).code, 1005);
    await raw.ended();
    await calm();
  });

  test("5,000 connections that come and go at once leave nothing behind", async () => {
    const calm = await bystander();
    const path = "/agents/presence-agent/doors-{i}";
    const first = new Crowd(server, path, 1_000);
    await first.all("connect");
    await first.all("reset");
    await first.quit();
    await eventually(async () => (await server.metric("ringroom_connections")) <= 3, "closed sockets");
    const before = await server.residentBytes();
    for (let round = 0; round < 4; round += 1) {
      const crowd = new Crowd(server, path, 1_000);
      await crowd.all("connect");
      await crowd.all("reset");
      await crowd.quit();
    }
    await returns(before, 8 * MiB);
    await eventually(async () => (await server.metric("ringroom_rooms")) <= 2, "rooms that are gone");
    await calm();
  });
});

describe("More clients than descriptors", () => {
  test("they wait or get 503, and nobody is lost", async () => {
    const server = await Server.start(["--shards", "2"], { filesMax: 400 });
    const clients = await Promise.all(Array.from({ length: 900 }, async () => {
      const raw = await Raw.connect(server);
      raw.send(upgrade("/agents/echo/one-room"));
      return raw;
    }));
    const answers = new Map();
    await Promise.all(clients.map(async (raw) => {
      const { status } = await raw.head();
      answers.set(status, (answers.get(status) ?? 0) + 1);
      raw.destroy();  // makes room for one that waits
    }));
    assert.deepEqual([...answers.keys()].filter((status) => ![101, 503].includes(status)), []);
    assert(answers.get(101) >= 200, `${answers.get(101)} connected`);
    const late = await Client.connect(server, "/agents/echo/one-room");
    late.send("room again");
    assert.equal(await late.next(), "room again");
    await late.close();
    await server.stop();
  });

  test("those inside are not disturbed by those who wait", async () => {
    const server = await Server.start(["--shards", "1"], { filesMax: 300 });
    const inside = [];
    const all = [];
    for (let i = 0; i < 400; i += 1) {
      const raw = await Raw.connect(server);
      raw.send(upgrade("/agents/relay/crowded"));
      all.push(raw);
      raw.head().then(({ status }) => status === 101 && inside.push(raw)).catch(() => {});
    }
    await eventually(() => inside.length >= 150, "a full house");
    const [speaker, listener] = inside;
    for (let i = 0; i < 50; i += 1) {
      speaker.sendFrame(Opcode.text, `${i}`);
      assert.equal((await listener.nextFrame()).payload.toString(), `${i}`);
    }
    for (const raw of all) raw.destroy();
    const late = await Client.connect(server, "/agents/echo/late");
    await late.close();
    await server.stop();
  });
});

describe("Dead peers", () => {
  test("--ping-every finds those who answer no ping, and keeps those who do", async () => {
    const server = await Server.start(["--ping-every", "150ms"]);
    const watcher = await Client.connect(server, "/agents/chat-room/pulse?username=watcher");
    const dead = await Raw.open(server, "/agents/chat-room/pulse?username=dead");
    assert.equal((await watcher.nextJson()).type, "join");
    const told = [await dead.nextFrame(), await dead.nextFrame()].map(({ opcode }) => opcode);
    assert.deepEqual(told, [Opcode.text, Opcode.text], "identity and MCP servers");
    assert.equal((await dead.nextFrame()).opcode, Opcode.ping);
    const leave = await watcher.nextJson();
    assert.deepEqual([leave.type, leave.user], ["leave", "dead"]);
    await dead.ended();
    // The watcher answers pings by itself and is there still.
    watcher.send("here");
    assert.equal((await watcher.nextJson()).text, "here");
    await watcher.close();
    await server.stop();
  });
});
