// One server of the tests: started on free ports, stopped by SIGTERM, and looked at from outside.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { within } from "./deadline.mjs";
import { start } from "./process.mjs";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

export const binary = resolve(process.env.RINGROOM_BINARY ?? join(repository, "build-test/ringroom"));
export const fixture = resolve(
  process.env.RINGROOM_FIXTURE ?? join(dirname(binary), "tests/e2e/agents/fixture.so"));
/** The agents of the recordings that are no samples. */
export const recordedAgents = resolve(
  process.env.RINGROOM_RECORDED_AGENTS ?? join(dirname(binary), "tests/agents/recorded.so"));
/** Where tests leave what people may want to look at; each variant of the suite has its own. */
export const artifacts = resolve(process.env.RINGROOM_ARTIFACTS ?? dirname(binary));
mkdirSync(artifacts, { recursive: true });
/** Arguments for every server, so that the same tests run with other settings too. */
export const serveArguments = (process.env.RINGROOM_SERVE_ARGS ?? "").split(/\s+/).filter(Boolean);

const readyLine =
  /^ringroom listening on http:\/\/(\S+):(\d+) \((\d+) shards?, admin (?:http:\/\/(\S+):(\d+)|off)\)$/;

/** Where a server can be started again and again: a port that the kernel doesn't give to clients. One
 *  of those may be somebody's by the time that the server is back, or belong to the very client that
 *  waits for it, which is then connected to itself. */
export async function lastingAddress() {
  const first = Number.parseInt(await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  const end = first > 12_000 ? Math.min(first, 32_768) : 32_768;  // who gives them all gets any
  for (;;) {
    const probe = createServer().listen(randomInt(10_000, end), "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch {
      continue;  // taken
    }
    const { address, port } = probe.address();
    probe.close();
    await once(probe, "close");
    return `${address}:${port}`;
  }
}

/** A run of the executable: what it says, and how it ends. */
export class Run {
  /** `filesMax` is its limit of open files, if it is to have less than we have; `program` another
   *  executable than the server, with the same flags; `prefix` a command that runs it, with its
   *  arguments. */
  constructor(args, { filesMax, program = binary, prefix = [] } = {}) {
    assert(existsSync(program), `no executable at ${program}; set RINGROOM_BINARY`);
    const command = filesMax === undefined ? [...prefix, program]
      : ["prlimit", `--nofile=${filesMax}:${filesMax}`, ...prefix, program];
    this.child = start(command[0], [...command.slice(1), ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.stdout = [];
    this.stderr = "";
    this.lines = createInterface({ input: this.child.stdout });
    this.lines.on("line", (line) => this.stdout.push(line));
    this.child.stderr.setEncoding("utf8");
    this.child.stderr.on("data", (text) => { this.stderr += text; });
    this.exited = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** The first line on standard output, or what went wrong instead. */
  async firstLine() {
    if (this.stdout.length > 0) return this.stdout[0];
    const ended = this.exited.then(({ code }) => {
      if (this.stdout.length > 0) return this.stdout[0];
      throw new Error(`the server ended with ${code}: ${this.stderr}`);
    });
    const [line] = await within(Promise.race([once(this.lines, "line"), ended.then((l) => [l])]),
      30_000, "the ready line");
    return line;
  }

  /** Waits until standard error has a match, from `from` on. */
  async logged(pattern, from = 0) {
    const search = () => pattern.exec(this.stderr.slice(from));
    const wait = async () => {
      while (search() === null) await once(this.child.stderr, "data");
      return search();
    };
    return within(wait(), 10_000, `the log line ${pattern}`);
  }

  end(signal) {
    this.child.kill(signal);
    return within(this.exited, 15_000, "the end of the server");
  }
}

export class Server extends Run {
  /** Starts one and waits until it is ready. `args` win over the defaults. */
  static async start(args = [], options = {}) {
    const given = [...(options.program === undefined ? ["serve"] : []), ...defaults(args), ...serveArguments, ...args];
    const server = new Server(given, options);
    const match = readyLine.exec(await server.firstLine());
    assert(match, `not the ready line: ${server.stdout[0]}`);
    server.host = match[1];
    server.port = Number(match[2]);
    server.shards = Number(match[3]);
    server.origin = `http://${match[1]}:${match[2]}`;
    server.adminOrigin = match[4] && `http://${match[4]}:${match[5]}`;
    return server;
  }

  get pid() {
    return this.child.pid;
  }

  url(path) {
    return this.origin + path;
  }

  wsUrl(path) {
    return `ws://${this.host}:${this.port}${path}`;
  }

  /** Stops it as an operator does, and expects that it ends well. */
  async stop() {
    const { code, signal } = await this.end("SIGTERM");
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.stderr);
  }

  /** Bytes of memory that the process has now. */
  async residentBytes() {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
  }

  /** The sum of a metric over all shards. */
  async metric(name, label = "") {
    const text = await (await fetch(`${this.adminOrigin}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*${label}[^}]*\\})? (\\S+)$`, "gm"))];
    assert(values.length > 0, `no metric ${name}`);
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }
}

function defaults(args) {
  const has = (flag) => args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
  return [
    ["--listen", "127.0.0.1:0"],
    ["--admin", "127.0.0.1:0"],
    ["--data", ":memory:"],
  ].filter(([flag]) => !has(flag)).flat();
}
