// Rooms that remember: what a client was told is true, also after a restart, a crash, and when the
// disk says no.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { fixture, Run, Server } from "./support/server.mjs";

const folders = [];
async function newFolder() {
  folders.push(await mkdtemp(join(tmpdir(), "ringroom-data-")));
  return folders.at(-1);
}
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const sql = (client, query, ...params) => client.ask({ op: "sql", query, params });
const rows = async (client, query, ...params) => {
  const answer = await sql(client, query, ...params);
  assert(answer.rows, JSON.stringify(answer));
  return answer.rows;
};

for (const durability of ["strict", "process", "memory"]) {
  describe(`SQL, ${durability}`, () => {
    let server;
    before(async () => {
      const kept = durability === "memory" ? [":memory:"]
        : [await newFolder(), "--durability", durability];
      server = await Server.start(["--hibernate-after", "60ms", "--data", ...kept]);
    });
    after(() => server.stop());

    test("types come back as they are", async () => {
      const client = await Client.connect(server, "/agents/lab/types");
      assert.deepEqual(await rows(client, "CREATE TABLE t (i, r, s, b, n)"), []);
      assert.deepEqual(await rows(client, "INSERT INTO t VALUES (?, ?, ?, x'00ff', ?)", 1, 1.5, "x", null), []);
      assert.deepEqual(await rows(client, "SELECT * FROM t"),
        [{ i: 1, r: 1.5, s: "x", b: { hex: "00ff" }, n: null }]);
      assert.deepEqual(await rows(client, "SELECT ? AS v, typeof(?) AS t", true, true),
        [{ v: "true", t: "text" }]);
      assert.deepEqual(await rows(client, "SELECT 1; SELECT 2"), [{ 2: 2 }]);
      await client.close();
    });

    test("errors are told in SQLite's words", async () => {
      const client = await Client.connect(server, "/agents/lab/errors");
      assert.deepEqual(await sql(client, "SELEKT 1"),
        { error: 'SQL query failed: near "SELEKT": syntax error at offset 0: SQLITE_ERROR' });
      assert.deepEqual(await sql(client, "CREATE TABLE _cf_x (a)"),
        { error: "SQL query failed: not authorized: SQLITE_AUTH" });
      assert.match((await sql(client, "BEGIN")).error, /please use transaction\(\)/);
      await client.close();
    });

    test("a room sleeps without its database, and finds it again", async () => {
      const client = await Client.connect(server, "/agents/lab/sleeper");
      await rows(client, "CREATE TABLE t (a); INSERT INTO t VALUES (7)");
      await eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
      assert.deepEqual(await rows(client, "SELECT a FROM t"), [{ a: 7 }]);
      assert.equal((await client.ask({ op: "info" })).hibernated_before, true);
      await client.close();
    });

    test("answers keep their order, written or not", async () => {
      const client = await Client.connect(server, "/agents/lab/order");
      await rows(client, "CREATE TABLE t (a)");
      for (let i = 0; i < 300; i += 1) {
        const query = i % 3 === 0 ? `INSERT INTO t VALUES (${i}) RETURNING a` : `SELECT ${i} AS a`;
        client.send(JSON.stringify({ op: "sql", query }));
      }
      for (let i = 0; i < 300; i += 1) assert.deepEqual(await client.nextJson(), { rows: [{ a: i }] });
      client.send(JSON.stringify({ op: "sql", query: "DELETE FROM t" }));
      assert.equal((await client.close(1000, "")).code, 1000);
    });

    test("who writes while others talk hears everything once, in order", async () => {
      const [writer, talker] = [await Client.connect(server, "/agents/lab/once"), await Client.connect(server, "/agents/lab/once")];
      await rows(writer, "CREATE TABLE t (a)");
      const count = 400;
      // Several under way, so that some are written and said in the turn in which others are let go.
      const keepGoing = (client, message) => {
        let sent = 0;
        const send = () => {
          if (sent < count) client.send(JSON.stringify(message(sent)));
          sent += 1;
        };
        for (let i = 0; i < 8; i += 1) setTimeout(send, i);
        return send;
      };
      const insert = keepGoing(writer, (n) => ({ op: "sql", query: `INSERT INTO t VALUES (0) RETURNING ${n} AS n` }));
      const talk = keepGoing(talker, (n) => ({ op: "broadcast", text: `"${n}"` }));
      const hearTalk = async () => {
        for (let n = 0; n < count; n += 1) {
          assert.equal(await talker.next(), `"${n}"`);
          talk();
        }
      };
      const hearAll = async () => {
        for (let written = 0, heard = 0; written < count || heard < count;) {
          const message = await writer.nextJson();
          if (typeof message === "string") {
            assert.equal(message, `${heard}`);
            heard += 1;
          } else {
            assert.deepEqual(message, { rows: [{ n: written }] });
            written += 1;
            insert();
          }
        }
      };
      await Promise.all([hearTalk(), hearAll()]);
      await Promise.all([writer.close(), talker.close()]);
    });

    test("a broadcast behind a write reaches everybody, late readers too", async () => {
      const clients = await Promise.all([...Array(20)].map(() => Client.connect(server, "/agents/lab/all")));
      await rows(clients[0], "CREATE TABLE t (a)");
      for (let i = 0; i < 50; i += 1) {
        clients[0].send(JSON.stringify({ op: "sql", query: `INSERT INTO t VALUES (${i})` }));
        clients[0].send(JSON.stringify({ op: "broadcast", text: `"${i}"` }));
      }
      for (const client of clients) {
        for (let i = 0; i < 50; i += 1) {
          if (client === clients[0]) assert.deepEqual(await client.nextJson(), { rows: [] });
          assert.equal(await client.next(), `"${i}"`);
        }
      }
      await Promise.all(clients.map((client) => client.close()));
    });
  });
}

