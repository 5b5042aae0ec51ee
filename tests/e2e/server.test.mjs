// The command itself: its one line, its errors, its signals.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { Raw } from "./support/raw.mjs";
import { binary, fixture, lastingAddress, Run, Server } from "./support/server.mjs";

async function failed(args) {
  const run = new Run(args);
  const { code } = await run.exited;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

test("says one line when it is ready, and can be connected to from then on", async () => {
  const server = await Server.start();
  const client = await Client.connect(server, "/agents/echo/now");
  client.send("there?");
  assert.equal(await client.next(), "there?");
  assert.equal(server.stdout.length, 1);
  await client.close();
  await server.stop();
  assert.equal(server.stdout.length, 1, "standard output has the ready line and nothing else");
});

test("serves without an admin address", async () => {
  const server = await Server.start(["--admin", "off"]);
  assert.equal(server.adminOrigin, undefined);
  assert.equal((await fetch(server.url("/"))).status, 200);
  await server.stop();
});

test("a port in use by another program is an error", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address();
  const { code, stdout, stderr } = await failed(
    ["serve", "--listen", `127.0.0.1:${port}`, "--admin", "off", "--data", ":memory:"]);
  other.close();
  assert.equal(code, 1);
  assert.deepEqual(stdout, []);
  assert.match(stderr, new RegExp(`${port}.*listens there`));
});

test("a port in use by another Ringroom is an error", async () => {
  const server = await Server.start();
  const taken = ["serve", "--data", ":memory:"];
  const listen = await failed([...taken, "--listen", `127.0.0.1:${server.port}`, "--admin", "off"]);
  assert.equal(listen.code, 1);
  assert.match(listen.stderr, /listens there/);
  const admin = new URL(server.adminOrigin).host;
  const both = await failed([...taken, "--listen", "127.0.0.1:0", "--admin", admin]);
  assert.equal(both.code, 1);
  assert.deepEqual(both.stdout, []);
  await server.stop();
});

// The kernel frees a killed process's rings, and the sockets in them, after it has reported its end.
test("a server that was killed is started again at the same addresses, at once", async () => {
  const [listen, admin] = [await lastingAddress(), await lastingAddress()];
  for (let i = 0; i < 12; i += 1) {
    const server = await Server.start(["--listen", listen, "--admin", admin]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(server, "/agents/echo/now")));
    await server.end("SIGKILL");
    clients.forEach((client) => client.close());
  }
});

test("mistakes on the command line are errors with a sentence", async () => {
  for (const args of [["serve", "--nonsense"], ["serve", "--listen", "nowhere"],
    ["serve", "--hibernate-after", "soon"], ["serve", "--message-bytes-max", "many"],
    ["serve", "--ring-features", "teleport"], ["serve", "--agents", "/no/such.so"], ["frobnicate"]]) {
    const { code, stdout, stderr } = await failed(args);
    assert.notEqual(code, 0, args.join(" "));
    assert.deepEqual(stdout, []);
    assert.match(stderr, /\S/, args.join(" "));
  }
  const help = await failed(["serve", "--help"]);
  assert.equal(help.code, 0);
  for (const flag of ["--listen", "--shards", "--data", "--durability", "--hibernate-after", "--agents",
    "--env", "--admin", "--message-bytes-max", "--attachment-bytes-max", "--outbox-bytes-max",
    "--body-bytes-max", "--room-connections-max", "--handshake-timeout", "--ping-every", "--config",
    "--ring-features"]) {
    assert(help.stdout.join("\n").includes(flag), flag);
  }
});

test("a limit of open files that is too low is an error with advice", async () => {
  const run = new Run(["serve", "--listen", "127.0.0.1:0", "--admin", "off"], { filesMax: 32 });
  const { code } = await run.exited;
  assert.equal(code, 1);
  assert.deepEqual(run.stdout, []);
  assert.match(run.stderr, /RLIMIT_NOFILE.*ulimit -n/s);
});

test("two classes with one address are an error", async () => {
  const { code, stderr } = await failed(
    ["serve", "--listen", "127.0.0.1:0", "--admin", "off", "--agents", fixture, "--agents", fixture]);
  assert.equal(code, 1);
  assert.match(stderr, /rename one/);
});

test("a shared object that holds no agents is an error", async () => {
  const { code, stderr } = await failed(
    ["serve", "--listen", "127.0.0.1:0", "--admin", "off", "--agents", binary]);
  assert.equal(code, 1);
  assert.match(stderr, /ringroom: /);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`${signal} closes every socket with 1001 and ends with 0`, async () => {
    const server = await Server.start();
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) =>
      Client.connect(server, `/agents/chat-room/room-${i % 5}`)));
    const idle = await Raw.connect(server);
    const began = Date.now();
    const { code } = await server.end(signal);
    assert.equal(code, 0, server.stderr);
    assert(Date.now() - began < 10_000);
    for (const client of clients) assert.equal((await client.ended()).code, 1001);
    await idle.ended();
  });
}

test("SIGTERM doesn't wait for those who never answer the close", async () => {
  const server = await Server.start();
  const silent = await Raw.open(server, "/agents/echo/silent");
  const began = Date.now();
  const { code } = await server.end("SIGTERM");
  assert.equal(code, 0, server.stderr);
  assert(Date.now() - began < 10_000);
  assert.equal((await silent.nextClose()).code, 1001);
});

test("what was sent before SIGTERM arrives before the close", async () => {
  const server = await Server.start();
  const raw = await Raw.open(server, "/agents/echo/last-words");
  const text = "y".repeat(300_000);
  raw.sendFrame(1, text);
  await eventually(async () => (await server.metric("ringroom_messages_received_total")) > 0,
    "the message");
  const end = server.end("SIGTERM");
  const { payload } = await raw.nextFrame();
  assert.equal(payload.length, text.length);
  assert.equal((await raw.nextClose()).code, 1001);
  raw.destroy();
  assert.equal((await end).code, 0);
});
