// Scenario files of the load client: what a file says is what a server gets, phase by phase.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { load, misbehaving } from "./support/load.mjs";
import { Server, artifacts } from "./support/server.mjs";

/** Runs a scenario, as TOML text or as an object, and gives its result. */
async function play(url, scenario, ...args) {
  const kind = typeof scenario === "string" ? "toml" : "json";
  const file = join(artifacts, `scenario-${process.pid}-${play.count++}.${kind}`);
  await writeFile(file, typeof scenario === "string" ? scenario : JSON.stringify(scenario));
  const { code, stdout, stderr } = await load(url, "--scenario-file", file, "--json", "-", ...args);
  await rm(file);
  assert.notEqual(code, 2, stderr);
  return { code, result: JSON.parse(stdout), stderr };
}
play.count = 0;

const byName = (list) => Object.fromEntries(list.map((one) => [one.name, one]));
const near = (value, wanted, off) =>
  assert(Math.abs(value - wanted) <= off, `${value} is not ${wanted} +- ${off}`);

const spike = {
  connections: 20, rate: 200, "warm-up": "200ms",
  phase: [
    { name: "ramp", duration: "1s", rate: [0, 200] },
    { name: "hold", duration: "500ms" },
    { name: "spike", duration: "500ms", rate: 1000 },
    { name: "after", duration: "500ms", rate: "100%" },
  ],
};

describe("scenario files against ringroom serve", () => {
  let server;
  before(async () => { server = await Server.start(); });
  after(() => server.stop());

  test("rates go up, hold and spike as the phases say", async () => {
    const { result } = await play(server.wsUrl("/agents/echo/x"), spike, "--server-pid",
      String(server.pid));
    assert.equal(result.errors, 0);
    assert.equal(result.checks.expected, 100 + 100 + 500 + 100);
    const phases = byName(result.phases);
    // Counted by when they should have left, so whatever the machine is busy with.
    assert.deepEqual(result.phases.map(({ latency_us }) => latency_us.count), [100, 100, 500, 100]);
    assert.equal(result.latency_us.count, 800);
    assert.deepEqual(result.phases.map(({ begin_s }) => begin_s), [0.2, 1.2, 1.7, 2.2]);
    assert(phases.spike.sent_rate > 2 * phases.hold.sent_rate);
    assert(phases.hold.server_cpu_s > 0);
    // The ramp's second half has three quarters of its messages.
    const ramp = result.time_line.filter(({ at_s }) => at_s >= 0.2 && at_s < 1.2);
    const half = Math.floor(ramp.length / 2);
    const rate = (list) => list.reduce((sum, { sent_rate }) => sum + sent_rate, 0) / list.length;
    assert(rate(ramp.slice(half)) > 1.5 * rate(ramp.slice(0, half)));
  });

  test("connections come and go, and nothing is lost", async () => {
    const { result } = await play(server.wsUrl("/agents/relay/come-and-go-{room}"), `
      scenario = "broadcast"
      rooms = 20
      members = 3
      in-flight = 2
      warm-up = "0s"
      [[phase]]
      name = "up"
      duration = "600ms"
      connections = [6, 60]
      [[phase]]
      name = "down"
      duration = "600ms"
      connections = ["100%", "20%"]
      [[phase]]
      name = "few"
      duration = "300ms"
      [[phase]]
      name = "again"
      duration = "300ms"
      connections = 30`, "--threads", "2");
    assert.equal(result.errors, 0);
    const { up, down, few, again } = byName(result.phases);
    assert(up.open > 40);
    assert(down.open < 30);
    assert.equal(few.open, 12);
    assert.equal(again.open, 30);
    assert.equal(result.handshakes, 54 + 18);  // six were there before
    assert([up, down, few, again].every(({ received }) => received > 0));
  });

  test("a mix is done side by side, and each part has a result", async () => {
    const { code, result } = await play(server.wsUrl("/agents/echo/mix"), `
      connections = 100
      warm-up = "100ms"
      expect = ["errors=0", "burst.p99<10s", "chat.lost=0", "watchers.open=80"]
      [[phase]]
      name = "calm"
      duration = "500ms"
      [[phase]]
      name = "burst"
      duration = "500ms"
      rate = "500%"
      [[mix]]
      name = "watchers"
      scenario = "idle"
      share = 80
      [[mix]]
      name = "players"
      share = 10
      rate-each = 10
      text = true
      size = "64-300"
      [[mix]]
      name = "chat"
      scenario = "broadcast"
      path = "/agents/relay/{room}"
      share = 10
      members = 5
      rate = 20`);
    assert.equal(code, 0);
    const { watchers, players, chat } = byName(result.mix);
    assert.equal(result.connections.open, 100);
    assert.equal(watchers.checks.arrived, 80);  // pings
    assert.equal(players.checks.expected, 10 + 50 + 250);
    assert.equal(chat.checks.expected, (2 + 10 + 50) * 4);
    assert.equal(result.checks.expected, 80 + 310 + 248);
    assert.equal(result.phases[1].latency_us.count, 250 + 50 * 4);
    assert.equal(result.errors, 0);
  });

  test("a missed expectation of one phase is exit code 1", async () => {
    const { code } = await play(server.wsUrl("/agents/echo/x"), spike, "--expect",
      "hold.p50<10s,spike.received_rate<1");
    assert.equal(code, 1);
  });

  test("summary, lines and page name the phases", async () => {
    const file = join(artifacts, "scenario.toml");
    const page = join(artifacts, "load-phases.html");
    await writeFile(file, `
      url = "${server.wsUrl("/agents/echo/x")}"
      rate = 100
      [[phase]]
      name = "calm"
      duration = "1s"
      [[phase]]
      name = "wild"
      duration = "2s"
      rate = 500
      [[mix]]
      name = "one"
      share = 50
      [[mix]]
      name = "two"
      share = 50`);
    const { code, stdout, stderr } = await load("--scenario-file", file, "--html", page);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {2}phase +wild: 100 open, .*\/s sent, .* p99 /m);
    assert.match(stdout, /^ {2}part +two \(echo\): 50 of 50 open, /m);
    assert.match(stderr, / s \(wild\): 100 open, /);
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
      const tab = await browser.newPage({ viewport: { width: 900, height: 1600 } });
      await tab.goto(`file://${page}`);
      assert.equal(await tab.locator("h1").innerText(), "mix");
      assert.deepEqual(await tab.locator("table.many tr td:first-child").allInnerTexts(),
        ["calm", "wild", "one", "two"]);
      const marks = tab.locator("svg .mark");
      assert.deepEqual(await marks.locator("text").allTextContents(), ["calm", "wild", "calm", "wild"]);
      const [calm, wild] = await Promise.all([0, 1].map(async (n) =>
        (await marks.nth(n).locator("line").boundingBox()).x));
      assert(wild > calm + 100);  // a second later
      await tab.screenshot({ path: join(artifacts, "load-phases.png") });
    } finally {
      await browser.close();
    }
  });
});

