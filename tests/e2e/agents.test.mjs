// What the interface promises to authors: timers, ticks, state, attachments, outboxes, slow callbacks.
// The agents are those of agents/, loaded from a shared object.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { Raw, frame } from "./support/raw.mjs";
import { fixture, Server } from "./support/server.mjs";

const MiB = 1024 * 1024;

describe("Agents from a shared object", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--hibernate-after", "200ms"]); });
  after(() => server.stop());

  const connect = (path) => Client.connect(server, path);

  test("after() calls once, every() until cancelled", async () => {
    const clock = await connect("/agents/clock/timers");
    clock.send('{"op":"after","ms":5}');
    assert.equal(await clock.next(), "after");
    clock.send('{"op":"every","ms":2}');
    for (let i = 0; i < 5; i += 1) assert.equal(await clock.next(), "every");
    clock.send('{"op":"cancel"}');
    while (await clock.next() !== "done");
    clock.send('{"op":"after","ms":30}');
    assert.equal(await clock.next(), "after", "nothing came from the cancelled timer");
    clock.send('{"op":"every-once","ms":1}');
    assert.equal(await clock.next(), "once");
    clock.send('{"op":"after","ms":20}');
    assert.equal(await clock.next(), "after", "a timer may cancel itself");
    await clock.close();
  });

  test("a timer keeps the room awake, and what it throws hurts nobody", async () => {
    const clock = await connect("/agents/clock/awake");
    clock.send('{"op":"after","ms":50000}');
    assert.deepEqual((await clock.ask({ op: "why" })).sort(), ["message", "tick", "timer"]);
    const from = server.stderr.length;
    clock.send('{"op":"after-throw","ms":1}');
    await server.logged(/timer.*a timer threw/, from);
    clock.send('{"op":"after","ms":1}');
    assert.equal(await clock.next(), "after");
    await clock.close();
  });

  test("ticks come on a fixed grid, numbered, and say what was missed", async () => {
    const clock = await connect("/agents/clock/ticks?tag=ticks");
    let last = await clock.nextJson();
    assert.equal(last.dt, 20_000_000);
    for (let i = 0; i < 10; i += 1) {
      const tick = await clock.nextJson();
      assert.equal(tick.tick, last.tick + 1 + tick.missed);
      last = tick;
    }
    clock.send('{"op":"busy","ms":110}');
    let missed = 0;
    for (let i = 0; i < 5; i += 1) {
      const text = await clock.next();
      if (text === "done") continue;
      const tick = JSON.parse(text);
      assert.equal(tick.tick, last.tick + 1 + tick.missed, "numbers count the missed ones too");
      missed += tick.missed;
      last = tick;
    }
    assert(missed >= 4, `${missed} missed after 110 ms`);
    clock.send('{"op":"rate","hz":0}');
    while (await clock.next() !== "done");
    clock.send('{"op":"rate","hz":1000}');
    assert.equal(await clock.next(), "done", "nothing ticks at a rate of 0");
    assert.equal((await clock.nextJson()).dt, 1_000_000);
    await clock.close();
  });

  test("connection state holds 16,384 bytes, and the old one stays when that is too little", async () => {
    const keeper = await connect("/agents/keeper/state");
    assert.deepEqual(await keeper.ask({ op: "get" }), { state: null, attached: 0 });
    const most = "x".repeat(16_382);
    assert.equal((await keeper.ask({ op: "set", value: most })).state, most);
    assert.match((await keeper.ask({ op: "set", value: `${most}x` })).error, /16384 bytes.*16385/);
    assert.equal((await keeper.ask({ op: "get" })).state, most);
    assert.equal((await keeper.ask({ op: "set", value: 5 })).state, 5);
    assert.equal((await keeper.ask({ op: "update", by: 37 })).state, 42);
    assert.deepEqual((await keeper.ask({ op: "set", value: { deep: [{ er: null }] } })).state, { deep: [{ er: null }] });
    assert.equal((await keeper.ask({ op: "set", value: null })).state, null);
    await keeper.close();
  });

  test("attachments have their limit, and a type if they fit it", async () => {
    const keeper = await connect("/agents/keeper/attachments");
    assert.equal((await keeper.ask({ op: "attach-bytes", bytes: 2048 })).attached, 2048);
    assert.equal(await keeper.ask({ op: "seat" }), null);
    assert.match((await keeper.ask({ op: "attach-bytes", bytes: 2049 })).error, /2048 bytes.*2049/);
    assert.equal((await keeper.ask({ op: "attach-seat", row: 3 })).attached, 8);
    assert.deepEqual(await keeper.ask({ op: "seat" }), [3, 9]);
    assert.equal((await keeper.ask({ op: "attach-bytes", bytes: 0 })).attached, 0);
    await keeper.close();
  });

  test("state and attachment outlive the agent's sleep, local values don't", async () => {
    const keeper = await connect("/agents/keeper/sleep");
    await keeper.ask({ op: "set", value: { kept: true } });
    await keeper.ask({ op: "attach-seat", row: 12 });
    assert.equal(await keeper.ask({ op: "visit" }), 1);
    assert.equal(await keeper.ask({ op: "visit" }), 2);
    await eventually(async () => {
      const { rooms } = await (await fetch(`${server.adminOrigin}/rooms`)).json();
      return rooms.some(({ room, awake }) => room === "sleep" && awake.length === 0);
    }, "sleep");
    assert.equal(await keeper.ask({ op: "visit" }), 1);
    assert.deepEqual((await keeper.ask({ op: "get" })).state, { kept: true });
    assert.deepEqual(await keeper.ask({ op: "seat" }), [12, 9]);
    await keeper.close();
  });

  test("local values belong to their connection, whoever comes and goes", async () => {
    const guests = [];
    for (let i = 0; i < 12; i += 1) guests.push(await connect("/agents/keeper/local"));
    const expected = guests.map((_, i) => i + 1);
    for (const [i, guest] of guests.entries()) {
      for (let visit = 1; visit <= i + 1; visit += 1) assert.equal(await guest.ask({ op: "visit" }), visit);
    }
    for (const i of [0, 5, 11]) await guests[i].close();
    for (const [i, guest] of guests.entries()) {
      if ([0, 5, 11].includes(i)) continue;
      assert.equal(await guest.ask({ op: "visit" }), expected[i] + 1, `guest ${i}`);
    }
    assert.match((await guests[1].ask({ op: "other-local" })).error, /one T/);
    for (const guest of guests) await guest.close();
  });

  test("a room may close everybody while it walks over them", async () => {
    const guests = await Promise.all(Array.from({ length: 9 }, () => connect("/agents/keeper/walk")));
    const [last, ...others] = guests;
    assert.deepEqual(await last.ask({ op: "send-to-self-while-walking" }), { left: 1, closing: 9 });
    for (const other of others) assert.deepEqual(await other.ended(), { code: 4001, reason: "walked over" });
    await last.close();
  });

  test("a callback that holds its shard is logged with class and room", async () => {
    const slow = await connect("/agents/sluggish/molasses");
    const from = server.stderr.length;
    slow.send('{"ms":400}');
    assert.equal(await slow.next(), "done");
    await server.logged(/Sluggish\/molasses holds shard/i, from);
    assert((await server.metric("ringroom_callbacks_slow_total")) >= 1);
    await slow.close();
  });
});

