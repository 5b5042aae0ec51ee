// Envelopes all the way round: one room, and in it headless Chromium (tools/js around a WebSocket
// and a partysocket), Python's reader, ringroom connect and the device client. What one says, the
// others hear, whole and in order.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { Browser } from "./support/browser.mjs";
import { eventually, within } from "./support/deadline.mjs";
import { subprotocols } from "./support/envelope.mjs";
import { start } from "./support/process.mjs";
import { binary, lastingAddress, Server } from "./support/server.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const thermometer = resolve(process.env.RINGROOM_THERMOMETER ??
  join(dirname(binary), "src/samples/thermometer"));
const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

/** Serves one page and its script. */
async function serve() {
  const { outputFiles } = await build({
    entryPoints: ["envelopes/page.mjs"], absWorkingDir: here, bundle: true, write: false,
    format: "iife", platform: "browser", target: "es2022", logLevel: "error",
  });
  const site = createServer((request, response) => {
    const isScript = request.url.startsWith("/page.js");
    response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? outputFiles[0].text
      : '<!doctype html><link rel="icon" href="data:,"><body><script src="page.js"></script>');
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  return site;
}

/** A program that prints a line for everything it hears. */
class Program {
  constructor(command, ...args) {
    this.child = start(command, args.map(String), { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = [];
    createInterface({ input: this.child.stdout }).on("line", (line) => this.lines.push(line));
    this.exited = once(this.child, "close").then(([code]) => code);
  }

  say(line) {
    this.child.stdin.write(`${line}\n`);
  }

  /** Ends it, or waits until it has ended, and expects that it ended well. */
  async end() {
    this.child.stdin.end();
    assert.equal(await within(this.exited, 30_000, "the program's end"), 0);
  }
}

// So many that the device is still there when the others speak.
const readings = 300;
const bytes = (...list) => ({ bytes: list });
/** What a member says, as the others hear it; no more at once than the device has room for. */
const said = (who) => [
  { type: "bytes", payload: bytes(who, 0, 200, 255), kind: "bytes", key: "" },
  { type: "text", payload: `grüß dich, ${who}`, kind: "text", key: "" },
  { type: "value", payload: { who, list: [1, 2.5, null] }, kind: "json", key: "" },
  ...Array.from({ length: 5 }, (_, i) =>
    ({ type: "many", payload: `${who}: ${i}`, kind: "text", key: "" })),
  { type: "position", payload: [who, 7], kind: "json", key: `player/${who}` },
];
const withoutSequence = ({ sequence, ...message }) => message;
const grows = (numbers) => numbers.every((number, i) => i === 0 || number >= numbers[i - 1]);

describe("Envelopes between browser, Python, ringroom connect and device", () => {
  let server, site, browser, page;
  before(async () => {
    [server, site, browser] = await Promise.all([Server.start(), serve(), Browser.start()]);
    page = await browser.tab(`http://127.0.0.1:${site.address().port}/`);
  });
  after(async () => {
    await browser.stop();
    site.close();
    await server.stop();
  });

  const call = (name, ...args) => page.evaluate(([name, args]) => window[name](...args), [name, args]);
  async function inBrowser(name, format, options) {
    await call("connect", name, { format, ...options });
    await eventually(() => call("isOpen", name), `${name} open`);
    assert.equal(await call("protocolOf", name), subprotocols[format]);
  }
  const hears = (name, count) => eventually(async () => (await call("heard", name)).length >= count,
    `${name} hearing ${count}`);
  const party = (room) => ({
    host: `${server.host}:${server.port}`, basePath: `agents/relay/${room}`, protocol: "ws",
    minReconnectionDelay: 50, maxReconnectionDelay: 200,
  });

  test("what each says, all others hear", async () => {
    const url = server.wsUrl("/agents/relay/round");
    await inBrowser("flat", "fb", { url });
    await inBrowser("json", "json", { url });
    await inBrowser("party", "fb", { party: party("round") });
    const member = join(here, "envelopes/member.py");
    const pythons = {
      flat: new Program(python, member, url, subprotocols.fb),
      json: new Program(python, member, url, subprotocols.json),
    };
    for (const [format, one] of Object.entries(pythons)) {
      await eventually(() => one.lines.length > 0, "Python's connection");
      const name = format === "flat" ? "fb" : "json";
      assert.deepEqual(JSON.parse(one.lines.shift()), { open: subprotocols[name] });
    }
    const terminals = {
      fb: new Program(binary, "connect", url, "--batch", "fb"),
      json: new Program(binary, "connect", url, "--batch", "json"),
    };
    await eventually(async () => (await server.metric("ringroom_requests_total")) >= 7, "everybody");
    const device = new Program(thermometer, server.host, server.port, "/agents/relay/round", readings, 20);
    for (const one of Object.values(terminals)) await eventually(() => one.lines.includes("temp <0f>"), "the device");
    await eventually(() => device.lines.filter((line) => line === "open 0").length === 1, "the device's end");

    const speakers = ["flat", "json", "party"];
    const deviceHears = (count) => eventually(() =>
      device.lines.filter((line) => line.startsWith("heard")).length >= count, `the device hearing ${count}`);
    for (const [i, name] of speakers.entries()) {
      await call("queue", name, said(i));
      await deviceHears((i + 1) * said(i).length);
    }
    pythons.json.say(JSON.stringify({ messages: [{ type: "snake", payload: "sss" }, { type: "eggs", payload: [3] }] }));
    pythons.flat.say("by itself");
    terminals.fb.say('move {"x":1}');
    terminals.json.say("chat hello there");

    const others = [
      { type: "snake", payload: "sss", kind: "text", key: "" },
      { type: "eggs", payload: [3], kind: "json", key: "" },
      { type: "", payload: "by itself", kind: "text", key: "" },
      { type: "move", payload: { x: 1 }, kind: "json", key: "" },
      { type: "chat", payload: "hello there", kind: "text", key: "" },
    ];
    const temperatures = Array.from({ length: readings }, (_, i) =>
      ({ type: "temp", payload: bytes(15 + (i % 10)), kind: "bytes", key: "" }));

    /** Holds what one heard against what `whom` said: nothing else, and each in order. */
    function check(heard, whom, name) {
      assert(grows(heard.map(({ sequence }) => sequence)), `${name}: sequence numbers grow`);
      const rest = heard.map(withoutSequence);
      for (const i of whom) {
        const of = (message) => JSON.stringify(message).includes(`"${i}: `) ||
          said(i).some((one) => one.type !== "many" && JSON.stringify(one) === JSON.stringify(message));
        assert.deepEqual(rest.filter(of), said(i), `${name} of ${i}`);
      }
      const left = rest.filter(({ type, payload }) => !["bytes", "text", "value", "many", "position"].includes(type));
      assert.deepEqual(left.filter(({ type }) => type === "temp"), temperatures, `${name}: temperatures`);
      return left.filter(({ type }) => type !== "temp");
    }
    const spoken = said(0).length;
    for (const [i, name] of speakers.entries()) {
      const count = 2 * spoken + others.length + temperatures.length;
      await hears(name, count);
      const heard = await call("heard", name);
      assert.equal(heard.length, count);
      const whom = [0, 1, 2].filter((other) => other !== i);
      const left = check(heard, whom, name);
      for (const message of others) assert(left.some((one) => JSON.stringify(one) === JSON.stringify(message)), `${name}: ${message.type}`);
    }
    for (const [name, one] of Object.entries(pythons)) {
      const own = name === "json" ? 2 : 1;
      const count = 3 * spoken + others.length - own + temperatures.length;
      await eventually(() => one.lines.length >= count, `Python ${name} hearing ${count}, not ${one.lines.length}`);
      const left = check(one.lines.map((line) => JSON.parse(line)), [0, 1, 2], `Python ${name}`);
      assert.equal(left.length, others.length - own);
    }
    for (const [name, one] of Object.entries(terminals)) {
      const count = 3 * spoken + others.length - 1 + temperatures.length;
      await eventually(() => one.lines.length >= count, `${name} in the terminal`);
      for (const i of [0, 1, 2]) {
        const lines = said(i).map(({ type, payload, key }) => `${type}${key && `[${key}]`} ` +
          (payload.bytes ? `<${Buffer.from(payload.bytes).toString("hex").replace(/..(?=.)/g, "$& ")}>`
            : typeof payload === "string" ? payload : JSON.stringify(payload)));
        assert.deepEqual(one.lines.filter((line) => lines.includes(line)), lines);
      }
      assert(one.lines.includes(name === "fb" ? "chat hello there" : 'move {"x":1}'));
    }
    // The device hears the first byte of each payload, or 0.
    const first = ({ payload }) => payload.bytes ? payload.bytes[0] ?? 0
      : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload))[0];
    const toDevice = [0, 1, 2].flatMap(said).concat(others).map((message) => `heard ${first(message)}`);
    await deviceHears(toDevice.length);
    assert.deepEqual(device.lines.filter((line) => line.startsWith("heard")).sort(), toDevice.sort());

    for (const one of [...Object.values(pythons), ...Object.values(terminals)]) await one.end();
    assert.equal(await within(device.exited, 30_000, "the thermometer's end"), 0);
    for (const name of speakers) await call("leave", name);
  });

  test("a browser conflates keys before it sends, and queues before it is open", async () => {
    await call("connect", "early", { format: "fb", url: server.wsUrl("/agents/echo/early") });
    await call("queue", "early", [
      { type: "reading", payload: 1, key: "a" }, { type: "note", payload: "x" },
      { type: "reading", payload: 2, key: "b" }, { type: "reading", payload: 3, key: "a" }]);
    await hears("early", 3);
    assert.deepEqual((await call("heard", "early")).map(({ payload }) => payload), ["x", 2, 3]);
    await call("leave", "early");
  });

  test("over partysocket, what is queued while the server is away arrives once, in order", async () => {
    const listen = await lastingAddress();
    let other = await Server.start(["--listen", listen]);
    await inBrowser("away", "json", { party: { ...party("x"), host: listen, basePath: "agents/echo/away" } });
    await call("queue", "away", [{ type: "n", payload: 0 }]);
    await hears("away", 1);
    await other.stop();
    await eventually(async () => !await call("isOpen", "away"), "the end of the connection");
    for (let i = 1; i <= 120; i += 1) await call("queue", "away", [{ type: "n", payload: i }, { type: "newest", payload: i, key: "k" }]);
    other = await Server.start(["--listen", listen]);
    await hears("away", 122);
    const heard = await call("heard", "away");
    assert.deepEqual(heard.filter(({ type }) => type === "n").map(({ payload }) => payload),
      Array.from({ length: 121 }, (_, i) => i));
    assert.deepEqual(heard.filter(({ type }) => type === "newest").map(({ payload }) => payload), [120]);
    await call("leave", "away");
    await other.stop();
  });

  test("the page had nothing to complain about", () => {
    assert.deepEqual(browser.errors, []);
  });
});
