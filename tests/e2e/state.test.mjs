// A room's state is what it was told, after a sleep, a restart and a crash, for the real client.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AgentClient } from "agents/client";
import { WebSocket } from "ws";
import { Calls } from "./support/calls.mjs";
import { eventually, within } from "./support/deadline.mjs";
import { fixture, Server } from "./support/server.mjs";

// Browsers and later Nodes have it; the SDK makes ids with it.
globalThis.crypto ??= webcrypto;

const patience = 10_000;
const folders = [];
async function newFolder() {
  folders.push(await mkdtemp(join(tmpdir(), "ringroom-state-")));
  return folders.at(-1);
}
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const start = (folder, ...args) => Server.start(["--data", folder, "--agents", fixture, ...args]);

async function connect(server, agent, name) {
  const heard = new Calls("onStateUpdate", "onStateUpdateError");
  const client = new AgentClient({
    agent, name, host: `${server.host}:${server.port}`, WebSocket, maxRetries: 0, ...heard.functions,
  });
  await within(client.ready, patience, "ready");
  heard.forget("onStateUpdate");
  return Object.assign(client, { heard });
}

async function leave(client) {
  const closed = new Promise((resolve) => client.addEventListener("close", resolve, { once: true }));
  client.close();
  await within(closed, patience, "close");
}

const asleep = (server) =>
  eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");

const databases = (folder, agent) => {
  const rooms = join(folder, "rooms", agent);
  return existsSync(rooms) ? readdirSync(rooms).flatMap((each) => readdirSync(join(rooms, each))) : [];
};

const falsy = { zero: 0, no: false, empty: "", nothing: null, list: [], object: {} };

for (const [how, data] of [["on disk", newFolder], ["in memory", () => ":memory:"]]) {
  test(`a state outlives the agent, ${how}`, async () => {
    const server = await start(await data(), "--hibernate-after", "60ms");
    const client = await connect(server, "CounterAgent", "sleeper");
    assert.equal(await client.call("increment", [41]), 41);
    await asleep(server);
    assert.equal(await client.call("increment"), 42);
    await leave(client);
    await eventually(async () => (await server.metric("ringroom_rooms")) === 0, "an empty room goes");
    const late = await connect(server, "CounterAgent", "sleeper");
    assert.deepEqual(late.state, { counter: 42 });
    await leave(late);
    for (const [name, value] of Object.entries(falsy)) {
      const note = await connect(server, "Notebook", name);
      assert.deepEqual(await note.call("get"), { has: false, value: null });
      assert.deepEqual(await note.call("set", [value]), value);
      await asleep(server);
      assert.deepEqual(await note.call("get"), { has: true, value });
      await leave(note);
    }
    await server.stop();
  });
}

test("a state outlives the server, falsy ones too; an initial one that nobody changed makes no file", async () => {
  const folder = await newFolder();
  let server = await start(folder);
  for (const [name, value] of Object.entries(falsy)) {
    const note = await connect(server, "Notebook", name);
    note.setState(value);
    assert.deepEqual(await note.call("get"), { has: true, value });
    await leave(note);
  }
  const counter = await connect(server, "CounterAgent", "restart");
  assert.deepEqual(counter.state, { counter: 0 });
  await leave(counter);
  await server.stop();
  assert.equal(databases(folder, "Notebook").length, Object.keys(falsy).length);
  assert.deepEqual(databases(folder, "CounterAgent"), []);

  server = await start(folder);
  for (const [name, value] of Object.entries(falsy)) {
    const note = await connect(server, "Notebook", name);
    assert.deepEqual(note.state, value);
    assert.deepEqual(await note.call("get"), { has: true, value });
    await leave(note);
  }
  await server.stop();
});

test("what a transaction undoes isn't the state, and the clients hear of it", async () => {
  const server = await start(await newFolder());
  const client = await connect(server, "Notebook", "undo");
  assert.deepEqual(await client.call("setAndUndo", ["never"]), { has: false, value: null });
  assert.equal(await client.call("set", ["kept"]), "kept");
  assert.deepEqual(await client.call("setAndUndo", ["never"]), { has: true, value: "kept" });
  const told = client.heard.all("onStateUpdate").map(([state]) => state);
  assert.deepEqual(told, ["never", "kept", "never", "kept"]);
  await leave(client);
  const other = await connect(server, "Notebook", "undo in a turn");
  assert.deepEqual(await other.call("setThenUndo", ["kept", "never"]), { has: true, value: "kept" });
  await leave(other);
  const late = await connect(server, "Notebook", "undo");
  assert.equal(late.state, "kept");
  await leave(late);
  await server.stop();
});

// RINGROOM_CRASH_ROUNDS=200 for the whole matrix.
const rounds = Number(process.env.RINGROOM_CRASH_ROUNDS ?? 4);
for (const durability of ["strict", "process"]) {
  test(`a state that was told survives kill -9, with the rows of its turn, ${durability}`, async () => {
    const folder = await newFolder();
    const names = [...Array(4)].map((_, i) => `crash${i}`);
    const told = new Map(names.map((name) => [name, 0]));
    for (let round = 0; round <= rounds; round += 1) {
      const server = await start(folder, "--durability", durability);
      const clients = await Promise.all(names.map((name) => connect(server, "Notebook", name)));
      for (const [i, client] of clients.entries()) {
        if (round === 0) break;
        const { value } = await client.call("get");
        const { count, last } = await client.call("notes");
        const n = value?.n ?? 0;
        assert(n >= told.get(names[i]), `round ${round}: ${names[i]} was told ${told.get(names[i])}, and has ${n}`);
        assert(n === last && last === count, `round ${round}: half a turn: ${n} ${last} ${count}`);
        told.set(names[i], n);
      }
      if (round === rounds) {
        await Promise.all(clients.map(leave));
        await server.stop();
        break;
      }
      // Every client has written once; then the end comes at any time.
      const first = clients.map(async (client, i) => told.set(names[i], await client.call("note", [told.get(names[i]) + 1])));
      await within(Promise.all(first), patience, "the first notes");
      const kill = new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
        .then(() => server.end("SIGKILL"));
      await Promise.all(clients.map(async (client, i) => {
        try {
          for (;;) told.set(names[i], await client.call("note", [told.get(names[i]) + 1]));
        } catch (error) {
          assert.match(error.message, /Connection closed/);
        }
        client.close();
      }));
      await kill;
    }
  });
}