describe("What an agent's author calls", () => {
  let server;
  before(async () => {
    server = await Server.start(["--hibernate-after", "60ms", "--data", await newFolder(), "--agents", fixture]);
  });
  after(() => server.stop());

  test("keys and values, by prefix and range", async () => {
    const client = await Client.connect(server, "/agents/vault/keys");
    assert.deepEqual(await client.ask({ op: "get", key: "none" }), { found: false, value: null });
    assert.deepEqual(await client.ask({ op: "list" }), {});
    const values = { a: 1, "b/1": [1, null], "b/2": { x: "ä" }, "b/3": false, c: null };
    for (const [key, value] of Object.entries(values)) await client.ask({ op: "put", key, value });
    await eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
    assert.deepEqual(await client.ask({ op: "list" }), values);
    assert.deepEqual(await client.ask({ op: "get", key: "c" }), { found: true, value: null });
    const keys = async (options) => Object.keys(await client.ask({ op: "list", ...options })).join();
    assert.equal(await keys({ prefix: "b/" }), "b/1,b/2,b/3");
    assert.equal(await keys({ start: "b/2", end: "c" }), "b/2,b/3");
    assert.equal(await keys({ prefix: "b/", start: "b/2", limit: 1 }), "b/2");
    assert.equal(await keys({ limit: 2, reverse: true }), "b/3,c");
    assert.deepEqual(await client.ask({ op: "erase", key: "a" }), { erased: true });
    assert.deepEqual(await client.ask({ op: "erase", key: "a" }), { erased: false });
    assert.deepEqual(await client.ask({ op: "erase-all" }), { erased: 4 });
    assert.match((await client.ask({ op: "put", key: "", value: 1 })).error, /1 to 2048 bytes/);
    await client.close();
  });

  test("what a transaction throws away is undone, the inner alone", async () => {
    const client = await Client.connect(server, "/agents/vault/numbers");
    const add = (command) => client.ask({ op: "transaction", ...command });
    assert.deepEqual(await add({ outer: 1, inner: 2 }), [1, 2]);
    assert.deepEqual(await add({ outer: 3, inner: 4, "inner-throws": true }), [1, 2, 3]);
    assert.deepEqual(await add({ outer: 5, inner: 6, "outer-throws": true }), [1, 2, 3]);
    await client.close();
  });

  test("requests that write are answered in order, whoever accepts them", async () => {
    const answers = [];
    for (let i = 0; i < 20; i += 1) answers.push(await (await fetch(server.url("/agents/vault/http"))).text());
    assert.deepEqual(answers, [...Array(20)].map((_, i) => String(i + 1)));
  });
});

