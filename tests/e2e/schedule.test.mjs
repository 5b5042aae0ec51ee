// What an agent has planned is done: over sleep, restart and crash, by another number of shards too.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually, within } from "./support/deadline.mjs";
import { fixture, Server } from "./support/server.mjs";

const folders = [];
async function newFolder() {
  folders.push(await mkdtemp(join(tmpdir(), "ringroom-schedule-")));
  return folders.at(-1);
}
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const start = (folder, ...args) => Server.start(["--data", folder, "--agents", fixture, ...args]);
/** A client that keeps what it hears of things done while it waits for an answer. */
class Planner extends Client {
  heard = [];

  async ask(command) {
    this.send(JSON.stringify(command));
    for (;;) {
      const message = await this.nextJson();
      if (message?.ran === undefined) return message;
      this.heard.push(message.ran);
    }
  }

  /** The next thing that was done. */
  async ran() {
    while (this.heard.length === 0) {
      const { ran } = await this.nextJson();
      if (ran !== undefined) this.heard.push(ran);
    }
    return this.heard.shift();
  }
}
const planner = (server, room) => Planner.connect(server, `/agents/planner/${room}`);
const soon = (ms) => Date.now() + ms;
const asleep = (server) =>
  eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");

/** The log of a room, once it has so many entries. */
async function log(client, count) {
  return eventually(async () => {
    const entries = await client.ask({ op: "log" });
    assert(Array.isArray(entries), JSON.stringify(entries));
    return entries.length >= count && entries;
  }, `${count} entries`);
}
for (const [how, data] of [["strict", newFolder], ["in memory", () => ":memory:"]]) {
  describe(`Schedules, ${how}`, () => {
    let server;
    before(async () => { server = await start(await data(), "--hibernate-after", "60ms"); });
    after(() => server.stop());

    test("once, after a delay or at a time, awake or asleep", async () => {
      const client = await planner(server, "once");
      const delayed = await client.ask({ op: "schedule", in: 300, payload: { a: [1, null] } });
      assert.match(delayed.id, /^[\w-]{9}$/);
      assert.deepEqual({ ...delayed, id: 0, time: 0 },
        { id: 0, callback: "note", payload: { a: [1, null] }, type: "delayed", time: 0, delayInSeconds: 0.3 });
      const at = soon(600);
      const dated = await client.ask({ op: "schedule", at, payload: "x" });
      assert.equal(dated.time, Math.floor(at / 1000));
      assert.deepEqual(await client.ask({ op: "list" }), [delayed, dated]);
      assert.deepEqual(await client.ask({ op: "list", type: "scheduled" }), [dated]);
      assert.deepEqual(await client.ask({ op: "list", from: at }), [dated]);
      assert.deepEqual(await client.ask({ op: "list", to: at - 1 }), [delayed]);
      assert.deepEqual(await client.ask({ op: "get", id: dated.id }), dated);
      await asleep(server);
      for (const expected of [{ payload: { a: [1, null] }, type: "delayed" }, { payload: "x", type: "scheduled" }]) {
        const { late_ms: late, ...entry } = await client.ran();
        assert.deepEqual(entry, { ...expected, known: true });
        assert(late >= 0, `${late} ms early`);
      }
      assert.deepEqual(await client.ask({ op: "list" }), []);
      assert.equal(await client.ask({ op: "get", id: dated.id }), null);
      await client.close();
    });

    test("a cancelled one isn't done, and neither is what never was", async () => {
      const client = await planner(server, "cancel");
      const first = await client.ask({ op: "schedule", in: 50, payload: 1 });
      await client.ask({ op: "schedule", in: 150, payload: 2 });
      assert.deepEqual(await client.ask({ op: "cancel", id: first.id }), { cancelled: true });
      assert.deepEqual(await client.ask({ op: "cancel", id: first.id }), { cancelled: false });
      assert.equal((await client.ran()).payload, 2);
      await client.close();
    });

    test("again and again: an interval, and cron with seconds", async () => {
      const client = await planner(server, "repeated");
      const every = await client.ask({ op: "schedule", every: 40, payload: "every" });
      assert.deepEqual([every.type, every.intervalSeconds], ["interval", 0.04]);
      for (let i = 0; i < 3; i += 1) assert.equal((await client.ran()).payload, "every");
      client.send(JSON.stringify({ op: "cancel", id: every.id }));
      await eventually(async () => (await client.nextJson()).cancelled === true, "cancelled");
      const cron = await client.ask({ op: "schedule", cron: "* * * * * *", payload: "cron" });
      assert.deepEqual([cron.type, cron.cron], ["cron", "* * * * * *"]);
      for (let i = 0; i < 2; i += 1) assert.equal((await client.ran()).payload, "cron");
      const [{ id, time }] = await client.ask({ op: "list" });
      assert.equal(id, cron.id);
      assert(time > cron.time);
      await client.close();
    });

    test("the same cron or interval is there once, others if they ask for it", async () => {
      const client = await planner(server, "same");
      const plan = (more) => client.ask({ op: "schedule", payload: { b: 1, a: 2 }, ...more });
      for (const when of [{ cron: "0 0 1 1 *" }, { every: 3_600_000 }]) {
        const first = await plan(when);
        assert.deepEqual(await plan({ ...when, payload: { a: 2, b: 1 } }), first);
        assert.notEqual((await plan({ ...when, payload: 2 })).id, first.id);
        assert.notEqual((await plan({ ...when, task: "bare" })).id, first.id);
        assert.notEqual((await plan({ ...when, idempotent: false })).id, first.id);
      }
      assert.notEqual((await plan({ every: 3_601_000 })).intervalSeconds, 3600);
      const far = await plan({ in: 3_600_000 });
      assert.notEqual((await plan({ in: 3_600_000 })).id, far.id);
      const again = await plan({ in: 7_200_000, idempotent: true });
      assert.equal(again.delayInSeconds, 3600);
      await client.close();
    });

    test("tasks take no payload, a typed one, and callables can be planned", async () => {
      const client = await planner(server, "kinds");
      await client.ask({ op: "schedule", in: 0, task: "bare", payload: "ignored" });
      await client.ask({ op: "schedule", in: 1, task: "typed", payload: [1, 2, 3] });
      await client.ask({ op: "schedule", in: 2, task: "called", payload: 7 });
      assert.deepEqual((await log(client, 3)), ["bare", 3, { called: 7 }]);
      await client.close();
    });

    test("one that plans itself anew comes again, in turn with others", async () => {
      const client = await planner(server, "again");
      await client.ask({ op: "schedule", in: 0, task: "again", payload: 40 });
      const entries = await log(client, 41);
      assert.deepEqual(entries.map(({ left }) => left), [...Array(41)].map((_, i) => 40 - i));
      assert.deepEqual(await client.ask({ op: "list" }), []);
      await client.close();
    });

    test("one that fails is tried again, then told to on_error; one that repeats stays", async () => {
      const client = await planner(server, "failing");
      client.send(JSON.stringify({ op: "schedule", in: 0, task: "fail", payload: "oh", attempts: 4 }));
      assert.deepEqual((await client.nextJson()).retry, { maxAttempts: 4, baseDelayMs: 1, maxDelayMs: 5 });
      assert.deepEqual(await client.nextJson(), { error: "oh", runs: 4 });
      assert.deepEqual(await client.ask({ op: "list" }), []);
      const repeated = await client.ask({ op: "schedule", every: 30, task: "fail", payload: "no", attempts: 1 });
      for (const runs of [5, 6]) assert.deepEqual(await client.nextJson(), { error: "no", runs });
      client.send(JSON.stringify({ op: "cancel", id: repeated.id }));
      await eventually(async () => (await client.nextJson()).cancelled === true, "cancelled");
      await client.ask({ op: "schedule", in: 0, task: "typed", payload: "no list", attempts: 1 });
      assert.match((await client.nextJson()).error, /^argument 1: /);
      await client.close();
    });

    test("an answer that comes later keeps the room awake and the others waiting", async () => {
      const client = await planner(server, "late");
      await client.ask({ op: "schedule", in: 0, task: "late", payload: 200 });
      await client.ask({ op: "schedule", in: 1, task: "bare" });
      assert.deepEqual(await log(client, 2), [{ late: 200 }, "bare"]);
      await client.close();
    });

    test("what can't be planned is refused", async () => {
      const client = await planner(server, "refused");
      const refusal = async (more) => (await client.ask({ op: "schedule", ...more })).error;
      assert.equal(await refusal({ in: 1, task: "nope" }), 'Unknown scheduled callback "nope": not registered on this Scheduler');
      assert.equal(await refusal({ cron: "not a cron" }), "Invalid cron expression: expected 5 or 6 elements.");
      assert.match(await refusal({ cron: "0 0 31 2 *" }), /no such day/);
      assert.match(await refusal({ cron: `${"1,".repeat(200)}1 * * * *` }), /256 bytes/);
      assert.equal(await refusal({ every: 0 }), "intervalSeconds must be a positive number");
      assert.equal(await refusal({ every: 2_592_000_001 }), "intervalSeconds cannot exceed 2592000 seconds (30 days)");
      assert.match(await refusal({ at: 8_640_000_000_000_001 }), /within 100,000,000 days/);
      assert.match(await refusal({ in: 1, attempts: 0 }), /attempts_max must be 1 to 1000/);
      assert.deepEqual(await client.ask({ op: "list" }), []);
      await client.close();
    });

    test("an alarm wakes the room; it may set the next one, and is tried again if it fails", async () => {
      const client = await planner(server, "alarm");
      assert.deepEqual(await client.ask({ op: "alarm", in: 3_600_000 }), { alarm: true });
      assert.deepEqual(await client.ask({ op: "alarm", in: 100, repeat: 3 }), { alarm: true });
      assert.deepEqual(await client.ask({ op: "list" }), [], "an alarm is no schedule");
      for (const runs of [1, 2, 3]) assert.deepEqual(await client.ran(), { alarm: runs, set: false });
      await asleep(server);
      await client.ask({ op: "alarm", in: 0, fail: 2, repeat: 0 });
      assert.deepEqual(await client.ran(), { alarm: 3, set: false });
      assert.deepEqual(await client.ask({ op: "alarm", in: 100 }), { alarm: true });
      assert.deepEqual(await client.ask({ op: "delete-alarm" }), { alarm: false });
      await client.ask({ op: "schedule", in: 150, task: "bare" });
      assert.equal(await client.ran(), "bare", "no alarm before it");
      await client.close();
    });
  });
}

