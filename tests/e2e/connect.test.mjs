// ringroom connect, as a script uses it: lines in, lines out, exit codes.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { WebSocketServer } from "ws";
import { eventually, within } from "./support/deadline.mjs";
import { start } from "./support/process.mjs";
import { binary, fixture, Server } from "./support/server.mjs";

/** Runs it with input that ends unless `open`; what it said, and its exit code. */
async function connect(args, input = "", { open = false } = {}) {
  const child = start(binary, ["connect", ...args]);
  const said = { out: "", err: "" };
  child.stdout.on("data", (data) => { said.out += data; });
  child.stderr.on("data", (data) => { said.err += data; });
  child.stdin.on("error", () => {});
  child.stdin.write(input);
  if (!open) child.stdin.end();
  const [code] = await within(once(child, "close"), 20_000, "the end of ringroom connect");
  return { code, ...said };
}

describe("ringroom connect", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture]); });
  after(() => server.stop());
  const url = (path) => server.wsUrl(path);

  test("sends each line, prints each message, ends after --count", async () => {
    const { code, out, err } = await connect([url("/agents/echo/x"), "--count", "3"], "one\ntwo\ngrüß dich\n");
    assert.equal(err, "");
    assert.equal(out, "one\ntwo\ngrüß dich\n");
    assert.equal(code, 0);
  });

  test("shows and sends binary messages as hex", async () => {
    const { code, out } = await connect([url("/agents/echo/x"), "--binary", "--count", "1"],
      "ca fe 48656c6c6f\n");
    assert.equal(out, "7 bytes\n00000000: ca fe 48 65 6c 6c 6f                             ..Hello\n");
    assert.equal(code, 0);
    const wrong = await connect([url("/agents/echo/x"), "--binary"], "cafe zz\n");
    assert.match(wrong.err, /not sent, no hex/);
  });

  test("prints binary messages on one line otherwise", async () => {
    const { out } = await connect([url("/agents/io-t-agent/x?protocol=binary"), "--count", "1"], "", { open: true });
    assert.equal(out, "<ca fe>\n");
  });

  for (const format of ["fb", "json"]) {
    test(`packs lines and unpacks envelopes (${format})`, async () => {
      const { code, out, err } = await connect([url("/agents/echo/x"), "--batch", format, "--count", "3"],
        'chat hello there\nmove {"x":1}\nempty\n');
      assert.equal(err, "");
      assert.equal(out, 'chat hello there\nmove {"x":1}\nempty \n');
      assert.equal(code, 0);
    });
  }

  test("says with its exit code how it ended", async () => {
    assert.equal((await connect([])).code, 1);
    assert.equal((await connect(["http://127.0.0.1/"])).code, 1);
    const refused = await connect(["ws://127.0.0.1:1/agents/echo/x"]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /no connection to 127.0.0.1:1: Connection refused/);
    assert.equal((await connect([url("/agents/nothing/x")])).code, 1);
    assert.equal((await connect(["--help"])).code, 0);
    assert.equal((await connect([url("/agents/echo/x")])).code, 0);
    const script = '{"type":"script","steps":[["c"]]}\n';
    assert.equal((await connect([url("/agents/batcher/x")], script, { open: true })).code, 0);
    const malformed = await connect([url("/agents/batcher/x?batch=json")], "garbage\n", { open: true });
    assert.equal(malformed.code, 2);
    assert.match(malformed.err, /closed with 1007 Not JSON/);
  });

  test("at a terminal, lines are edited, and the arrow brings the last ones back", async () => {
    const command = `${binary} connect '${url("/agents/io-t-agent/history?protocol=binary")}' --count 4`;
    const child = start("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"],
      { env: { ...process.env, TERM: "xterm" } });
    const ended = once(child, "close");
    let shown = "";
    child.stdout.on("data", (data) => { shown += data; });
    const shows = (text) => eventually(() => shown.includes(text), `${text} on the terminal; it shows ${JSON.stringify(shown)}`);
    // The greeting tells that it listens to the terminal, too.
    await shows("<ca fe>\r\n> ");
    child.stdin.write("first\n");
    await shows("echo:first\r\n");
    child.stdin.write("seconf\x7fd\n");
    await shows("echo:second\r\n");
    shown = "";
    child.stdin.write("\x1b[A\x1b[A\n");
    await shows("echo:first\r\n");
    const [code] = await within(ended, 20_000, "the end of ringroom connect");
    assert.equal(code, 0);
  });

  test("a connection that breaks is 3; subprotocols are offered", async () => {
    const other = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(other, "listening");
    const offered = once(other, "connection").then(([socket, request]) => {
      socket.terminate();
      return request.headers["sec-websocket-protocol"];
    });
    const { code } = await connect(
      ["--protocol", "chat", "--protocol", "superchat", `ws://127.0.0.1:${other.address().port}/`], "", { open: true });
    assert.equal(code, 3);
    assert.equal(await offered, "chat, superchat");
    other.close();
  });
});
