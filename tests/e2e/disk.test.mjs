// When the disk says no: what is wrong is told clearly, by the server at its start or by the room
// that it is about, other rooms go on, and nothing that was acknowledged is lost.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, open, readdir, rename, rm, rmdir, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { binary, Run, Server } from "./support/server.mjs";

const folders = [];
async function newFolder() {
  folders.push(await mkdtemp(join(tmpdir(), "ringroom-disk-")));
  return folders.at(-1);
}
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const sql = async (server, room, query) => {
  const client = await Client.connect(server, `/agents/lab/${room}`);
  try {
    return await client.ask({ op: "sql", query });
  } finally {
    await client.close();
  }
};

const found = [{ a: 1 }];
const create = "CREATE TABLE t (a); INSERT INTO t VALUES (1)";

/** A folder with rooms a and b, whose server has ended. */
async function filledFolder(...rooms) {
  const folder = await newFolder();
  const server = await Server.start(["--data", folder]);
  for (const room of rooms) assert.deepEqual(await sql(server, room, create), { rows: [] });
  await server.stop();
  return folder;
}

async function fileOf(folder, room) {
  const files = await readdir(join(folder, "rooms"), { recursive: true });
  return join(folder, "rooms", files.find((file) => file.endsWith(`/${room}.db`)));
}

/** How a server that can't start says so. */
async function refusal(data, options) {
  const run = new Run(["serve", "--listen", "127.0.0.1:0", "--admin", "off", "--data", data], options);
  assert.deepEqual(await run.exited, { code: 1, signal: null }, run.stderr);
  return run.stderr;
}

test("a corrupt database is its room's trouble alone", async () => {
  const folder = await filledFolder("torn", "cut", "short", "other");
  await truncate(await fileOf(folder, "short"), 100);
  const torn = await open(await fileOf(folder, "torn"), "r+");
  await torn.write(Buffer.alloc(200, "x"), 0, 200, 0);
  await torn.close();
  const cut = await fileOf(folder, "cut");
  await truncate(cut, (await stat(cut)).size - 1000);
  const server = await Server.start(["--data", folder]);
  assert.equal((await sql(server, "torn", "SELECT a FROM t")).error,
    "SQL query failed: file is not a database: SQLITE_NOTADB");
  assert.match((await sql(server, "cut", "SELECT a FROM t")).error, /^SQL query failed: .*(malformed|cannot read)/);
  assert.match((await sql(server, "cut", "INSERT INTO t VALUES (2)")).error, /^SQL query failed: .*(malformed|cannot read)/);
  // Not taken for a room that is new.
  assert.match((await sql(server, "short", create)).error, /cannot read Lab\/\w+\/short\.db/);
  assert.deepEqual(await sql(server, "other", "SELECT a FROM t"), { rows: found });
  await server.logged(/storage: Lab\/\w+\/torn\.db: file is not a database/);
  await server.stop();
  assert.equal((await stat(cut)).size % 4096, 4096 - 1000, "it is left as it was");
});

const isRoot = process.getuid() === 0;
const other = 65534;
const asOther = { prefix: ["setpriv", `--reuid=${other}`, `--regid=${other}`, "--clear-groups"] };