test("what came due while the server was down is done at its start, on other shards too, and once", async () => {
  const folder = await newFolder();
  const rooms = [...Array(12)].map((_, i) => `room${i}`);
  let server = await start(folder, "--shards", "1");
  for (const room of rooms) {
    const client = await planner(server, room);
    await client.ask({ op: "alarm", in: 100 });
    await client.ask({ op: "schedule", in: 150, payload: 0 });
    await client.ask({ op: "schedule", in: 86_400_000, payload: "tomorrow" });
    await client.close();
  }
  await server.stop();
  for (const shards of ["2", "3", "1"]) {
    server = await start(folder, "--shards", shards);
    for (const room of rooms) {
      const client = await planner(server, room);
      const entries = await log(client, 2);
      assert.deepEqual(entries.map(({ alarm, payload }) => alarm ?? payload), [1, 0], `${room}, ${shards} shards`);
      assert.deepEqual((await client.ask({ op: "list" })).map(({ payload }) => payload), ["tomorrow"]);
      await client.close();
    }
    await server.stop();
  }
});

test("nobody has to come: a room that is due at the start is woken and sleeps again", async () => {
  const folder = await newFolder();
  let server = await start(folder, "--shards", "1");
  const client = await planner(server, "alone");
  await client.ask({ op: "schedule", in: 50 });
  await server.end("SIGKILL");
  server = await start(folder, "--shards", "1", "--hibernate-after", "50ms");
  await eventually(async () => (await server.metric("ringroom_agents_created_total")) === 1, "woken");
  await eventually(async () => (await server.metric("ringroom_rooms")) === 0, "gone");
  await server.stop();
});

