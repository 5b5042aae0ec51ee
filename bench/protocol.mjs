#!/usr/bin/env node
// What the Agents protocol costs the server, beside what it stands on.
//
//     bench/protocol.mjs state   a state that goes to 1,000 connections, beside a plain broadcast of as many bytes
//     bench/protocol.mjs rpc     a call by the real AgentClient, beside an echo of the same bytes by it
//
// [--binary build/ringroom] [--rounds 9]. Starts the server on free ports, pinned to CPU 0, and is its client on
// CPU 1. Takes the clients from tests/e2e (npm ci there). Ends with a line of JSON: medians of the rounds, in
// microseconds of server CPU for each frame delivered (state) or round trip (rpc), and of the rounds' ratios.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(repository, "tests/e2e/node_modules");
const { values: options, positionals: [what] } = parseArgs({
  allowPositionals: true,
  options: {
    binary: { type: "string", default: join(repository, "build/ringroom") },
    rounds: { type: "string", default: "9" },
  },
});

const { WebSocket } = await import(join(modules, "ws/wrapper.mjs"));

const members = 1000;
const broadcasts = 40;
const callers = 100;
const calls = 100;
const minutes_max = 10;

async function start() {
  const child = spawn("taskset", ["-c", "0", options.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "off",
    "--data", ":memory:", "--shards", "1", "--log-level", "error"], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill("SIGKILL"));
  child.on("error", (error) => { throw error; });
  setTimeout(() => { console.error(`not done after ${minutes_max} minutes`); process.exit(1); },
    minutes_max * 60_000).unref();
  spawnSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)]);
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/(127\.0\.0\.1:\d+)/.exec(line);
    if (found) return { pid: child.pid, host: found[1] };
  }
  throw new Error(`${options.binary} didn't start`);
}

/** Microseconds of CPU that the server has used so far. */
function cpu_us({ pid }) {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1000;
}

async function measure(server, count, run) {
  const before = cpu_us(server);
  await run();
  return (cpu_us(server) - before) / count;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (value) => Math.round(value * 1000) / 1000;

/** Both in turns, so that a machine that drifts does so for both. */
async function side_by_side(names, runs) {
  for (const run of runs) await run();
  const took = [[], []];
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const i of round % 2 ? [1, 0] : [0, 1]) took[i].push(await runs[i]());
  }
  return {
    [`${names[0]}_us`]: rounded(median(took[0])),
    [`${names[1]}_us`]: rounded(median(took[1])),
    ratio: rounded(median(took[0].map((value, i) => value / took[1][i]))),
  };
}

/** A room of 1,000; tells when all but the first have got what `is_awaited` accepts. */
async function crowd(server, path, is_awaited) {
  let missing = 0;
  let all_have_it;
  const sockets = [];
  for (let i = 0; i < members; i += 1) {
    const socket = new WebSocket(`ws://${server.host}/agents/${path}`, { perMessageDeflate: false });
    socket.on("error", (error) => { throw error; });
    if (i > 0) {
      socket.on("message", (data) => {
        if (is_awaited(data) && (missing -= 1) === 0) all_have_it();
      });
    }
    await once(socket, "open");
    sockets.push(socket);
  }
  return (text) => new Promise((done) => {
    missing = members - 1;
    all_have_it = done;
    sockets[0].send(text);
  });
}

async function state(server) {
  let number = 0;
  const value = () => ({ counter: number += 1, note: "x".repeat(180) });
  const frame = (state) => JSON.stringify({ type: "cf_agent_state", state });
  const is_awaited = (data) => data.length > 200;
  const set_state = await crowd(server, "counter-agent/state", is_awaited);
  const broadcast = await crowd(server, "lab/plain", is_awaited);
  const repeat = (send) => () => measure(server, broadcasts * (members - 1), async () => {
    for (let i = 0; i < broadcasts; i += 1) await send();
  });
  return side_by_side(["state", "broadcast"], [
    repeat(() => set_state(frame(value()))),
    repeat(() => broadcast(JSON.stringify({ op: "broadcast", text: frame(value()) }))),
  ]);
}

/** 100 clients of the kind, each with one question under way. */
async function rpc(server) {
  const { AgentClient } = await import(join(modules, "agents/dist/client.js"));
  const connect = async (agent, name) => {
    const client = new AgentClient({ host: server.host, agent, name, WebSocket });
    await once(client, "open");
    return client;
  };
  const crowd = (agent) => Promise.all(Array.from({ length: callers }, (_, i) => connect(agent, `r${i}`)));
  const [counters, speakers] = [await crowd("counter-agent"), await crowd("echo")];
  // As long as what the client sends for the call, and no frame of the protocol.
  const bytes = JSON.stringify({
    args: ["hello"], id: "0b5c1a52-7a3e-4b7a-9d5c-7f6f0a1b2c3d", method: "echo", type: "say" });
  const echoed = (speaker) => new Promise((done) => {
    speaker.addEventListener("message", done, { once: true });
    speaker.send(bytes);
  });
  const repeat = (clients, ask) => () => measure(server, calls * callers, async () => {
    for (let i = 0; i < calls; i += 1) await Promise.all(clients.map(ask));
  });
  return side_by_side(["rpc", "echo"], [
    repeat(counters, (client) => client.call("echo", ["hello"])),
    repeat(speakers, echoed),
  ]);
}

const scenarios = { state, rpc };
if (!(what in scenarios)) {
  console.error("usage: bench/protocol.mjs state|rpc [--binary build/ringroom] [--rounds 9]");
  process.exit(2);
}
console.log(JSON.stringify(await scenarios[what](await start())));
process.exit(0);