/** Whether somebody else can run the server from where it is. */
function otherCanRun() {
  try {
    execFileSync(asOther.prefix[0], [...asOther.prefix.slice(1), binary, "--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("permission denied is told with advice", { skip: !isRoot && "needs root" }, async (context) => {
  if (!otherCanRun()) return context.skip("somebody else can't run the server from where it is");
  const folder = await filledFolder("mine", "theirs");
  assert.match(await refusal(folder, asOther), /cannot .*: Permission denied \(check the owner and mode of the data folder\)/);
  // A folder of its own, in which one room belongs to somebody else.
  execFileSync("chown", ["-R", `${other}:${other}`, folder]);
  const theirs = await fileOf(folder, "theirs");
  await chown(theirs, 0, 0);
  await chmod(theirs, 0o600);
  const server = await Server.start(["--data", folder], asOther);
  assert.match((await sql(server, "theirs", "SELECT a FROM t")).error,
    /cannot read .*theirs\.db: Permission denied \(check the owner/);
  assert.match((await sql(server, "theirs", "INSERT INTO t VALUES (2)")).error, /Permission denied/);
  assert.deepEqual(await sql(server, "mine", "INSERT INTO t VALUES (2)"), { rows: [] });
  await server.stop();
});

test("a room whose file can't be written keeps back neither others nor the log", { skip: !isRoot && "needs root" },
  async (context) => {
    if (!otherCanRun()) return context.skip("somebody else can't run the server from where it is");
    const folder = await filledFolder("kept", "other");
    execFileSync("chown", ["-R", `${other}:${other}`, folder]);
    const start = () => Server.start(["--data", folder, "--shards", "1"], asOther);
    let server = await start();
    const insert = (room, value) => sql(server, room, `INSERT INTO t VALUES (${value})`);
    const kept = () => sql(server, "kept", "SELECT DISTINCT a FROM t ORDER BY a");
    const fillSegments = async () => {
      for (let i = 0; i < 40; i += 1) assert.deepEqual(await insert("other", "zeroblob(1000000)"), { rows: [] });
    };
    const file = await fileOf(folder, "kept");
    assert.deepEqual(await insert("kept", 2), { rows: [] });
    await chown(file, 0, 0);
    await chmod(file, 0o444);
    await fillSegments();
    await server.logged(/cannot write .*kept\.db: Permission denied .*tried each second/);
    await eventually(async () => /cannot write .*kept\.db: Permission denied/.test((await insert("kept", 2)).error),
      "its writes fail");
    assert.deepEqual(await kept(), { rows: [{ a: 1 }, { a: 2 }] });
    await fillSegments();
    await eventually(async () => (await server.metric("ringroom_storage_segments_waiting")) <= 1, "written back");
    assert((await readdir(join(folder, "log"))).length <= 5);
    await chmod(file, 0o644);
    await chown(file, other, other);
    await server.logged(/kept\.db can be written again/);
    await eventually(async () => (await insert("kept", 3)).rows !== undefined, "its writes succeed");
    await server.end("SIGKILL");
    server = await start();
    assert.deepEqual(await kept(), { rows: [{ a: 1 }, { a: 2 }, { a: 3 }] });
    await server.stop();
  });

test("a start goes on without a room whose file can't be written, and loses nothing of it", async () => {
  const folder = await filledFolder("kept", "other");
  const file = await fileOf(folder, "kept");
  let server = await Server.start(["--data", folder]);
  assert.deepEqual(await sql(server, "kept", "INSERT INTO t VALUES (2)"), { rows: [] });
  await server.end("SIGKILL");
  await rename(file, `${file}.away`);
  await mkdir(file);  // root may write everything else
  const told = /cannot write .*kept\.db: Is a directory \(a folder is in its place: move that away\)/;
  for (let start = 1; start <= 2; start += 1) {
    server = await Server.start(["--data", folder]);
    await server.logged(told);
    assert.match((await sql(server, "kept", "SELECT a FROM t")).error, told);
    assert.match((await sql(server, "kept", "INSERT INTO t VALUES (3)")).error, told);
    assert.deepEqual(await sql(server, "other", "INSERT INTO t VALUES (2)"), { rows: [] });
    if (start === 1) await server.stop();
  }
  await rmdir(file);
  await rename(`${file}.away`, file);
  await server.logged(/kept\.db can be written again/);
  const kept = () => sql(server, "kept", "SELECT a FROM t ORDER BY a");
  await eventually(async () => (await kept()).rows !== undefined, "it is read");
  assert.deepEqual(await kept(), { rows: [{ a: 1 }, { a: 2 }] });
  assert.deepEqual(await sql(server, "kept", "INSERT INTO t VALUES (3)"), { rows: [] });
  await server.stop();
  assert.deepEqual(await readdir(join(folder, "log")), []);
  server = await Server.start(["--data", folder]);
  assert.deepEqual(await kept(), { rows: [{ a: 1 }, { a: 2 }, { a: 3 }] });
  assert.deepEqual(await sql(server, "other", "SELECT count(*) AS n FROM t"), { rows: [{ n: 3 }] });
  await server.stop();
});

test("a read-only disk is told, also when it becomes one", { skip: !isRoot && "needs root" }, async (context) => {
  const folder = await newFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=60m", "ringroom-test", folder], { stdio: "ignore" });
  } catch {
    return context.skip("mounting a small disk needs root");
  }
  const remount = (how) => execFileSync("mount", ["-o", `remount,${how}`, folder]);
  try {
    let server = await Server.start(["--data", folder]);
    assert.deepEqual(await sql(server, "a", create), { rows: [] });
    await server.stop();
    remount("ro");
    assert.match(await refusal(folder), /cannot write .*lock: Read-only file system \(its file system is mounted read-only\)/);
    // What is there can still be looked at.
    const rooms = new Run(["rooms", "--data", folder, "--json"]);
    assert.equal((await rooms.exited).code, 0);
    assert.equal(JSON.parse(rooms.stdout.join("")).rooms[0].room, "a");
    const query = new Run(["sql", "lab/a", "SELECT a FROM t", "--data", folder, "--json"]);
    assert.equal((await query.exited).code, 0, query.stderr);
    assert.deepEqual(JSON.parse(query.stdout.join("")).rows, [[1]]);
    remount("rw");
    server = await Server.start(["--data", folder]);
    assert.deepEqual(await sql(server, "a", "SELECT a FROM t"), { rows: found });
    await server.stop();
  } finally {
    execFileSync("umount", ["-l", folder]);
  }
});

test("limits are what the flags say", async () => {
  const server = await Server.start(["--data", await newFolder(), "--shards", "1", "--database-bytes-max", "64KiB",
    "--query-time-max", "50ms", "--databases-open-max", "2"]);
  assert.deepEqual(await sql(server, "a", create), { rows: [] });
  assert.equal((await sql(server, "a", "INSERT INTO t VALUES (zeroblob(100000))")).error,
    "SQL query failed: database or disk is full: SQLITE_FULL");
  assert.match((await sql(server, "a", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")).error,
    /interrupted: SQLITE_INTERRUPT/);
  for (const room of ["b", "c", "d"]) assert.deepEqual(await sql(server, room, create), { rows: [] });
  assert.deepEqual(await sql(server, "a", "SELECT a FROM t"), { rows: found });
  assert.equal(await server.metric("ringroom_databases_open"), 2);
  const writes = await server.metric("ringroom_storage_log_writes_total");
  assert(writes > 0 && writes <= await server.metric("ringroom_storage_commits_total"));
  assert.equal(await server.metric("ringroom_storage_gate_wait_seconds_count"), writes);
  assert(await server.metric("ringroom_storage_log_bytes_total") >= 4096 * writes);
  assert.equal(await server.metric("ringroom_storage_failures_total"), 0);
  await server.stop();
});

test("a database of a later version is refused with advice, an empty file is a new one", async () => {
  const folder = await filledFolder("later", "empty", "other");
  const later = await open(await fileOf(folder, "later"), "r+");
  await later.write(Buffer.from([0, 0, 0, 99]), 0, 4, 60);  // user_version in SQLite's header
  await later.close();
  await writeFile(await fileOf(folder, "empty"), "");
  const server = await Server.start(["--data", folder]);
  const { error } = await sql(server, "later", "SELECT a FROM t");
  assert.match(error, /Lab\/later has version 99, and this Ringroom knows \d+: use the Ringroom that wrote it, or a later one/);
  assert.deepEqual(await sql(server, "empty", create), { rows: [] });
  assert.deepEqual(await sql(server, "empty", "SELECT a FROM t"), { rows: found });
  assert.deepEqual(await sql(server, "other", "SELECT a FROM t"), { rows: found });
  await server.stop();
  const query = new Run(["sql", "lab/later", "SELECT 1", "--data", folder]);
  assert.equal((await query.exited).code, 1);
  assert.match(query.stderr, /has version 99/);
});
