// The load client, against our server and against servers that misbehave on purpose.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { load, misbehaving, quick } from "./support/load.mjs";
import { Server, artifacts } from "./support/server.mjs";

/** Runs it for a moment, for its result. */
async function measure(...args) {
  const { code, stdout, stderr } = await load(...quick, ...args, "--json", "-");
  assert.notEqual(code, 2, stderr);
  return { code, result: JSON.parse(stdout), stderr };
}

const clean = { lost: 0, duplicated: 0, reordered: 0, corrupted: 0, foreign: 0 };
const counts = ({ checks: { lost, duplicated, reordered, corrupted, foreign } }) =>
  ({ lost, duplicated, reordered, corrupted, foreign });

describe("ringroom load against ringroom serve", () => {
  let server;
  before(async () => { server = await Server.start(); });
  after(() => server.stop());

  const echo = () => server.wsUrl("/agents/echo/load");
  const relay = () => server.wsUrl("/agents/relay/{room}");

  for (const form of [[], ["--text"]]) {
    test(`echo loses nothing, closed loop, ${form[0] ?? "--binary"}`, async () => {
      const { result } = await measure(echo(), "--connections", "50", "--in-flight", "4",
        "--size", "64-3000", "--server-pid", String(server.pid), ...form);
      assert(result.received > 100);
      assert.deepEqual(counts(result), clean);
      assert.deepEqual(result.faults, {});
      assert.equal(result.connections.open, 50);
      assert(result.latency_us.p50 <= result.latency_us.p99);
      assert(result.server.cpu_us_per_message > 0);
      assert(result.server.rss_connected >= result.server.rss_before);
    });
  }

  test("an open loop sends as often as it is told", async () => {
    const { result } = await measure(echo(), "--connections", "20", "--rate", "400",
      "--duration", "1s");
    assert.equal(result.checks.expected, 440);  // with the warm-up
    assert.deepEqual(counts(result), clean);
    assert.equal(result.latency_us.count, 400);
  });

  test("every member of a room gets what the others send", async () => {
    const { result } = await measure(relay(), "--scenario", "broadcast", "--rooms", "6",
      "--members", "5", "--senders", "2", "--threads", "2");
    assert(result.sent > 10);
    assert.deepEqual(counts(result), clean);
    assert.equal(result.connections.open, 30);
    assert.equal(result.client.threads_use.length, 2);
  });

  test("connect counts handshakes, with and without a close handshake", async () => {
    for (const how of [[], ["--cut"]]) {
      const { result } = await measure(echo(), "--scenario", "connect", "--connections", "8", ...how);
      assert(result.cycles > 10);
      assert.deepEqual(result.faults, {});
    }
  });

  test("idle connections prove that they are alive", async () => {
    const { code, result } = await measure(echo(), "--scenario", "idle", "--connections", "200",
      "--expect", "open=200,errors=0");
    assert.equal(code, 0);
    assert.equal(result.checks.arrived, 200);
  });

  test("after a storm everybody is back", async () => {
    const { result } = await measure(echo(), "--scenario", "storm", "--connections", "100",
      "--storm-every", "200ms");
    assert(result.cycles >= 1);
    assert.equal(result.checks.lost, 0);
    assert.equal(result.handshakes % 100, 0);
  });

  for (const form of ["tick", "relay"]) {
    test(`a game, ${form}, is raised step by step`, async () => {
      const path = form === "tick" ? "/agents/tick-room/{room}" : relay().slice(server.wsUrl("").length);
      const { result } = await measure(server.wsUrl(path), "--scenario", "game", "--game", form,
        "--rooms", "6", "--step", "3", "--step-duration", "1500ms", "--threads", "2",
        "--server-pid", String(server.pid));
      assert.deepEqual(result.faults, {});
      assert.deepEqual(counts(result), clean);
      assert.equal(result.game.form, form);
      // How many are there in time, and what is carried, is the machine's to say.
      assert(result.received > 0);
      assert(result.game.steps.length >= 1);
      assert(result.game.steps.every(({ players, p50, p99 }) => players <= 60 && p99 >= p50));
      const carried = result.game.steps.filter((step) => step.is_carried);
      assert(carried.every(({ players, p50 }) => players > 0 && p50 > 0));
      assert.equal(result.game.players, carried.at(-1)?.players ?? 0);
      assert.equal(result.game.players_per_core, result.game.players / result.game.server_cores);
    });
  }

  for (const form of ["fb", "json"]) {
    test(`envelopes, ${form}: every message in them is checked`, async () => {
      const { result } = await measure(echo(), "--scenario", "batch", "--batch", form, "--batched",
        "20", "--size", "64-200", "--connections", "10");
      assert(result.sent >= 20);
      assert.equal(result.checks.expected % 20, 0);
      assert.deepEqual(counts(result), clean);
      assert.deepEqual(result.faults, {});
    });

    test(`envelopes, ${form}: a room's come from many in one`, async () => {
      const { result } = await measure(relay(), "--scenario", "broadcast", "--batch", form,
        "--rooms", "2", "--members", "5", "--rate", "500", "--size", "64");
      assert.deepEqual(counts(result), clean);
      assert(result.latency_us.max > 25_000);  // they wait for their envelope
    });
  }

  test("devices speak once in each period, and get it back", async () => {
    const { result } = await measure(server.wsUrl("/agents/io-t-agent/load"), "--scenario", "device",
      "--connections", "40", "--period", "200ms", "--duration", "1s", "--warm-up", "200ms");
    assert.deepEqual({ ...counts(result), foreign: 0 }, clean);
    assert.equal(result.checks.foreign, 40);  // CA FE, the agent's greeting
    assert(Math.abs(result.checks.expected - 40 * 6) <= 40);
  });

  test("calls are answered to who called, states reach the others", async () => {
    const { result } = await measure(server.wsUrl("/agents/counter-agent/load-{room}"), "--scenario",
      "agents", "--rooms", "2", "--members", "5", "--states", "50", "--in-flight", "2");
    assert(result.checks.expected > result.sent);  // a state has four receivers
    assert.deepEqual(counts(result), clean);
    assert.deepEqual(result.faults, {});
  });

  test("what an agent refuses is told", async () => {
    const { result } = await measure(server.wsUrl("/agents/counter-agent/refusing"), "--scenario",
      "agents", "--method", "boom", "--args", '["too much"]', "--members", "2", "--rate", "50");
    assert.equal(result.faults.refused.first, "too much");
    assert.equal(result.checks.lost, result.faults.refused.count);
  });

  test("sources are used in turn", async () => {
    const { result } = await measure(echo(), "--connections", "12", "--source",
      "127.0.0.2-127.0.0.4");
    assert.deepEqual(counts(result), clean);
  });

  test("a missed expectation is exit code 1, and says by how much", async () => {
    const { code, stdout } = await load(echo(), ...quick, "--expect", "errors=0,open=99");
    assert.equal(code, 1);
    assert.match(stdout, /^met +errors=0 +\(0\)$/m);
    assert.match(stdout, /^MISSED +open=99 +\(100\)$/m);
  });

  test("the summary is for people", async () => {
    const { code, stdout, stderr } = await load(echo(), ...quick, "--duration", "1s");
    assert.equal(code, 0);
    assert.match(stdout, /^connections|^ {2}connections +100 of 100 open/m);
    assert.match(stdout, /^ {2}latency +p50 \S+ \S+ +p90/m);
    assert.match(stdout, /0 lost, 0 twice, 0 out of order, 0 changed/);
    assert.match(stderr, /received\/s, p50/);
    assert.doesNotMatch(stderr, /\x1b/);  // it is no terminal
  });

  test("two results are compared", async () => {
    const files = ["load-a.json", "load-b.json"].map((name) => join(artifacts, name));
    for (const file of files) assert.equal((await load(echo(), ...quick, "--json", file)).code, 0);
    const { code, stdout } = await load("--compare", ...files);
    assert.equal(code, 0);
    assert.match(stdout, /^latency p99 .* \d\.\d{3} /m);
    await Promise.all(files.map((file) => rm(file)));
  });

  test("the page shows its plots in a browser", async () => {
    const file = join(artifacts, "load.html");
    assert.equal((await load(echo(), ...quick, "--duration", "2s", "--html", file)).code, 0);
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage({ viewport: { width: 900, height: 1300 } });
      const requests = [];
      page.on("request", (request) => requests.push(request.url()));
      await page.goto(`file://${file}`);
      assert.equal(await page.locator("svg").count(), 3);
      for (const line of await page.locator("svg polyline").all()) {
        assert((await line.boundingBox()).width > 100);
      }
      assert.equal(await page.locator("h1").innerText(), "echo");
      assert.equal(requests.length, 1);
      await page.screenshot({ path: join(artifacts, "load.png") });
    } finally {
      await browser.close();
    }
  });
});