// The rooms' files below a data folder.
async function databases(folder) {
  const entries = await readdir(join(folder, "rooms"), { recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.endsWith(".db"));
}

describe("destroy()", () => {
  for (const durability of ["strict", "process", "memory"]) {
    test(`ends the room when everything is said, ${durability}`, async () => {
      const kept = durability === "memory" ? [":memory:"]
        : [await newFolder(), "--durability", durability];
      const server = await Server.start(["--hibernate-after", "60ms", "--data", ...kept, "--agents", fixture]);
      const clients = await Promise.all([...Array(3)].map(() => Client.connect(server, "/agents/vault/over")));
      const [asker, second, third] = clients;
      await asker.ask({ op: "put", key: "a", value: 1 });
      await eventually(async () => (await server.metric("ringroom_connections_parked")) === 3, "parking");
      assert.deepEqual(await second.ask({ op: "destroy", alarm: true }), { ok: true });
      for (const client of clients) {
        assert.deepEqual(await client.ended(), { code: 1001, reason: "Durable Object destroyed" });
      }
      assert.equal(third.messages.length, 0);
      const again = await Client.connect(server, "/agents/vault/over");
      assert.deepEqual(await again.ask({ op: "list" }), {});
      await again.close();
      await eventually(async () => (await server.metric("ringroom_rooms")) === 0, "the room's end");
      await server.stop();
      if (durability !== "memory") assert.deepEqual(await databases(kept[0]), []);
    });
  }

  test("what a client was told of it survives kill -9", async () => {
    const folder = await newFolder();
    const flags = ["--data", folder, "--agents", fixture];
    const first = await Server.start(flags);
    const founder = await Client.connect(first, "/agents/vault/over");
    await founder.ask({ op: "put", key: "old", value: true });
    await first.stop();
    assert.equal((await databases(folder)).length, 1);
    for (let life = 0; life < 3; life += 1) {
      const server = await Server.start(flags);
      const client = await Client.connect(server, "/agents/vault/over");
      assert.deepEqual(await client.ask({ op: "list" }), life === 0 ? { old: true } : {}, `life ${life}`);
      await client.ask({ op: "put", key: "life", value: life });
      assert.deepEqual(await client.ask({ op: "destroy" }), { ok: true });
      await server.end("SIGKILL");
    }
    const server = await Server.start(flags);
    assert.deepEqual(await databases(folder), []);
    await server.stop();
  });

  test("whoever called for it gets the answer: a client, a request, another agent", async () => {
    const folder = await newFolder();
    const server = await Server.start(["--data", folder, "--agents", fixture, "--hibernate-after", "60ms"]);
    assert.equal(await (await fetch(server.url("/agents/vault/asked"))).text(), "1");
    const asker = await Client.connect(server, "/agents/switchboard/asker");
    const end = { op: "call", agent: "Vault", room: "asked", method: "end", args: [] };
    assert.deepEqual(await asker.ask(end), { result: "ended" });
    assert.equal(await (await fetch(server.url("/agents/vault/asked"))).text(), "1");
    const client = await Client.connect(server, "/agents/vault/asked");
    client.send(JSON.stringify({ type: "rpc", id: "1", method: "end", args: [] }));
    const { result } = await client.nextJson();
    assert.equal(result, "ended");
    assert.equal((await client.ended()).code, 1001);
    assert.equal(await (await fetch(server.url("/agents/vault/asked"))).text(), "1");
    // Nothing to destroy.
    assert.deepEqual(await asker.ask({ ...end, room: "never" }), { result: "ended" });
    await asker.close();
    await server.stop();
  });
});

test("what was written is there after a restart, with another number of shards too", async () => {
  const folder = await newFolder();
  for (let run = 0; run < 3; run += 1) {
    const server = await Server.start(["--data", folder, "--shards", String(run % 2 + 1)]);
    for (const room of ["a", "b%20c", "ä", "x".repeat(900)]) {
      const client = await Client.connect(server, `/agents/lab/${room}`);
      await rows(client, "CREATE TABLE IF NOT EXISTS t (run)");
      await rows(client, "INSERT INTO t VALUES (?)", run);
      assert.equal((await rows(client, "SELECT * FROM t")).length, run + 1);
      await client.close();
    }
    await server.stop();
  }
});

// RINGROOM_CRASH_ROUNDS=200 for the whole matrix; RINGROOM_CRASH_SEED for the moments of another one.
const rounds = Number(process.env.RINGROOM_CRASH_ROUNDS ?? 6);
const crashSeed = Number(process.env.RINGROOM_CRASH_SEED ?? Date.now() % 1_000_000);
/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
for (const durability of ["strict", "process"]) {
  test(`what was acknowledged survives kill -9, ${durability}, seed ${crashSeed}`, async () => {
    const folder = await newFolder();
    const random = chance(crashSeed);
    const names = [...Array(30)].map((_, i) => `crash${i}`);
    const acknowledged = new Map(names.map((name) => [name, 0]));
    for (let round = 0; round <= rounds; round += 1) {
      const server = await Server.start(["--data", folder, "--durability", durability]);
      const clients = await Promise.all(names.map((name) => Client.connect(server, `/agents/lab/${name}`)));
      for (const [i, client] of clients.entries()) {
        await rows(client, "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, twin INTEGER, filler BLOB)");
        const [{ n, twin, count }] = await rows(client,
          "SELECT coalesce(max(n), 0) AS n, coalesce(max(twin), 0) AS twin, count(*) AS count FROM t");
        const told = acknowledged.get(names[i]);
        assert(n >= told, `round ${round}: ${names[i]} was told ${told}, and has ${n}`);
        assert(n === count && twin === n, `round ${round}: half a write: ${n} ${count} ${twin}`);
        assert.deepEqual(await rows(client, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
        acknowledged.set(names[i], n);
      }
      if (round === rounds) {
        await Promise.all(clients.map((client) => client.close()));
        await server.stop();
        break;
      }
      const kill = new Promise((resolve) => setTimeout(resolve, 20 + random() * 200))
        .then(() => server.end("SIGKILL"));
      await Promise.all(clients.map(async (client, i) => {
        try {
          for (;;) {
            const n = acknowledged.get(names[i]) + 1;
            await rows(client, "INSERT INTO t (n, filler) SELECT coalesce(max(n), 0) + 1, zeroblob(3000) FROM t; "
              + "UPDATE t SET twin = n WHERE n = ?", n);
            acknowledged.set(names[i], n);
          }
        } catch (error) {
          assert.match(error.message, /closed with 1006/);
        }
      }));
      await kill;
    }
  });
}

test("a folder belongs to one server, and what is no folder is refused", async () => {
  const folder = await newFolder();
  const server = await Server.start(["--data", folder]);
  const refused = async (data) => {
    const run = new Run(["serve", "--listen", "127.0.0.1:0", "--admin", "off", "--data", data]);
    assert.deepEqual(await run.exited, { code: 1, signal: null });
    return run.stderr;
  };
  assert.match(await refused(folder), /is used by another running server/);
  const file = join(folder, "file");
  await writeFile(file, "");
  assert.match(await refused(join(file, "data")), /--data: cannot make .*: Not a directory/);
  await server.stop();
});

test("a full disk is told, and nothing acknowledged is lost", async (context) => {
  const folder = await newFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=30m", "ringroom-test", folder], { stdio: "ignore" });
  } catch {
    return context.skip("mounting a small disk needs root");
  }
  try {
    let server = await Server.start(["--data", folder, "--shards", "1"]);
    let client = await Client.connect(server, "/agents/lab/full");
    const quiet = await Client.connect(server, "/agents/lab/quiet");
    await rows(quiet, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    await rows(client, "CREATE TABLE t (n INTEGER PRIMARY KEY, filler)");
    let told = 0;
    const write = async () => {
      for (;;) {
        const answer = await sql(client, "INSERT INTO t VALUES (?, zeroblob(500000))", told + 1);
        if (answer.error) return answer.error;
        told += 1;
      }
    };
    const why = await write().catch((error) => error.message);
    assert.match(why, /closed with 1011 the room's storage failed|No space left on device/);
    assert(told > 10);
    assert.deepEqual(await rows(quiet, "SELECT a FROM t"), [{ a: 1 }]);
    assert.match((await sql(quiet, "INSERT INTO t VALUES (2)")).error, /No space left on device \(the disk is full/);
    await server.end("SIGKILL");
    execFileSync("mount", ["-o", "remount,size=200m", folder]);
    server = await Server.start(["--data", folder, "--shards", "1"]);
    client = await Client.connect(server, "/agents/lab/full");
    assert.deepEqual(await rows(client, "SELECT count(*) AS n FROM t"), [{ n: told }]);
    await client.close();
    await server.stop();
  } finally {
    execFileSync("umount", ["-l", folder]);
  }
});
