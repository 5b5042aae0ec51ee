// The device client (include/ringroom/device.h), in the thermometer of src/samples/, against a
// server; and with a network between them that goes away.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocketServer } from "ws";
import { within } from "./support/deadline.mjs";
import { decode, EnvelopeClient } from "./support/envelope.mjs";
import { start } from "./support/process.mjs";
import { binary, fixture, Server } from "./support/server.mjs";

const thermometer = resolve(process.env.RINGROOM_THERMOMETER ??
  join(dirname(binary), "src/samples/thermometer"));

class Thermometer {
  constructor(port, path, ...rest) {
    this.child = start(thermometer, ["127.0.0.1", String(port), path, ...rest.map(String)],
      { stdio: ["ignore", "pipe", "inherit"] });
    this.said = "";
    this.child.stdout.setEncoding("utf8");
    this.child.stdout.on("data", (text) => { this.said += text; });
    this.exited = once(this.child, "close").then(([code]) => code);
  }

  async says(pattern) {
    const wait = async () => {
      while (!pattern.test(this.said)) await once(this.child.stdout, "data");
    };
    await within(wait(), 20_000, `the thermometer saying ${pattern}`);
  }

  count(word) {
    return this.said.split("\n").filter((line) => line.startsWith(word)).length;
  }
}

/** A network that can be taken away: bytes stop, and nobody is told. */
async function network(port) {
  const server = createServer((device) => {
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
    network.pairs.add([device, upstream]);
    device.on("data", (data) => { if (!network.isDown) upstream.write(data); });
    upstream.on("data", (data) => { if (!network.isDown) device.write(data); });
    for (const [one, other] of [[device, upstream], [upstream, device]]) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  const network = { pairs: new Set(), isDown: false };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  network.port = server.address().port;
  network.close = () => {
    for (const pair of network.pairs) pair.forEach((socket) => socket.destroy());
    server.close();
  };
  return network;
}

describe("A device", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture]); });
  after(() => server.stop());

  test("streams its readings, and hears binary only", async () => {
    const device = new Thermometer(server.port, "/agents/io-t-agent/kitchen?_pk=sensor", 120, 2);
    assert.equal(await within(device.exited, 30_000, "the thermometer's end"), 0);
    // The greeting, then an echo of each reading.
    assert.equal(device.count("heard"), 121);
    assert.equal(device.count("open"), 1);
    assert.equal(device.count("closed"), 0);
    const readings = device.said.match(/heard \d+/g).slice(1).map((line) => Number(line.slice(6)));
    assert.deepEqual(readings, Array.from({ length: 120 }, (_, i) => 15 + (i % 10)));
  });

  test("gets envelopes, too", async () => {
    const device = new Thermometer(server.port, "/agents/relay/cellar", 10, 5);
    await device.says(/open/);
    const other = await EnvelopeClient.connect(server, "/agents/relay/cellar", "fb");
    other.pack(Array.from({ length: 20 }, (_, i) => ({ type: "set", payload: Uint8Array.of(i) })));
    await device.says(/heard 19/);
    assert.equal(device.count("heard"), 20);
    const got = [];
    while (got.length < 1) got.push(...(await other.frame()).messages);
    assert.equal(got[0].type, "temp");
    assert.equal(await within(device.exited, 30_000, "the thermometer's end"), 0);
    await other.close();
  });

  test("that drops off the network comes back, and keeps what it couldn't send", async () => {
    const between = await network(server.port);
    const device = new Thermometer(between.port, "/agents/io-t-agent/roof", 400, 5, 100);
    await device.says(/heard 18/);
    between.isDown = true;
    await device.says(/closed 1006/);
    between.isDown = false;
    await device.says(/open[^]*open/);
    assert.equal(await within(device.exited, 30_000, "the thermometer's end"), 0);
    assert.equal(device.count("closed"), device.count("open") - 1);
    // Each time it was greeted; what was on its way is lost, and what waited in it is not.
    const echoes = device.count("heard") - device.count("open");
    assert(echoes > 300 && echoes <= 400, `${echoes} echoes of 400 readings`);
    between.close();
  });

  test("that is reset, again and again, goes on with its sequence", async () => {
    const other = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(other, "listening");
    const connections = [];
    other.on("connection", (socket, request) => {
      assert.equal(request.url, "/room?protocol=binary&batch=fb");
      const heard = [];
      connections.push(heard);
      socket.on("message", (data) => {
        heard.push(decode(data));
        // The fourth may stay: it hears the rest.
        if (heard.length === 3 && connections.length < 4) socket._socket.resetAndDestroy();
      });
      socket.on("error", () => {});
    });
    const device = new Thermometer(other.address().port, "/room", 400, 5);
    assert.equal(await within(device.exited, 30_000, "the thermometer's end"), 0);
    other.close();
    assert.equal(connections.length, 4);
    assert.equal(device.count("closed 1006"), 3);
    const envelopes = connections.flat();
    const numbers = envelopes.map(({ sequence }) => sequence);
    for (let i = 1; i < numbers.length; i += 1) assert(numbers[i] > numbers[i - 1], `${numbers}`);
    // Between two connections numbers may be missing, of what was on its way; within one none is.
    for (const heard of connections) {
      heard.forEach(({ sequence }, i) => assert.equal(sequence, heard[0].sequence + i));
    }
    const readings = envelopes.flatMap(({ messages }) => messages.map(({ payload }) => payload[0]));
    const holes = numbers.at(-1) - numbers.length;
    assert(readings.length <= 400);
    if (holes === 0) {
      assert.deepEqual(readings, Array.from({ length: 400 }, (_, i) => 15 + (i % 10)));
    }
  });
});
