// Connections that speak binary only are never told anything by the server itself: every byte that
// they get is read, from the 101 to the end, while others change the state, the agent sleeps and
// wakes, and the server shuts down. What is left must be the 101, what the agent sent, and a close.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { encode } from "./support/envelope.mjs";
import { closePayload, frame, Opcode, Raw, upgrade } from "./support/raw.mjs";
import { Server } from "./support/server.mjs";

/** A server's frame. */
const sent = (opcode, payload) => frame(opcode, payload, { masked: false });
const greeting = sent(Opcode.binary, Buffer.of(0xca, 0xfe));

/** A connection that keeps every byte that it ever got. */
async function listen(server, path) {
  const raw = await Raw.connect(server);
  const got = [];
  raw.socket.on("data", (data) => got.push(data));
  raw.send(upgrade(path));
  raw.everything = () => Buffer.concat(got);
  raw.body = () => {
    const all = raw.everything();
    const end = all.indexOf("\r\n\r\n");
    return end < 0 ? undefined : all.subarray(end + 4);
  };
  raw.hears = (expected) => eventually(() => raw.body()?.length >= expected.length, "the bytes")
    .then(() => assert.deepEqual(raw.body(), expected));
  return raw;
}

/** One that speaks the Agents protocol, and changes the state. */
async function person(server, path) {
  const client = await Client.connect(server, path, { frames: true });
  const types = new Set();
  while (types.size < 3) types.add((await client.nextJson()).type);
  client.set = async (temp) => {
    client.send(JSON.stringify({ type: "cf_agent_state", state: { temp } }));
    client.send(JSON.stringify({ type: "rpc", id: `r${temp}`, method: "temp", args: [] }));
    let answer;
    while (answer?.type !== "rpc") answer = await client.nextJson();
    assert.equal(answer.result, temp);
  };
  return client;
}

for (const [how, query, says] of [
  ["one message a frame", "", (byte) => Buffer.of(byte)],
  ["envelopes", "&batch=fb", (byte) => encode([{ type: "temp", payload: Uint8Array.of(byte) }])],
]) {
  describe(`A binary-only connection (${how})`, () => {
    test("hears what its agent sends, and nothing else, until the server is gone", async () => {
      const server = await Server.start(["--hibernate-after", "150ms"]);
      const path = "/agents/io-t-agent/quiet";
      const asleep = () => eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
      const witness = await person(server, path);
      const device = await listen(server, `${path}?protocol=binary${query}`);
      let expected = greeting;
      await device.hears(expected);

      // Others change the state, call, come and go.
      for (let temp = 30; temp < 40; temp += 1) await witness.set(temp);
      const guest = await person(server, path);
      await guest.set(50);
      await guest.close();

      // A sleeping agent is woken by others, and falls asleep again.
      await asleep();
      await witness.set(51);
      await asleep();
      (await person(server, path)).close();
      assert.equal((await fetch(server.url(path))).status, 404);

      // By the device itself, whose byte is the state that the others hear of.
      await asleep();
      device.sendFrame(Opcode.binary, says(60));
      expected = Buffer.concat([expected, sent(Opcode.binary, Buffer.of(60))]);
      await device.hears(expected);
      for (let last; last?.state?.temp !== 60;) last = await witness.nextJson();

      // Its pings are answered, asleep or not.
      const ping = randomBytes(20);
      await asleep();
      device.sendFrame(Opcode.ping, ping);
      expected = Buffer.concat([expected, sent(Opcode.pong, ping)]);
      await device.hears(expected);
      await witness.set(61);

      // The end of the server is a close frame, and nothing before it.
      await asleep();
      const end = server.stop();
      await device.ended();
      await end;
      const head = device.everything().subarray(0, device.everything().indexOf("\r\n\r\n")).toString();
      assert.match(head, /^HTTP\/1\.1 101 /);
      const rest = device.body();
      assert.deepEqual(rest.subarray(0, expected.length), expected);
      const close = rest.subarray(expected.length);
      assert.equal(close[0], 0x80 | Opcode.close);
      assert.equal(close.length, 2 + close[1], "nothing behind the close frame");
      assert.deepEqual(close.subarray(2, 4), closePayload(1001));
    });
  });
}