describe("ringroom load against servers that misbehave", () => {
  const against = (name, onMessage, check) => test(name, async () => {
    const server = await misbehaving(onMessage);
    try {
      await check((...args) => measure(server.url, "--connections", "1", "--rate", "200", ...args));
    } finally {
      server.stop();
    }
  });

  against("lossy: what never came is lost",
    (socket, data, number) => { if (number % 4) socket.send(data); },
    async (run) => {
      const { code, result } = await run("--expect", "lost=0");
      assert.equal(code, 1);
      assert.deepEqual(counts(result), { ...clean, lost: result.checks.expected / 4 });
    });

  against("duplicating: what came twice is told",
    (socket, data, number) => { socket.send(data); if (number % 4 === 0) socket.send(data); },
    async (run) => {
      const { result } = await run();
      assert.deepEqual(counts(result), { ...clean, duplicated: result.checks.expected / 4 });
    });

  against("changing: a flipped bit is told",
    (socket, data, number) => { if (number % 4 === 0) data[50] ^= 1; socket.send(data); },
    async (run) => {
      const { result } = await run();
      const part = result.checks.expected / 4;
      assert.deepEqual(counts(result), { ...clean, lost: part, corrupted: part });
    });

  {
    let kept;
    against("reordering: what comes behind a later one is told",
      (socket, data, number) => {
        if (number % 4 === 0) { kept = data; return; }
        socket.send(data);
        if (kept) socket.send(kept);
        kept = undefined;
      },
      async (run) => {
        const { result } = await run();
        assert.deepEqual(counts(result), { ...clean, reordered: result.checks.expected / 4 });
      });
  }

  against("late: latencies count from when a message should have left",
    (socket, data, number) => { setTimeout(() => socket.send(data), number % 2 ? 0 : 200); },
    async (run) => {
      const { result } = await run();
      assert.equal(result.checks.lost, 0);
      assert(result.latency_us.p90 >= 200_000);
    });

  against("closing: the code and the reason are told",
    (socket) => socket.close(4001, "enough"),
    async (run) => {
      const { result } = await run();
      assert.equal(result.faults.closed.count, 1);
      assert.equal(result.faults.closed.first, "close code 4001: enough");
    });

  against("cutting: a connection that just ends is told",
    (socket) => socket.terminate(),
    async (run) => {
      const { result } = await run();
      assert.equal(result.faults.closed.count, 1);
    });

  test("frames of a framework: the prefix is checked and left out, the hello comes first", async () => {
    const first = new Map();
    const server = await misbehaving((socket, data) => {
      if (!first.has(socket)) { first.set(socket, data.toString("hex")); return; }
      assert.equal(data.subarray(0, 3).toString("hex"), "11a16d");
      socket.send(data);
      socket.send("of another framing");
    });
    try {
      const { result } = await measure(server.url, "--connections", "3", "--prefix", "11a16d",
        "--hello", "0a", "--rate", "100");
      assert.deepEqual([...first.values()], ["0a", "0a", "0a"]);
      assert.deepEqual(counts(result), { ...clean, foreign: result.checks.arrived });
    } finally {
      server.stop();
    }
  });

  test("a torn envelope is told", async () => {
    const server = await misbehaving((socket, data, number) => {
      socket.send(number % 4 ? data : data.subarray(0, data.length - 8));
    });
    try {
      const { result } = await measure(server.url, "--connections", "1", "--rate", "400", "--batch",
        "fb", "--batched", "2");
      const torn = result.checks.expected / 8;
      assert.deepEqual(counts(result), { ...clean, lost: 2 * torn, corrupted: torn });
    } finally {
      server.stop();
    }
  });

  test("breaking the protocol: the rule is told", async () => {
    const server = await misbehaving((socket) => socket._socket.write(Buffer.from([0x83, 0])));
    try {
      const { result } = await measure(server.url, "--connections", "1");
      assert.equal(result.faults.protocol.first, "Unknown opcode 3");
    } finally {
      server.stop();
    }
  });

  test("silent: a handshake without an answer is a fault, and nothing can be measured", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { code, stderr } = await load(`ws://127.0.0.1:${server.address().port}/`, ...quick,
      "--connections", "3", "--handshake-timeout", "300ms");
    server.close();
    assert.equal(code, 2);
    assert.match(stderr, /no connection could be opened: handshake not answered in time/);
  });

  test("absent: refused connections are told", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    const { code, stderr } = await load(`ws://127.0.0.1:${port}/`, ...quick);
    assert.equal(code, 2);
    assert.match(stderr, /Connection refused/);
  });

  test("without enough ports or descriptors it says what to do", async () => {
    const many = await load("ws://127.0.0.1:1/", "--connections", "900000", "--threads", "400");
    assert.equal(many.code, 2);
    assert.match(many.stderr, /--source 127\.0\.0\.2-127\.0\.0\.\d+/);
    const files = await load("ws://127.0.0.1:1/", "--connections", "3000000", "--threads", "1");
    assert.equal(files.code, 2);
    assert.match(files.stderr, /--threads \d+/);
    const room = await load("ws://127.0.0.1:1/", "--scenario", "broadcast", "--members", "2000000",
      "--senders", "1");
    assert.equal(room.code, 2);
    assert.match(room.stderr, /use smaller rooms/);
  });

  test("a result for nobody's eyes is still a result", async () => {
    const server = await misbehaving((socket, data) => socket.send(data));
    const file = join(artifacts, "load-quiet.json");
    try {
      const { code, stdout, stderr } = await load(server.url, ...quick, "--quiet", "--json", file);
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
      assert.equal(JSON.parse(await readFile(file, "utf8")).checks.lost, 0);
    } finally {
      server.stop();
      await rm(file, { force: true });
    }
  });
});