describe("scenario files against servers that misbehave", () => {
  test("a server that drops half of a spike: the phase and the loss are seen", async () => {
    const server = await misbehaving((socket, data, number) => {
      if (number < 200 || number >= 700 || number % 2) socket.send(data);
    });
    try {
      const { code, result } = await play(server.url, spike, "--reply-timeout", "500ms",
        "--expect", "lost=0");
      assert.equal(code, 1);
      assert.deepEqual(result.phases.map(({ latency_us }) => latency_us.count),
        [100, 100, 250, 100]);
      assert.equal(result.checks.lost, 250);
    } finally {
      server.stop();
    }
  });

  test("a server that doubles and flips: what is wrong has its phase and its part", async () => {
    const server = await misbehaving((socket, data, number) => {
      if (data.length === 100) socket.send(data);
      if (data.length === 99) data[60] ^= 1;
      socket.send(data);
    });
    try {
      const { result } = await play(server.url, `
        connections = 2
        warm-up = "200ms"
        reply-timeout = "300ms"
        [[phase]]
        name = "quiet"
        duration = "300ms"
        rate = 0
        [[phase]]
        name = "loud"
        duration = "500ms"
        rate = "100%"
        [[mix]]
        name = "doubled"
        connections = 1
        size = 100
        rate = 40
        [[mix]]
        name = "flipped"
        connections = 1
        size = 99
        rate = 20`);
      const { doubled, flipped } = byName(result.mix);
      near(doubled.checks.duplicated, 20, 1);  // of the last the copy may come behind the end
      assert.equal(doubled.checks.lost, 0);
      assert.equal(flipped.checks.corrupted, 10);
      assert.equal(flipped.checks.lost, 10);
      const { quiet, loud } = byName(result.phases);
      assert.equal(quiet.sent, 0);
      assert.equal(quiet.wrong, 0);
      near(loud.wrong, 30, 2);  // the last may come behind the end
      assert.equal(doubled.errors + flipped.errors, result.errors);
    } finally {
      server.stop();
    }
  });

  test("a file that is wrong is refused, with what is allowed", async () => {
    const file = join(artifacts, "wrong.toml");
    await writeFile(file, "[[phase]]\nname = \"a\"\nduration = \"1s\"\nraet = 5\n");
    const { code, stderr } = await load("ws://127.0.0.1:1/x", "--scenario-file", file);
    await rm(file);
    assert.equal(code, 2);
    assert.match(stderr, /wrong\.toml: phase 'a': 'raet' is none of its keys: name, duration, rate/);
  });
});
