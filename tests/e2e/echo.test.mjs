// Messages of every kind and size, through the Echo sample.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { Opcode, Raw, frame, upgrade } from "./support/raw.mjs";
import { Server } from "./support/server.mjs";

const MiB = 1024 * 1024;

describe("Echo", () => {
  let server;
  before(async () => { server = await Server.start(); });
  after(() => server.stop());

  for (const perMessageDeflate of [false, true]) {
    const how = perMessageDeflate ? "with permessage-deflate" : "uncompressed";

    test(`sends text and binary back as they came, ${how}`, async () => {
      const client = await Client.connect(server, "/agents/echo/kinds", { perMessageDeflate });
      assert.equal(client.socket.extensions.includes("permessage-deflate"), perMessageDeflate);
      for (const message of ["hello", "", "zażółć gęślą jaźń 🦑", Buffer.from([0, 255, 128]), Buffer.alloc(0)]) {
        client.send(message);
        assert.deepEqual(await client.next(), message);
      }
      assert.equal((await client.close(1000)).code, 1000);
    });

    test(`sends every size around the length forms back, ${how}`, async () => {
      const client = await Client.connect(server, "/agents/echo/sizes", { perMessageDeflate });
      for (const size of [1, 124, 125, 126, 127, 128, 1023, 2047, 2048, 4095, 16383, 16384, 65535, 65536,
        65537, 100_000, 262_143, 262_144, 262_145, MiB, 4 * MiB]) {
        const message = randomBytes(size);
        client.send(message);
        const answer = await client.next();
        assert(message.equals(answer), `${size} bytes`);
      }
      await client.close();
    });

    test(`keeps the order of a thousand messages, ${how}`, async () => {
      const client = await Client.connect(server, "/agents/echo/order", { perMessageDeflate });
      for (let i = 0; i < 1000; i += 1) client.send(`${i} ${"abc".repeat(i % 50)}`);
      for (let i = 0; i < 1000; i += 1) assert.equal(await client.next(), `${i} ${"abc".repeat(i % 50)}`);
      await client.close();
    });
  }

  test("joins fragments, with control frames between them", async () => {
    const raw = await Raw.open(server, "/agents/echo/fragments");
    raw.sendFrame(Opcode.text, "one ", { fin: false });
    raw.sendFrame(Opcode.ping, "in between");
    raw.sendFrame(Opcode.continuation, "", { fin: false });
    raw.sendFrame(Opcode.continuation, "two ", { fin: false });
    raw.sendFrame(Opcode.continuation, "three");
    const pong = await raw.nextFrame();
    assert.equal(pong.opcode, Opcode.pong);
    assert.equal(pong.payload.toString(), "in between");
    const { opcode, fin, masked, payload } = await raw.nextFrame();
    assert.deepEqual([opcode, fin, masked, payload.toString()], [Opcode.text, true, false, "one two three"]);
    raw.destroy();
  });

  test("takes a megabyte in fragments of a kilobyte", async () => {
    const client = await Client.connect(server, "/agents/echo/many-fragments");
    const message = randomBytes(MiB);
    for (let at = 0; at < MiB; at += 1024) {
      client.socket.send(message.subarray(at, at + 1024), { binary: true, fin: at + 1024 === MiB });
    }
    assert(message.equals(await client.next()));
    await client.close();
  });

  test("takes frames cut at every byte", async () => {
    const raw = await Raw.open(server, "/agents/echo/cut");
    const bytes = Buffer.concat([frame(Opcode.text, "é".repeat(70)), frame(Opcode.binary, "12")]);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      raw.send(bytes.subarray(0, cut));
      await new Promise(setImmediate);
      raw.send(bytes.subarray(cut));
      assert.equal((await raw.nextFrame()).payload.toString(), "é".repeat(70));
      assert.equal((await raw.nextFrame()).payload.toString(), "12");
    }
    raw.destroy();
  });

  test("takes frames that came in one packet with the handshake", async () => {
    const raw = await Raw.connect(server);
    raw.send(Buffer.concat([
      Buffer.from(upgrade("/agents/echo/eager")), frame(Opcode.text, "first"), frame(Opcode.text, "second"),
      frame(Opcode.text, "cut").subarray(0, 4)]));
    assert.equal((await raw.head()).status, 101);
    assert.equal((await raw.nextFrame()).payload.toString(), "first");
    assert.equal((await raw.nextFrame()).payload.toString(), "second");
    raw.destroy();
  });

  test("closes with 1009 above the limit, by one frame and by fragments", async () => {
    const one = await Client.connect(server, "/agents/echo/too-big");
    one.send(Buffer.alloc(4 * MiB + 1));
    assert.equal((await one.ended()).code, 1009);
    const two = await Client.connect(server, "/agents/echo/too-big");
    two.socket.send(Buffer.alloc(4 * MiB), { fin: false });
    two.socket.send(Buffer.alloc(1), { fin: true });
    assert.equal((await two.ended()).code, 1009);
  });

  test("closes with 1009 when a small message inflates above the limit", async () => {
    const client = await Client.connect(server, "/agents/echo/bomb", { perMessageDeflate: true });
    client.send(Buffer.alloc(64 * MiB));
    assert.equal((await client.ended()).code, 1009);
  });

  test("answers a plain GET with 426", async () => {
    for (const room of ["echo", "relay"]) {
      const answer = await fetch(server.url(`/agents/${room}/x`));
      assert.equal(answer.status, 426);
      assert.equal(answer.headers.get("upgrade"), "websocket");
    }
  });

  test("answers a thousand pings that come at once, the last one in any case", async () => {
    const raw = await Raw.open(server, "/agents/echo/pings");
    const pings = Array.from({ length: 1000 }, (_, i) => frame(Opcode.ping, `p${i}`));
    raw.send(Buffer.concat([...pings, frame(Opcode.text, "end")]));
    let last = -1;
    let echoed = false;
    while (last < 999 || !echoed) {
      const { opcode, payload } = await raw.nextFrame();
      if (opcode === Opcode.text) {
        echoed = true;
        continue;
      }
      assert.equal(opcode, Opcode.pong);
      const number = Number(payload.toString().slice(1));
      assert(number > last, "pongs keep the order of their pings");
      last = number;
    }
    raw.sendFrame(Opcode.ping, "still there?");
    assert.equal((await raw.nextFrame()).payload.toString(), "still there?");
    raw.destroy();
  });

  test("ignores pongs that nobody asked for", async () => {
    const raw = await Raw.open(server, "/agents/echo/pongs");
    raw.sendFrame(Opcode.pong, "unasked");
    raw.sendFrame(Opcode.text, "on we go");
    assert.equal((await raw.nextFrame()).payload.toString(), "on we go");
    raw.destroy();
  });
});

describe("Echo with --message-bytes-max", () => {
  test("has the limit that it was given", async () => {
    const server = await Server.start(["--message-bytes-max", "1KiB"]);
    const client = await Client.connect(server, "/agents/echo/small");
    client.send("x".repeat(1024));
    assert.equal((await client.next()).length, 1024);
    client.send("x".repeat(1025));
    assert.equal((await client.ended()).code, 1009);
    await server.stop();
  });
});
