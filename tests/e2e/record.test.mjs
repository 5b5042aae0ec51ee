// Recordings of rooms, and the load client that plays them again.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually, within } from "./support/deadline.mjs";
import { Run, Server, artifacts } from "./support/server.mjs";

async function run(...args) {
  const made = new Run(args);
  const { code } = await within(made.exited, 30_000, "its end");
  return { code, stdout: made.stdout.join("\n"), stderr: made.stderr };
}

const post = { method: "POST", headers: { "content-type": "application/json" } };
const lines = (text) => text.trimEnd().split("\n").map((line) => JSON.parse(line));

describe("A server that records", () => {
  let server;
  before(async () => { server = await Server.start(["--record-bytes-max", "64KiB"]); });
  after(() => server.stop());

  /** Asks for a recording, and returns when it has begun, with a promise of its text. */
  async function recording(room, query = "length=20s") {
    const url = `${server.adminOrigin}/record?class=Relay&room=${room}&${query}`;
    const answer = fetch(url, post).then(async (r) => [r.status, await r.text()]);
    // It has begun when a second one, of no length, is refused.
    const second = url.replace(/length=\w+/, "length=0s");
    await eventually(async () => (await fetch(second, post)).status === 409, "its begin");
    return { answer, stop: () => fetch(url, { method: "DELETE" }) };
  }

  test("who said what, and when", async () => {
    const clients = [];
    for (let i = 0; i < 2; i += 1) clients.push(await Client.connect(server, "/agents/relay/said"));
    const other = await Client.connect(server, "/agents/relay/elsewhere");
    const { answer, stop } = await recording("said");
    other.send("not here");
    clients[0].send("Grüße \"");
    await clients[1].next();
    clients[1].send(Buffer.from([0, 255, 1]));
    await clients[0].next();
    clients[0].send("more");
    await clients[1].next();
    assert.equal((await stop()).status, 204);
    const [status, text] = await answer;
    assert.equal(status, 200);
    const [head, ...said] = lines(text);
    assert.deepEqual(head, { recording: 1, class: "Relay", room: "said" });
    assert.deepEqual(said.map(({ at_us: _, ...line }) => line), [
      { from: 0, text: "Grüße \"" }, { from: 1, base64: "AP8B" }, { from: 0, text: "more" },
      { end: "stopped" }]);
    for (let i = 1; i < said.length; i += 1) assert(said[i].at_us >= said[i - 1].at_us);
    [...clients, other].forEach((client) => client.close());
  });

  test("it ends when it is full, with whole lines", async () => {
    const client = await Client.connect(server, "/agents/relay/full");
    const { answer } = await recording("full", "length=20s&bytes=2KiB");
    for (let i = 0; i < 100; i += 1) client.send("x".repeat(100));
    const [, text] = await answer;
    assert(text.length <= 2048 && text.length > 1700, `${text.length}`);
    assert.equal(lines(text).at(-1).end, "full");
    client.close();
  });

  test("it is not asked for more than the server allows, nor for what isn't there", async () => {
    const ask = async (query) => (await fetch(`${server.adminOrigin}/record?${query}`,
      post)).status;
    assert.equal(await ask("class=Nobody&room=x"), 404);
    assert.equal(await ask("class=Relay"), 400);
    assert.equal(await ask("class=Relay&room=x&length=soon"), 400);
    assert.equal((await fetch(`${server.adminOrigin}/record?class=Relay&room=x`)).status, 405);
    const byPage = { method: "POST", headers: { "content-type": "text/plain" } };
    assert.equal((await fetch(`${server.adminOrigin}/record?class=Relay&room=x`, byPage)).status, 415);
  });

  test("ringroom record writes a file, which load --replay plays, in copies and faster", async () => {
    const file = join(artifacts, "relay.recording");
    const clients = [];
    for (let i = 0; i < 3; i += 1) clients.push(await Client.connect(server, "/agents/relay/played"));
    const recorded = run("record", "Relay/played", "--admin", server.adminOrigin, "--length", "1500ms",
      "--out", file);
    const talk = setInterval(() => clients.forEach((client) => client.send("hello")), 50);
    const { code, stderr } = await recorded;
    clearInterval(talk);
    clients.forEach((client) => client.close());
    assert.equal(code, 0, stderr);
    const said = lines(await readFile(file, "utf8")).filter((line) => line.text).length;
    assert(said > 10);
    const replayed = await run("load", server.wsUrl("/agents/relay/again-{room}"), "--replay", file,
      "--copies", "4", "--speed", "2", "--json", "-");
    assert.equal(replayed.code, 0, replayed.stderr);
    const result = JSON.parse(replayed.stdout);
    assert.equal(result.connections.open, 12);
    assert(result.measured_s > 0.7 && result.measured_s < 1.5, `${result.measured_s} s`);
    assert.equal(result.sent, 4 * said);
    const received = 4 * said * 2;  // each by the two others, the last perhaps after the measured time
    assert(result.received <= received && result.received >= 0.5 * received, `${result.received}`);
    assert.deepEqual(result.faults, {});
    await rm(file);
  });

  test("a replay that is held up sends every line", async () => {
    const file = join(artifacts, "late.recording");
    const told = Array.from({ length: 80 }, (_, i) => ({ at_us: 10_000 * i, from: i % 2, text: `${i}` }));
    const head = { recording: 1, class: "Relay", room: "late" };
    await writeFile(file, [head, ...told, { at_us: 800_000, end: "time" }].map((line) => `${JSON.stringify(line)}\n`).join(""));
    const heard = await Client.connect(server, "/agents/relay/late");
    const replay = new Run(["load", server.wsUrl("/agents/relay/late"), "--replay", file, "--json", "-"]);
    while (await heard.next() !== "40") {}
    replay.child.kill("SIGSTOP");
    setTimeout(() => replay.child.kill("SIGCONT"), 1_500);  // long past its end
    assert.equal((await within(replay.exited, 30_000, "its end")).code, 0, replay.stderr);
    const result = JSON.parse(replay.stdout.join("\n"));
    assert.equal(result.sent, told.length);
    const rest = new Set(told.slice(41).map(({ text }) => text));  // in no order: there are two senders
    while (rest.size > 0) assert(rest.delete(await heard.next()));
    heard.close();
    await rm(file);
  });

  test("SIGINT ends it early, with what there is", async () => {
    const made = new Run(["record", "Relay/interrupted", "--admin", server.adminOrigin, "--length", "1h"]);
    const url = `${server.adminOrigin}/record?class=Relay&room=interrupted&length=0s`;
    await eventually(async () => (await fetch(url, post)).status === 409, "its begin");
    made.child.kill("SIGINT");
    assert.equal((await within(made.exited, 10_000, "its end")).code, 0);
    assert.equal(JSON.parse(made.stdout.at(-1)).end, "stopped");
  });

  test("what is no recording is refused, with the line", async () => {
    const file = join(artifacts, "no.recording");
    const head = '{"recording":1,"class":"Relay","room":"x"}\n';
    for (const [text, said] of [["hello", /no recording/], [`${head}{"at_us":1}\n`, /line 2/],
      [`${head}{"at_us":1,"from":0,"text":"a"}\n`, /cut off/], [`${head}{"at_us":1,"end":"time"}\n`, /nobody/]]) {
      await writeFile(file, text);
      const { code, stderr } = await run("load", "ws://127.0.0.1:1/", "--replay", file);
      assert.equal(code, 2);
      assert.match(stderr, said);
    }
    await rm(file);
  });
});

test("a server that wasn't told to records nothing", async () => {
  const server = await Server.start();
  try {
    const { code, stderr } = await run("record", "Relay/x", "--admin", server.adminOrigin);
    assert.equal(code, 1);
    assert.match(stderr, /--record-bytes-max/);
  } finally {
    await server.stop();
  }
});