describe("ringroom load over bare TCP", () => {
  /** Messages behind their lengths; each goes to the members of its path that `receivers` picks. */
  async function serve({ receivers, answer = Buffer.alloc(4), change = (message) => message }) {
    const rooms = new Map();
    const server = createServer({ noDelay: true }, (socket) => {
      let rest = Buffer.alloc(0);
      let room;
      socket.on("error", () => {});
      socket.on("close", () => room?.delete(socket));
      socket.on("data", (data) => {
        rest = Buffer.concat([rest, data]);
        while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
          const end = 4 + rest.readUInt32LE();
          const message = Buffer.from(rest.subarray(0, end));
          rest = rest.subarray(end);
          if (room) {
            for (const other of receivers(room, socket)) inTwo(other, change(message));
            continue;
          }
          const path = message.subarray(4).toString();
          if (!rooms.has(path)) rooms.set(path, new Set());
          room = rooms.get(path).add(socket);
          socket.write(answer);
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { rooms, server, url: (path) => `tcp://127.0.0.1:${server.address().port}${path}` };
  }
  // So that a length comes apart from its message, and in itself.
  function inTwo(socket, message) {
    socket.write(message.subarray(0, 3));
    setImmediate(() => socket.write(message.subarray(3)));
  }
  const toItself = (_, socket) => [socket];
  const toOthers = (room, socket) => [...room].filter((other) => other !== socket);

  test("echo loses nothing, however it is cut", async () => {
    const { server, url } = await serve({ receivers: toItself });
    const { result } = await measure(url("/echo"), "--connections", "5", "--size", "32-20KiB");
    server.close();
    assert(result.received > 0);
    assert.deepEqual(counts(result), clean);
    assert.deepEqual(result.faults, {});
  });

  test("rooms are those of the path", async () => {
    const { rooms, server, url } = await serve({ receivers: toOthers });
    const { result } = await measure(url("/room/{room}"), "--scenario", "broadcast", "--rooms", "3",
      "--members", "4", "--senders", "1");
    server.close();
    assert.deepEqual([...rooms.keys()].sort(), ["/room/0", "/room/1", "/room/2"]);
    assert(result.received > 0);
    assert.deepEqual(counts(result), clean);
    assert.deepEqual(result.faults, {});
  });

  test("a changed byte is seen", async () => {
    const change = (message) => (message[20] ^= 1, message);
    const { server, url } = await serve({ receivers: toItself, change });
    const { result } = await measure(url("/echo"), "--connections", "2");
    server.close();
    assert(result.checks.corrupted > 0);
  });

  test("who doesn't take the path is not open", async () => {
    const { server, url } = await serve({ receivers: toItself, answer: Buffer.from("HTTP") });
    const { code, stderr } = await load(url("/echo"), "--connections", "2", ...quick);
    server.close();
    assert.equal(code, 2);
    assert.match(stderr, /not an empty message/);
  });
});
