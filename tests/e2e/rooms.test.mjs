// ringroom rooms and ringroom sql: what is on disk, with and without a server; and classes that got
// another name.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { Client } from "./support/client.mjs";
import { fixture, Run, Server } from "./support/server.mjs";

const renamed = join(dirname(fixture), "renamed.so");

const folders = [];
async function newFolder() {
  folders.push(await mkdtemp(join(tmpdir(), "ringroom-rooms-")));
  return folders.at(-1);
}
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A subcommand that ends by itself: its exit code and what it printed. */
async function run(...args) {
  const command = new Run(args);
  const { code } = await command.exited;
  return { code, out: command.stdout.join("\n"), err: command.stderr };
}

async function sqlJson(...args) {
  const { code, out, err } = await run("sql", ...args, "--json");
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

async function roomNames(folder, ...args) {
  const { code, out, err } = await run("rooms", "--data", folder, "--json", ...args);
  assert.equal(code, 0, err);
  return JSON.parse(out).rooms.map((room) => `${room.class}/${room.room}`);
}

async function write(server, path, statement) {
  const client = await Client.connect(server, path);
  const answer = await client.ask({ op: "sql", query: statement });
  assert(answer.rows, JSON.stringify(answer));
  await client.close();
}

test("help, and what is missing", async () => {
  for (const command of ["rooms", "sql"]) {
    const { code, out } = await run(command, "--help");
    assert.equal(code, 0);
    assert.match(out, /--data/);
    assert.match(out, /--json/);
  }
  const nowhere = join(await newFolder(), "none");
  assert.match((await run("rooms", "--data", nowhere)).err, /there is no folder .*--data/);
  assert.match((await run("sql", "Lab/x", "SELECT 1", "--data", nowhere)).err, /there is no folder/);
  assert.match((await run("sql", "Lab", "SELECT 1")).err, /write CLASS\/ROOM/);
  assert.equal((await run("sql", "Lab/x")).code, 1);
});

test("a folder is listed, filtered and sorted", async () => {
  const folder = await newFolder();
  const server = await Server.start(["--data", folder, "--agents", fixture]);
  await write(server, "/agents/lab/small", "CREATE TABLE t (a)");
  await write(server, "/agents/lab/large", "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))");
  await write(server, "/agents/lab/a%20b", "CREATE TABLE t (a)");
  assert.equal(await (await fetch(server.url("/agents/vault/kept"))).text(), "1");
  const all = ["Lab/a%20b", "Lab/large", "Lab/small", "Vault/kept"];
  assert.deepEqual(await roomNames(folder), all);
  await server.stop();
  assert.deepEqual(await roomNames(folder), all);
  assert.deepEqual(await roomNames(folder, "lab"), all.slice(0, 3));
  assert.deepEqual(await roomNames(folder, "Lab/*a*l*"), ["Lab/small"]);
  assert.deepEqual(await roomNames(folder, "*/kept"), ["Vault/kept"]);
  assert.deepEqual(await roomNames(folder, "--sort", "size", "--limit", "1"), ["Lab/large"]);
  const text = await run("rooms", "--data", folder);
  assert.match(text.out, /^CLASS +ROOM +SIZE +CHANGED\nLab +a%20b +[\d.]+ KiB +\d{4}-\d\d-\d\d/);
  // This executable doesn't know Vault, unless it is told where it is.
  assert.match(text.err, /no class Vault is served here; its rooms \(1\) are left alone/);
  assert.equal((await run("rooms", "--data", folder, "--agents", fixture)).err, "");
});

test("a room is read offline, also what a crash left in the log", async () => {
  const folder = await newFolder();
  const server = await Server.start(["--data", folder]);
  await write(server, "/agents/lab/read",
    "CREATE TABLE t (i, r, s, b, n); INSERT INTO t VALUES (9007199254740993, 1.5, 'x' || char(27), x'00ff', NULL)");
  await server.end("SIGKILL");
  const data = ["--data", folder];
  for (const room of ["Lab/read", "lab/read"]) {
    assert.deepEqual(await sqlJson(room, "SELECT r, b, n FROM t", ...data),
      { columns: ["r", "b", "n"], rows: [[1.5, { hex: "00ff" }, null]] });
  }
  const { out } = await run("sql", "Lab/read", "SELECT * FROM t", ...data);
  assert.equal(out, "               i    r  s      b        n\n9007199254740993  1.5  x\\x1b  x'00ff'  NULL");
  const refused = async (query) => {
    const { code, err } = await run("sql", "Lab/read", query, ...data);
    assert.equal(code, 1);
    return err;
  };
  assert.match(await refused("DELETE FROM t"), /only reading is possible/);
  assert.match(await refused("SELEKT"), /near "SELEKT": syntax error/);
  const { err } = await run("sql", "Lab/other", "SELECT 1", ...data);
  assert.match(err, /nothing is stored of Lab\/other: 'ringroom rooms' lists what is/);
});

for (const durability of ["strict", "process", "memory"]) {
  test(`a room is read through its server, ${durability}`, async () => {
    const kept = durability === "memory" ? [":memory:"] : [await newFolder(), "--durability", durability];
    const server = await Server.start(["--data", ...kept, "--shards", "2", "--hibernate-after", "never"]);
    const admin = ["--admin", server.adminOrigin.slice("http://".length)];
    const rooms = [...Array(6)].map((_, i) => `lab/r${i}`);
    for (const [i, room] of rooms.entries()) {
      await write(server, `/agents/${room}`, `CREATE TABLE t (a); INSERT INTO t VALUES (${i})`);
      assert.deepEqual(await sqlJson(room, "SELECT a FROM t", ...admin), { columns: ["a"], rows: [[i]] });
    }
    if (durability !== "memory") {
      const { code, err } = await run("sql", rooms[0], "SELECT 1", "--data", kept[0]);
      assert.equal(code, 1);
      assert.match(err, /is used by a running server: ask that one, by its --admin address/);
    }
    const refused = async (query, room = rooms[0]) => (await run("sql", room, query, ...admin)).err;
    assert.match(await refused("DELETE FROM t"), /only reading is possible/);
    assert.match(await refused("SELECT 1", "lab/none"), /nothing is stored of lab\/none/);
    assert.match(await refused("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"),
      /interrupted/);
    assert.match(await refused("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
      + "SELECT zeroblob(1000) FROM n"), /larger than 8388608 bytes: ask for fewer/);
    await server.stop();
  });
}

test("only JSON is asked at the admin address, and only by POST", async () => {
  const server = await Server.start([]);
  const ask = (init) => fetch(`${server.adminOrigin}/sql`, init);
  assert.equal((await ask({})).status, 405);
  assert.equal((await ask({ method: "POST", body: "{}" })).status, 415);
  const headers = { "Content-Type": "application/json" };
  assert.equal((await ask({ method: "POST", headers, body: "nonsense" })).status, 400);
  const body = JSON.stringify({ class: "lab", room: "x", query: "SELECT 1" });
  assert.equal((await ask({ method: "POST", headers, body })).status, 404);
  await server.stop();
});

test("a class with another name has its rooms", async () => {
  const folder = await newFolder();
  let server = await Server.start(["--data", folder, "--agents", fixture]);
  const client = await Client.connect(server, "/agents/vault/kept");
  await client.ask({ op: "put", key: "a", value: 1 });
  await server.end("SIGKILL");
  for (let start = 0; start < 2; start += 1) {
    server = await Server.start(["--data", folder, "--agents", renamed]);
    assert.deepEqual(await (await fetch(server.url("/agents/strongbox/kept"))).json(), { a: 1 });
    await server.stop();
  }
  assert.deepEqual(await roomNames(folder), ["Strongbox/kept"]);
  const both = new Run(["serve", "--listen", "127.0.0.1:0", "--admin", "off", "--data", folder,
    "--agents", fixture, "--agents", renamed]);
  assert.equal((await both.exited).code, 1);
  assert.match(both.stderr, /class Strongbox is renamed_from Vault, which is served too/);
});