test("a room that a task ends has nothing planned any more, due or not", async () => {
  const folder = await newFolder();
  let server = await start(folder, "--shards", "1");
  let client = await planner(server, "ended");
  const at = soon(1000);
  await client.ask({ op: "schedule", at, task: "end" });
  await client.ask({ op: "schedule", at: at + 1, payload: "due" });
  await client.ask({ op: "schedule", in: 86_400_000, payload: "tomorrow" });
  await server.stop();
  await eventually(() => Date.now() > at + 1, "due");
  server = await start(folder, "--shards", "1", "--hibernate-after", "50ms");
  await eventually(async () => (await server.metric("ringroom_agents_created_total")) === 1, "woken");
  await eventually(async () => (await server.metric("ringroom_rooms")) === 0, "gone");
  assert.equal(await server.metric("ringroom_agents_created_total"), 1, "woken once");
  client = await planner(server, "ended");
  assert.deepEqual(await client.ask({ op: "list" }), []);
  assert.deepEqual(await client.ask({ op: "log" }), []);
  await server.stop();
});

test("a damaged index is made anew from the rooms, and nothing that was planned is lost", async () => {
  const folder = await newFolder();
  let server = await start(folder, "--shards", "2");
  const rooms = [...Array(6)].map((_, i) => `indexed${i}`);
  const at = soon(2_000);
  for (const room of rooms) {
    const client = await planner(server, room);
    await client.ask({ op: "schedule", at, payload: "due" });
    await client.ask({ op: "schedule", in: 86_400_000, payload: "tomorrow" });
    await client.close();
  }
  await server.stop();
  await eventually(() => Date.now() > at, "due");
  const index = join(folder, "alarms", "0-of-2.db");
  await writeFile(index, Buffer.alloc(8192, "x"));
  server = await start(folder, "--shards", "2");
  await server.logged(/alarms: .*0-of-2\.db is damaged; it is made anew from all rooms/);
  await server.logged(/alarms: 6 rooms were read, 6 have something planned/);
  await eventually(async () => (await server.metric("ringroom_agents_created_total")) === 6, "all are woken");
  for (const room of rooms) {
    const client = await planner(server, room);
    assert.deepEqual((await log(client, 1)).map(({ payload }) => payload), ["due"]);
    assert.deepEqual((await client.ask({ op: "list" })).map(({ payload }) => payload), ["tomorrow"]);
    await client.close();
  }
  await server.stop();
  assert.deepEqual((await readdir(join(folder, "alarms"))).sort(), ["0-of-2.db", "1-of-2.db"]);
});