describe("Outboxes", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--outbox-bytes-max", "256KiB"]); });
  after(() => server.stop());

  /** A room with one who commands, one who reads and one who doesn't. */
  async function room(segment) {
    const path = `/agents/${segment}/room`;
    const commander = await Client.connect(server, `${path}?_pk=commander`);
    const reader = await Client.connect(server, `${path}?_pk=reader`);
    const stuck = await Raw.open(server, `${path}?_pk=stuck`);
    stuck.socket.pause();
    return { commander, reader, stuck };
  }

  /** The numbers of the frames that a client got; it must get `last`. */
  async function numbers(next, last) {
    const all = [];
    while (all.at(-1) !== last) all.push(Number.parseInt(await next(), 10));
    return all;
  }

  // 64 MiB in all: far more than kernel buffers and outbox hold.
  const flood = { op: "flood", frames: 64, bytes: MiB };
  const rawText = (raw) => async () => (await raw.nextFrame()).payload.toString("latin1");

  test("a client that doesn't read is closed with 1013, and the others get everything", async () => {
    const { commander, reader, stuck } = await room("flood-close");
    const before = await server.residentBytes();
    commander.send(JSON.stringify({ ...flood, frames: 1 }));
    await commander.next();
    for (let i = 0; i < 63; i += 1) {
      commander.send(JSON.stringify({ ...flood, frames: 1 }));
      await numbers(() => reader.next(), 0);
    }
    await numbers(() => reader.next(), 0);
    assert((await server.residentBytes()) - before < 40 * MiB);
    stuck.socket.resume();
    let last;
    do last = await stuck.nextFrame(); while (last.opcode !== 8);
    assert.equal(last.payload.readUInt16BE(), 1013);
    stuck.destroy();
    assert((await server.metric("ringroom_outbox_closed_total")) >= 1);
    await Promise.all([commander.close(), reader.close()]);
  });

  test("a client that never reads again is gone after the time for a close", async () => {
    const { commander, reader, stuck } = await room("flood-close");
    for (let i = 0; i < 20; i += 1) {
      commander.send(JSON.stringify({ ...flood, frames: 1 }));
      await commander.next();
      await reader.next();
    }
    const { left, code } = await reader.nextJson();
    assert.deepEqual([left, code], ["stuck", 1006]);
    stuck.destroy();
    await Promise.all([commander.close(), reader.close()]);
  });

  for (const [segment, dropsOldest] of [["flood-newest", false], ["flood-oldest", true]]) {
    test(`${segment} keeps the connection and drops the ${dropsOldest ? "oldest" : "newest"} frames`, async () => {
      const path = `/agents/${segment}/room`;
      const commander = await Client.connect(server, `${path}?_pk=commander`);
      const stuck = await Raw.open(server, `${path}?_pk=stuck`);
      stuck.socket.pause();
      const result = await commander.ask({ ...flood, frames: 3000, bytes: 20_000 });
      assert.equal(result.closed, 0);
      assert.equal(result.queued + result.dropped, 3000);
      assert(result.dropped > 100 || dropsOldest);
      const buffered = (await commander.ask({ op: "buffered" })).stuck;
      assert(buffered <= 256 * 1024 + 2 * 20_010, `${buffered} buffered`);
      stuck.socket.resume();
      // Once it reads again, on_drain is called and frames are taken again.
      await eventually(async () => (await commander.ask({ op: "drained" })).includes("stuck"), "on_drain");
      await commander.ask({ op: "flood", frames: 1, bytes: 10 });
      const got = await numbers(rawText(stuck), 0).then(async (first) =>
        first.concat(await numbers(rawText(stuck), 0)));
      assert.deepEqual(got.slice(0, 3), [0, 1, 2], "what the kernel had taken");
      const flooded = got.slice(0, -1);
      assert(flooded.every((n, i) => i === 0 || n > flooded[i - 1]), "order is kept");
      assert(flooded.length < 3000, "something was dropped");
      assert.equal(flooded.includes(2999), dropsOldest);
      if (!dropsOldest) assert.equal(flooded.length, result.queued);
      stuck.destroy();
      await commander.close();
    });
  }

  test("a client that fills its own outbox isn't read from until it reads", async () => {
    const raw = await Raw.open(server, "/agents/echo/greedy");
    raw.socket.pause();
    const before = await server.residentBytes();
    const one = frame(2, Buffer.alloc(100_000, 7));
    const count = 600;
    for (let i = 0; i < count; i += 1) raw.send(one);
    const other = await Client.connect(server, "/agents/echo/greedy");
    for (let i = 0; i < 100; i += 1) {
      other.send(`${i}`);
      assert.equal(await other.next(), `${i}`);
    }
    assert((await server.residentBytes()) - before < 30 * MiB, "60 MB wait at the client, not here");
    raw.socket.resume();
    for (let i = 0; i < count; i += 1) {
      const { opcode, payload } = await raw.nextFrame();
      assert.deepEqual([opcode, payload.length], [2, 100_000]);
    }
    raw.destroy();
    await other.close();
  });

  test("a client that pings and doesn't read costs a bounded outbox", async () => {
    const raw = await Raw.open(server, "/agents/echo/pinger");
    raw.socket.pause();
    const before = await server.residentBytes();
    const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(9, Buffer.alloc(125))));
    for (let i = 0; i < 300; i += 1) raw.send(pings);
    const other = await Client.connect(server, "/agents/echo/pinger");
    for (let i = 0; i < 100; i += 1) {
      other.send(`${i}`);
      assert.equal(await other.next(), `${i}`);
    }
    assert((await server.residentBytes()) - before < 30 * MiB);
    raw.destroy();
    await other.close();
  });

  for (const ballast of [10, 5_000, 60_000]) {
    test(`a flood of ${ballast} bytes each into a slow agent waits at the client`, async () => {
      const raw = await Raw.open(server, "/agents/sluggish/flooded");
      const before = await server.residentBytes();
      const one = frame(1, `{"ms":1,"ballast":"${"b".repeat(ballast)}"}`);
      const megabyte = Buffer.concat(Array(Math.ceil(MiB / one.length)).fill(one));
      for (let i = 0; i < 60; i += 1) raw.send(megabyte);
      let most = 0;
      for (let i = 0; i < 800; i += 1) {
        assert.equal((await raw.nextFrame()).payload.toString(), "done");
        if (i % 50 === 0) most = Math.max(most, await server.residentBytes());
      }
      assert(most - before < 10 * MiB, `${most - before} bytes more, of 60 MiB`);
      raw.reset();
    });
  }

  test("who asks for large answers and doesn't read them waits for itself", async () => {
    const raw = await Raw.connect(server);
    raw.socket.pause();
    const before = await server.residentBytes();
    raw.send("GET /agents/web/r/big HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20));
    const other = await Client.connect(server, "/agents/echo/beside");
    for (let i = 0; i < 200; i += 1) {
      other.send(`${i}`);
      assert.equal(await other.next(), `${i}`);
    }
    assert((await server.residentBytes()) - before < 40 * MiB, "of 160 MB");
    raw.socket.resume();
    for (let i = 0; i < 20; i += 1) assert.equal((await raw.answer()).body.length, 8_000_000);
    raw.destroy();
    await other.close();
  });
});
