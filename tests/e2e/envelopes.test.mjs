// Envelopes: many messages in one frame, agreed on in the handshake, in both directions.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { Batched, decode, encode, EnvelopeClient, golden, repository, subprotocols }
  from "./support/envelope.mjs";
import { frame, Opcode, Raw, upgrade } from "./support/raw.mjs";
import { fixture, Server } from "./support/server.mjs";

const goldenMessages = [
  ["position", Uint8Array.of(0, 1, 2, 255, 16), "bytes", "player/1", 12],
  ["chat", 'grüß "dich"', "text", "", 0],
  ["position", Uint8Array.from(Buffer.from("12345678")), "bytes", "player/2", 0],
  ["score", { red: 3, blue: [1, 2.5, null] }, "json", "", 40],
  ["", new Uint8Array(0), "bytes", "", 0],
].map(([type, payload, kind, key, age]) => ({ type, payload, kind, key, age }));

const plainBytes = (message) => message.payload instanceof Uint8Array
  ? { ...message, payload: Uint8Array.from(message.payload) } : message;

/** What the Python reader says of an envelope. */
function python(data) {
  const folder = mkdtempSync(join(tmpdir(), "ringroom-envelope-"));
  try {
    writeFileSync(join(folder, "envelope"), data);
    const reader = join(repository, "tools/python/ringroom_envelope.py");
    return execFileSync("python3", [reader, join(folder, "envelope")], { encoding: "utf8" })
      .trim().split("\n").map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("The golden envelopes", () => {
  for (const name of ["envelope.rre", "envelope-flatc.rre", "envelope.json"]) {
    const data = readFileSync(join(golden, name));

    test(`${name} in JavaScript`, () => {
      const envelope = decode(name.endsWith("json") ? data.toString() : data);
      assert.equal(envelope.timestamp, 1767225600000);
      assert.equal(envelope.sequence, 7);
      assert.equal(envelope.missed, 2);
      assert.deepEqual(envelope.messages.map(plainBytes), goldenMessages);
    });

    test(`${name} in Python`, () => {
      const expected = goldenMessages.map(({ type, payload, kind, key, age }) => ({
        sequence: 7, missed: 2, timestamp_ms: 1767225600000, type,
        payload: kind === "bytes" ? Buffer.from(payload).toString("hex") : payload,
        kind, key, age_ms: age,
      }));
      assert.deepEqual(python(data), expected);
    });
  }

  test("a truncated one is refused, and never read beyond its end", () => {
    const data = readFileSync(join(golden, "envelope.rre"));
    for (let size = 8; size < data.length - 4; size += 1) {
      const cut = new Uint8Array(data.subarray(0, size));
      let messages = [];
      try {
        messages = decode(cut).messages;
      } catch (error) {
        assert(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError,
          `${size}: ${error}`);
      }
      assert(messages.length < 5, `${size} bytes gave all messages`);
    }
  });
});

describe("Agreeing on envelopes", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture]); });
  after(() => server.stop());

  const protocolOf = async (offered, query = "") => {
    const socket = new WebSocket(server.wsUrl(`/agents/echo/agree${query}`), offered);
    await new Promise((resolve, reject) => { socket.once("open", resolve); socket.once("error", reject); });
    socket.close();
    return socket.protocol;
  };

  test("the first of ours that the client offers is chosen", async () => {
    assert.equal(await protocolOf([subprotocols.fb]), subprotocols.fb);
    assert.equal(await protocolOf([subprotocols.json, subprotocols.fb]), subprotocols.json);
    assert.equal(await protocolOf(["other", subprotocols.fb], "?batch=json"), subprotocols.fb);
  });

  test("none of ours, none in the answer", async () => {
    const raw = await Raw.connect(server);
    raw.send(upgrade("/agents/echo/agree?batch=fb", { "Sec-WebSocket-Protocol": "chat" }));
    const head = await raw.head();
    assert.equal(head.status, 101);
    assert.equal(head.headers.get("sec-websocket-protocol"), undefined);
    raw.destroy();
  });

  test("another value of ?batch= is refused with what to say", async () => {
    const socket = new WebSocket(server.wsUrl("/agents/echo/x?batch=xml"));
    const [status] = await new Promise((resolve) => {
      socket.once("unexpected-response", (_, response) => resolve([response.statusCode]));
      socket.once("error", () => {});
    });
    assert.equal(status, 400);
  });
});