test("a room whose agent can't be made keeps what is due", async () => {
  const folder = await newFolder();
  let server = await start(folder, "--shards", "1");
  let client = await planner(server, "broken");
  // Not before the server has stopped.
  await client.ask({ op: "schedule", in: 1_500, payload: 1 });
  await server.stop();
  server = await start(folder, "--shards", "1", "--env", "FAIL_START=yes");
  await server.logged(/Planner\/broken: what is due can't be done: no start/);
  await server.stop();
  server = await start(folder, "--shards", "1");
  client = await planner(server, "broken");
  // It is looked at again half a minute later, or when somebody plans something.
  await client.ask({ op: "schedule", in: 0, payload: 2 });
  assert.deepEqual((await log(client, 2)).map(({ payload }) => payload), [1, 2]);
  await client.close();
  await server.stop();
});

test("a room that wakes to say goodbye, and writes nothing new in on_start, doesn't keep it back", async () => {
  const server = await start(await newFolder(), "--shards", "1", "--hibernate-after", "60ms");
  for (let i = 0; i < 5; i += 1) {
    const client = await planner(server, "goodbye");
    await asleep(server);
    const { code } = await within(client.close(1000, "bye"), 3_000, "the close handshake");
    assert.equal(code, 1000);
  }
  await server.stop();
});

// RINGROOM_CRASH_ROUNDS=200 for the whole matrix.
const rounds = Number(process.env.RINGROOM_CRASH_ROUNDS ?? 4);
for (const durability of ["strict", "process"]) {
  test(`what was planned is done after kill -9, at least once and with all it wrote, ${durability}`, async () => {
    const folder = await newFolder();
    const rooms = [...Array(6)].map((_, i) => `crash${i}`);
    const planned = new Map(rooms.map((room) => [room, []]));
    for (let round = 0; round < rounds; round += 1) {
      const server = await start(folder, "--durability", durability, "--shards", String(round % 2 + 1));
      const clients = await Promise.all(rooms.map((room) => planner(server, room)));
      // Each plans at least one thing that is due before the end, then and after it.
      const first = clients.map((client, i) => client.ask({ op: "schedule", in: 5_000, payload: `${round}.x` })
        .then(() => planned.get(rooms[i]).push(`${round}.x`)));
      await within(Promise.all(first), 10_000, "the first plans");
      const kill = new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 150))
        .then(() => server.end("SIGKILL"));
      await Promise.all(clients.map(async (client, i) => {
        try {
          for (let n = 0; ; n += 1) {
            const payload = `${round}.${n}`;
            client.send(JSON.stringify({ op: "schedule", in: Math.floor(Math.random() * 60), payload }));
            for (let told = false; !told;) told = (await client.nextJson()).payload === payload;
            planned.get(rooms[i]).push(payload);
          }
        } catch (error) {
          assert.match(error.message, /closed with 1006/);
        }
      }));
      await kill;
    }
    const server = await start(folder, "--durability", durability);
    for (const room of rooms) {
      const client = await planner(server, room);
      const wanted = planned.get(room);
      await eventually(async () => {
        const done = new Set((await client.ask({ op: "log" })).map(({ payload }) => payload));
        return wanted.every((payload) => done.has(payload));
      }, `all that ${room} planned`);
      const all = (await client.ask({ op: "log" })).map(({ payload }) => payload);
      assert.equal(new Set(all).size, all.length, "what was done is known to be done");
      assert.deepEqual(await client.ask({ op: "list" }), []);
      await client.close();
    }
    await server.stop();
  });
}
