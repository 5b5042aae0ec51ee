#!/usr/bin/env node
// What the Agents protocol costs the server, in CPU per message, side by side in one run:
//   state   a state broadcast to 1,000 connections beside a plain broadcast of the same bytes
//   rpc     a call by the real client (agents/client) beside an echo of as many bytes
// bench/protocol.mjs state|rpc [build/ringroom]   The server runs on core 0, this on core 1; needs
// the npm packages of tests/e2e (`npm ci` there, or tools/test once).
import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [what, binary = "build/ringroom"] = process.argv.slice(2);
if (!["state", "rpc"].includes(what)) {
  console.error("usage: bench/protocol.mjs state|rpc [build/ringroom]");
  process.exit(2);
}
const packages = createRequire(new URL("../tests/e2e/package.json", import.meta.url));
const load = (name) => import(pathToFileURL(packages.resolve(name)));
const { WebSocket } = await load("ws");
execFileSync("taskset", ["-cp", "1", `${process.pid}`]);

const server = spawn("taskset", ["-c", "0", binary, "serve", "--listen", "127.0.0.1:0", "--shards", "1",
  "--admin", "off", "--data", ":memory:", "--log-level", "error"], { stdio: ["ignore", "pipe", "inherit"] });
const [line] = await once(createInterface({ input: server.stdout }), "line");
const origin = new URL(/http:\S+/.exec(line)[0]);

/** Microseconds of CPU that the server has used, by all its threads. */
function cpu() {
  return Number(readFileSync(`/proc/${server.pid}/schedstat`, "utf8").split(" ")[0]) / 1000;
}

function open(path) {
  const socket = new WebSocket(`ws://${origin.host}${path}`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** A room of 1,000 and how to let one of them send to all others and wait until they have it. */
async function room(path, message) {
  const members = await Promise.all(Array.from({ length: 1000 }, () => open(path)));
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  let missing = 0;
  let done;
  for (const member of members) member.on("message", () => { if ((missing -= 1) === 0) done(); });
  return () => {
    missing = members.length - 1;
    members[0].send(message);
    return new Promise((resolve) => { done = resolve; });
  };
}

async function stateBroadcasts() {
  const frame = JSON.stringify({ state: { text: "x".repeat(160) }, type: "cf_agent_state" });
  return {
    rounds: 40,
    plain: await room("/agents/relay/bench", frame),
    measured: await room("/agents/doc-agent/bench", frame),
  };
}

async function calls() {
  const { AgentClient } = await load("agents/client");
  globalThis.WebSocket ??= WebSocket;
  const agent = new AgentClient({ agent: "counter-agent", name: "bench", host: origin.host, WebSocket });
  await agent.ready;
  const echo = await open("/agents/echo/bench");
  const bytes = JSON.stringify({ args: [2, 3], id: crypto.randomUUID(), method: "add", type: "rpc" });
  return {
    rounds: 500,
    plain: () => { echo.send(bytes); return once(echo, "message"); },
    measured: () => agent.call("add", [2, 3]),
  };
}

const { rounds, plain, measured } = what === "state" ? await stateBroadcasts() : await calls();
async function cost(step) {
  const before = cpu();
  for (let i = 0; i < rounds; i += 1) await step();
  return (cpu() - before) / rounds;
}
const ratios = [];
const rows = { plain: [], measured: [] };
for (let round = 0; round < 11; round += 1) {
  const pair = { plain: await cost(plain), measured: await cost(measured) };
  if (round === 0) continue; // warm-up
  for (const kind of Object.keys(pair)) rows[kind].push(pair[kind]);
  ratios.push(pair.measured / pair.plain);
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const names = what === "state" ? ["plain broadcast to 999", "state broadcast to 999"] : ["echo", "call of add(2, 3)"];
console.log(`${names[0]}: ${median(rows.plain).toFixed(2)} µs of server CPU`);
console.log(`${names[1]}: ${median(rows.measured).toFixed(2)} µs of server CPU`);
console.log(`ratio of the same round, median: ${median(ratios).toFixed(2)} `
  + `(${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`);
server.kill("SIGTERM");
await once(server, "exit");
process.exit(0);