for (const format of ["fb", "json"]) {
  describe(`Envelopes (${format})`, () => {
    let server;
    before(async () => {
      server = await Server.start(["--agents", fixture, "--hibernate-after", "150ms"]);
    });
    after(() => server.stop());
    const connect = (path) => EnvelopeClient.connect(server, path, format);

    test("what goes in comes back, in one envelope", async () => {
      const client = await connect("/agents/echo/round");
      const messages = [
        { type: "bytes", payload: Uint8Array.of(0, 200, 255) },
        { type: "text", payload: "grüß \u0000 dich" },
        { type: "value", payload: { a: [1, null, "x"] } },
        { type: "value", payload: 12 },
        ...Array.from({ length: 200 }, (_, i) => ({ type: "many", payload: `message ${i}` })),
      ];
      for (let round = 0; round < 3; round += 1) {
        client.pack(messages);
        const got = [];
        while (got.length < messages.length) got.push(...(await client.frame()).messages);
        assert.deepEqual(got.map(({ type, payload }) => plainBytes({ type, payload })), messages);
      }
      client.pack([]);
      client.pack([{ type: "after", payload: "an empty one" }]);
      assert.equal((await client.frame()).messages[0].type, "after");
      await client.close();
    });

    test("at every alignment in the receive buffer", async () => {
      const raw = await Raw.open(server, `/agents/echo/alignment?batch=${format}`);
      const opcode = format === "fb" ? Opcode.binary : Opcode.text;
      const pings = Array.from({ length: 24 }, (_, i) => frame(Opcode.ping, "p".repeat(i % 9)));
      const sizes = [0, 3, 20, 60, 90, 200, 3000, 70_000];
      let expected = 0;
      for (const size of sizes) {
        const envelope = encode([{ type: "t", payload: "x".repeat(size) }], { format });
        raw.send(Buffer.concat(pings.flatMap((ping) => [ping, frame(opcode, Buffer.from(envelope))])));
        expected += pings.length;
      }
      let got = 0;
      while (got < expected) {
        const received = await raw.nextFrame();
        if (received.opcode !== opcode) continue;
        const data = format === "fb" ? received.payload : received.payload.toString();
        const { messages } = decode(data);
        for (const { payload } of messages) {
          assert.equal(payload, "x".repeat(sizes[Math.floor(got / pings.length)]));
          got += 1;
        }
      }
      raw.destroy();
    });

    test("each message reaches on_message; one that throws doesn't stop the others", async () => {
      const client = await connect("/agents/batcher/each");
      client.pack([{ type: "a", payload: "1", key: "k" }, { type: "throw", payload: "2" },
        { type: "c", payload: Uint8Array.of(1) }]);
      assert.deepEqual((await client.frame()).plain, { got: "a", key: "k", text: true, payload: "1" });
      assert.equal((await client.frame()).plain.got, "throw");
      assert.deepEqual((await client.frame()).plain, { got: "c", key: "", text: false, payload: "bytes" });
      await client.close();
    });

    test("what follows a close of ours is not delivered", async () => {
      const client = await connect("/agents/batcher/closing");
      client.pack([{ type: "close", payload: "" }, { type: "late", payload: "" }]);
      assert.equal((await client.frame()).plain.got, "close");
      assert.equal((await client.ended()).code, 1000);
      assert.equal(client.messages.length, 0);
    });

    test("a malformed one is 1007, logged once, and nothing of it is delivered", async () => {
      const good = encode([{ type: "a", payload: "1" }, { type: "b", payload: "2" }], { format });
      const bad = format === "fb" ? good.slice(0, good.length - 12) : good.replace('"b"', "5");
      const nested = format === "fb" ? encode([{ type: "n", payload: good }])
        : encode([{ type: "n", payload: JSON.parse(good) }], { format });
      for (const [data, reason] of [[bad, /Envelope/], [nested, /^Envelope inside an envelope$/],
        [format === "fb" ? Buffer.from("garbage") : "garbage", /^Not /]]) {
        const client = await connect("/agents/batcher/malformed?_pk=broken");
        const from = server.stderr.length;
        client.send(data);
        client.send(data);
        const end = await client.ended();
        assert.equal(end.code, 1007);
        assert.match(end.reason, reason);
        assert.equal(client.messages.length, 0);
        await server.logged(/Batcher\/malformed: connection broken is closed with 1007: /, from);
        assert.equal(server.stderr.slice(from).match(/closed with 1007/g).length, 1);
      }
    });

    test("queued messages leave together after the time, and age", async () => {
      const client = await connect("/agents/batcher/time");
      client.script(["q", 1], ["text", "two"], ["bytes", "three"]);
      const envelope = await client.frame();
      assert.deepEqual(envelope.messages.map(({ type }) => type), ["q", "text", "bytes"]);
      assert.deepEqual(plainBytes(envelope.messages[2]).payload, Uint8Array.from(Buffer.from("three")));
      assert(envelope.messages.every(({ age }) => age >= 15), "younger than the class's 20 ms");
      assert(Math.abs(envelope.timestamp - Date.now()) < 60_000);
      client.script(["q", 4], ["f"]);
      const next = await client.frame();
      assert.equal(next.messages[0].age, 0);
      assert(next.sequence > envelope.sequence);
      await client.close();
    });

    test("and by count, with the limits of the connection", async () => {
      const client = await connect("/agents/batcher/count");
      client.script(["limits", 600_000, 3], ["q", 1], ["q", 2], ["q", 3], ["q", 4], ["s", "first what is queued"]);
      assert.equal((await client.frame()).messages.length, 3);
      assert.deepEqual((await client.frame()).messages.map(({ payload }) => payload), [4]);
      assert.equal((await client.frame()).plain.plain, "first what is queued");
      await client.close();
    });

    test("a newer value of a key replaces the queued one", async () => {
      const client = await connect("/agents/batcher/keys");
      client.script(["k", "a", 1], ["q", "x"], ["k", "b", 1], ["k", "a", 2], ["q", "y"], ["k", "a", 3]);
      const { messages } = await client.frame();
      assert.deepEqual(messages.map(({ key, payload }) => [key, payload]),
        [["", "x"], ["b", 1], ["", "y"], ["a", 3]]);
      await client.close();
    });

    test("what is queued precedes a close, ours or the client's", async () => {
      const ours = await connect("/agents/batcher/ours");
      ours.script(["limits", 600_000, 100], ["q", 1], ["c"]);
      assert.equal((await ours.frame()).messages[0].payload, 1);
      assert.equal((await ours.ended()).code, 1000);
      const theirs = await connect("/agents/batcher/theirs");
      theirs.script(["limits", 600_000, 100], ["q", 2]);
      theirs.socket.close(1000);
      assert.equal((await theirs.frame()).messages[0].payload, 2);
    });

    test("a sleeping agent's queues are flushed first, and envelopes outlive its sleep", async () => {
      const client = await connect("/agents/batcher/sleep");
      client.script(["limits", 600_000, 100], ["q", "before"]);
      const { sequence, messages } = await client.frame();
      assert.equal(messages[0].payload, "before");
      await eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
      client.pack([{ type: "wake", payload: "up" }]);
      assert.equal((await client.frame()).plain.got, "wake");
      client.script(["q", "after"]);
      const later = await client.frame();
      assert.equal(later.messages[0].payload, "after");
      assert(later.sequence > sequence, "numbers grow over a sleep");
      await client.close();
    });

    test("members with envelopes and without get the same, in the same order", async () => {
      const batched = await connect("/agents/relay/mixed");
      const plain = await Client.connect(server, "/agents/relay/mixed");
      const sender = await Client.connect(server, "/agents/relay/mixed");
      for (let i = 0; i < 250; i += 1) sender.send(`${i}`);
      for (let i = 0; i < 250; i += 1) assert.equal(await plain.next(), `${i}`);
      const got = [];
      while (got.length < 250) got.push(...(await batched.frame()).messages);
      assert.deepEqual(got.map(({ payload }) => payload), Array.from({ length: 250 }, (_, i) => `${i}`));
      await Promise.all([batched, plain, sender].map((client) => client.close()));
    });

    test("any interleaving delivers each reliable message once, in order, and the newest of a key", async () => {
      for (let seed = 1; seed <= 8; seed += 1) {
        let state = seed * 7919;
        const below = (limit) => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return Math.floor((state / 2 ** 32) * limit);
        };
        const clients = await Promise.all([0, 1, 2].map(() => connect(`/agents/batcher/any-${seed}`)));
        const expected = clients.map(() => ({ reliable: [], newest: {} }));
        let value = 0;
        for (let round = 0; round < 25; round += 1) {
          const who = below(3);
          const steps = Array.from({ length: 1 + below(12) }, () => {
            value += 1;
            const kind = below(16);
            if (kind < 5) { expected[who].reliable.push(value); return ["q", value]; }
            if (kind < 9) {
              const key = `key${below(4)}`;
              expected[who].newest[key] = value;
              return ["k", key, value];
            }
            if (kind < 11) { expected[who].reliable.push(value); return ["s", value]; }
            if (kind < 14) { expected.forEach(({ reliable }) => reliable.push(value)); return ["b", value]; }
            return [kind === 14 ? "f" : "F"];
          });
          if (below(3) === 0) clients[below(3)].socket.pause();
          clients[who].script(...steps);
          // Rooms of the server are served in any order; one room's scripts must be in ours.
          clients[who].script(["s", "done"]);
          clients[who].socket.resume();
          const got = (clients[who].got ??= []);
          for (let last; last?.plain?.plain !== "done"; got.push(last)) last = await clients[who].frame();
          if (below(8) === 0) {
            await eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
          }
        }
        for (const [i, client] of clients.entries()) {
          client.socket.resume();
          client.script(["c"]);
          const { code } = await client.ended();
          assert.equal(code, 1000);
          const frames = [...(client.got ?? []), ...client.messages.map(
            (data) => decode(data) ?? { plain: JSON.parse(data) })];
          const reliable = [], newest = {};
          for (const one of frames) {
            if (one.plain) {
              if (one.plain.plain !== "done") reliable.push(one.plain.plain);
              continue;
            }
            assert.equal(one.missed, 0);
            for (const { key, payload } of one.messages) {
              if (key === "") reliable.push(payload);
              else newest[key] = payload;
            }
          }
          assert.deepEqual(reliable, expected[i].reliable, `seed ${seed}, client ${i}`);
          assert.deepEqual(newest, expected[i].newest, `seed ${seed}, client ${i}`);
        }
      }
    });
  });
}

