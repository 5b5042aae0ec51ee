// How connections end: RFC 6455 §5.5.1, §7 and what agents are told.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { Opcode, Raw, closePayload } from "./support/raw.mjs";
import { fixture, Server } from "./support/server.mjs";

describe("Closing", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture]); });
  after(() => server.stop());

  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    test(`${code} from the client is answered by the same code and reason, then by the end`, async () => {
      const raw = await Raw.open(server, "/agents/echo/codes");
      raw.sendFrame(Opcode.text, "before");
      raw.sendFrame(Opcode.close, closePayload(code, "because"));
      assert.equal((await raw.nextFrame()).payload.toString(), "before");
      assert.deepEqual(await raw.nextClose(), { code, reason: "because" });
      await raw.ended();
      assert.equal(raw.buffer.length, 0);
    });
  }

  for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
    test(`${code} from the client is a protocol error`, async () => {
      const raw = await Raw.open(server, "/agents/echo/bad-codes");
      raw.sendFrame(Opcode.close, closePayload(code));
      assert.equal((await raw.nextClose()).code, 1002);
      await raw.ended();
    });
  }

  test("an empty close is answered", async () => {
    const raw = await Raw.open(server, "/agents/echo/empty");
    raw.sendFrame(Opcode.close);
    assert.deepEqual(await raw.nextClose(), { code: 1005, reason: "" });
    await raw.ended();
  });

  test("a reason that is no UTF-8 is 1007, a close of one byte 1002, a long reason arrives whole", async () => {
    const bad = await Raw.open(server, "/agents/echo/reasons");
    bad.sendFrame(Opcode.close, Buffer.concat([closePayload(1000), Buffer.from([0xc3, 0x28])]));
    assert.equal((await bad.nextClose()).code, 1007);
    const short = await Raw.open(server, "/agents/echo/reasons");
    short.sendFrame(Opcode.close, Buffer.from([3]));
    assert.equal((await short.nextClose()).code, 1002);
    const long = await Raw.open(server, "/agents/echo/reasons");
    long.sendFrame(Opcode.close, closePayload(1000, "r".repeat(123)));
    assert.deepEqual(await long.nextClose(), { code: 1000, reason: "r".repeat(123) });
  });

  const violations = {
    "a frame without a mask": [1, "x", { masked: false }],
    "reserved bit 1": [1, "x", { rsv: 4 }],
    "reserved bit 2": [1, "x", { rsv: 2 }],
    "reserved bit 3": [1, "x", { rsv: 1 }],
    "opcode 3": [3, "x"],
    "opcode 7": [7, "x"],
    "opcode 11": [11, "x"],
    "a continuation of nothing": [0, "x"],
    "a fragmented ping": [9, "x", { fin: false }],
    "a ping of 126 bytes": [9, "x".repeat(126)],
    "a length in more bytes than it needs": [1, "x", { lengthBytes: 2 }],
    "a length in far more bytes than it needs": [1, "x".repeat(200), { lengthBytes: 8 }],
  };
  for (const [what, [opcode, payload, options]] of Object.entries(violations)) {
    test(`${what} is 1002`, async () => {
      const raw = await Raw.open(server, "/agents/echo/violations");
      raw.sendFrame(1, "fine");
      raw.sendFrame(opcode, payload, options);
      assert.equal((await raw.nextFrame()).payload.toString(), "fine");
      assert.equal((await raw.nextClose()).code, 1002);
      await raw.ended();
    });
  }

  test("a new message inside of a fragmented one is 1002", async () => {
    const raw = await Raw.open(server, "/agents/echo/violations");
    raw.sendFrame(Opcode.text, "a", { fin: false });
    raw.sendFrame(Opcode.text, "b");
    assert.equal((await raw.nextClose()).code, 1002);
  });

  test("text that is no UTF-8 is 1007, at once, also in an unfinished frame", async () => {
    const whole = await Raw.open(server, "/agents/echo/utf8");
    whole.sendFrame(Opcode.text, Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]));
    assert.equal((await whole.nextClose()).code, 1007);
    const unfinished = await Raw.open(server, "/agents/echo/utf8");
    unfinished.sendFrame(Opcode.text, Buffer.from([0x41, 0xff]), { fin: false });
    assert.equal((await unfinished.nextClose()).code, 1007);
    const split = await Raw.open(server, "/agents/echo/utf8");
    split.sendFrame(Opcode.text, Buffer.from([0xe2, 0x82]), { fin: false });
    split.sendFrame(Opcode.continuation, Buffer.from([0xac]));
    assert.equal((await split.nextFrame()).payload.toString(), "€");
    split.destroy();
  });

  test("the server's close is answered by the client, and on_close hears the code", async () => {
    const watcher = await Client.connect(server, "/agents/hooks/server-closes");
    const closed = await Client.connect(server, "/agents/hooks/server-closes?_pk=guest&close=connect");
    assert.equal(await closed.next(), "first");
    assert.deepEqual(await closed.ended(), { code: 4002, reason: "not you" });
    const told = await watcher.nextJson();
    assert.deepEqual([told.left, told.code, told.reason, told.clean, told.members],
      ["guest", 4002, "not you", true, 1]);
    await watcher.close();
  });

  test("a close in on_close replaces the echo of the client's code", async () => {
    const client = await Client.connect(server, "/agents/hooks/reply?throw=reply");
    assert.deepEqual(await client.close(1000, "mine"), { code: 4444, reason: "my own words" });
  });

  test("on_close hears 1005 for none, 1006 and not clean for a connection that vanished", async () => {
    const watcher = await Client.connect(server, "/agents/hooks/watch");
    const none = await Raw.open(server, "/agents/hooks/watch?_pk=none");
    none.sendFrame(Opcode.close);
    let told = await watcher.nextJson();
    assert.deepEqual([told.left, told.code, told.clean], ["none", 1005, true]);
    const reset = await Raw.open(server, "/agents/hooks/watch?_pk=reset");
    reset.reset();
    told = await watcher.nextJson();
    assert.deepEqual([told.left, told.code, told.clean, told.reason],
      ["reset", 1006, false, "WebSocket disconnected without sending Close frame."]);
    const half = await Raw.open(server, "/agents/hooks/watch?_pk=half");
    half.socket.end();
    told = await watcher.nextJson();
    assert.deepEqual([told.left, told.code, told.clean], ["half", 1006, false]);
    await watcher.close();
  });

  test("a protocol violation reaches on_error of that connection, and then on_close", async () => {
    const watcher = await Client.connect(server, "/agents/hooks/errors");
    const raw = await Raw.open(server, "/agents/hooks/errors?_pk=villain");
    raw.sendFrame(3, "x");
    const error = await watcher.nextJson();
    assert.deepEqual([error.where, error.of], ["protocol", "villain"]);
    const told = await watcher.nextJson();
    assert.deepEqual([told.left, told.code, told.clean], ["villain", 1002, false]);
    await watcher.close();
  });

  test("frames behind a close are not looked at", async () => {
    const watcher = await Client.connect(server, "/agents/relay/behind");
    const raw = await Raw.open(server, "/agents/relay/behind");
    raw.sendFrame(Opcode.text, "before");
    raw.sendFrame(Opcode.close, closePayload(1000));
    raw.sendFrame(Opcode.text, "behind");
    assert.equal(await watcher.next(), "before");
    assert.equal((await raw.nextClose()).code, 1000);
    await raw.ended();
    const third = await Client.connect(server, "/agents/relay/behind");
    third.send("later");
    assert.equal(await watcher.next(), "later");
    await watcher.close();
    await third.close();
  });
});