describe("A client that doesn't read", () => {
  let server;
  before(async () => {
    server = await Server.start(["--agents", fixture, "--outbox-bytes-max", "262144"]);
  });
  after(() => server.stop());

  const missed = (frames) => frames.reduce((sum, one) => sum + one.missed, 0);
  const messages = (frames) => frames.flatMap((one) => one.messages);
  const numbers = (frames) => messages(frames).map(({ payload }) => payload.n);

  /** A client that is paused while `count` messages are queued for it: more than the kernel takes. */
  async function pausedReader(name, op, count, bytes) {
    const reader = await EnvelopeClient.connect(server, `/agents/${name}/slow-${op}`, "fb");
    reader.socket.pause();
    const other = await EnvelopeClient.connect(server, `/agents/${name}/slow-${op}`, "fb");
    for (let first = 0; first < count; first += 50) {
      other.script([op, first, 50, bytes], ["s", "sent"]);
      for (let one; one?.plain?.plain !== "sent";) one = await other.frame();
    }
    await other.close();
    reader.socket.resume();
    return reader;
  }

  /** Every number from 0 on is either here or told as missed, where it is missing. */
  function checkGaps(frames) {
    let next = 0;
    for (const one of frames) {
      next += one.missed;
      for (const { payload } of one.messages) {
        assert.equal(payload.n, next);
        next += 1;
      }
    }
    return next;
  }

  test("gets a gap marker for what was dropped behind what it has", async () => {
    const reader = await pausedReader("patient-newest", "fill", 500, 40_000);
    const got = [];
    while (messages(got).length + missed(got) < 500) got.push(await reader.frame());
    assert(missed(got) > 0);
    assert.equal(checkGaps(got), 500);
    await reader.close();
  });

  test("gets a gap marker before the newest where the oldest are dropped", async () => {
    const reader = await pausedReader("patient-oldest", "fill", 500, 40_000);
    const got = [];
    while (numbers(got).at(-1) !== 499) got.push(await reader.frame());
    assert(missed(got) > 0);
    assert.equal(checkGaps(got), 500);
    await reader.close();
  });

  test("is told what it missed before it is cut off with 1013", async () => {
    const reader = await pausedReader("batcher", "fill", 500, 40_000);
    assert.equal((await reader.ended()).code, 1013);
    const got = reader.messages.map((data) => decode(data));
    assert.deepEqual(got.at(-1).messages, []);
    assert(got.at(-1).missed > 0);
    checkGaps(got);
  });

  test("catches up to the newest value of each key, and misses nothing else", async () => {
    const reader = await pausedReader("batcher", "keys", 2000, 10_000);
    const got = [];
    while (!numbers(got).includes(1999)) got.push(await reader.frame());
    assert.equal(missed(got), 0);
    assert(messages(got).length < 2000);
    const newest = Object.fromEntries(messages(got).map(({ key, payload }) => [key, payload.n]));
    assert.deepEqual(newest, { key0: 1996, key1: 1997, key2: 1998, key3: 1999 });
    await reader.close();
  });
});
