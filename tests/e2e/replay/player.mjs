// Plays the client side of a recording against a server, and tells where the server's side differs.
import { eventually } from "../support/deadline.mjs";
import { ask } from "./http.mjs";
import { Matcher, shown } from "./match.mjs";
import { relocated, steps } from "./script.mjs";
import { Visitor } from "./visitor.mjs";

/** For a frame that must come. */
const patience = 4_000;
/** An answer over HTTP may tell of something that the server is still to notice. */
const httpPatience = 2_000;

const isState = ({ data }) => data?.includes('"cf_agent_state"') ?? false;

class Player {
  constructor(server, hints) {
    this.server = server;
    this.hints = hints;
    this.matcher = new Matcher(hints.ignore);
    this.visitors = new Map();
    this.everybody = [];
    this.differences = [];
  }

  differs(where, expected, came) {
    this.differences.push(`${where}: expected ${shown(expected)}, came ${came}`);
  }

  async play(rows) {
    for (const step of steps(relocated(rows, `${this.server.host}:${this.server.port}`))) {
      await this[step.do](step);
    }
    for (const [client, visitor] of this.everybody) {
      await visitor.flush(patience);
      for (const row of visitor.rows.filter(({ event }) => event === undefined)) {
        this.differs(client, "nothing more", JSON.stringify(row));
      }
    }
    for (const [, visitor] of this.everybody) visitor.drop();
    return this.differences;
  }

  async connect({ client, row, url }) {
    const options = this.hints.clients?.[client] ?? {};
    const visitor = new Visitor(url ?? this.server.wsUrl(options.path), options);
    this.visitors.set(client, visitor);
    this.everybody.push([client, visitor]);
    const seen = await visitor.opened;
    const difference = this.headDiffers(row, seen, ["sec-websocket-accept"]);
    if (difference) this.differs(`${client}, handshake`, ...difference);
    if (row.event === "refused") visitor.rows = [];
  }

  send({ client, row }) {
    const big = /^rpc echo with (\d+) chars$/.exec(row.data ?? "");
    if (!big) return this.visitors.get(client).send(row);
    const [, chars] = big;
    const call = { args: ["x".repeat(Number(chars))], id: `n${chars}`, method: "echo", type: "rpc" };
    return this.visitors.get(client).send({ data: JSON.stringify(call) });
  }

  ping({ client, row }) {
    this.visitors.get(client).socket.ping(row.data);
  }

  close({ client, row }) {
    this.visitors.get(client).close(row);
  }

  drop({ client }) {
    this.visitors.get(client).drop();
  }

  async sleep() {
    await eventually(async () => {
      const { rooms } = await (await fetch(`${this.server.adminOrigin}/rooms`)).json();
      return rooms.every(({ awake }) => awake.length === 0);
    }, "every room asleep");
  }

  async expect({ client, row }) {
    const visitor = this.visitors.get(client);
    if (visitor.isLost) return;
    const seen = await visitor.next(patience, this.hints.byTheClock ? (came) => isState(came) === isState(row) : undefined);
    const difference = seen === undefined ? "nothing" : this.rowDiffers(row, seen);
    if (difference === null) return;
    this.differs(client, row.data ?? JSON.stringify(row), difference);
    visitor.isLost = seen === undefined || seen.event === "tcp-closed";
  }

  rowDiffers(row, seen) {
    if (row.event !== seen.event || row.kind !== seen.kind) return JSON.stringify(seen);
    if (row.kind === "text") return this.matcher.text(row.data, seen.data);
    const counts = ["hex", "data", "code", "reason", "message", "eventCode", "eventReason"];
    return counts.every((key) => row[key] === seen[key]) ? null : JSON.stringify(seen);
  }

  async http({ row }) {
    const [method] = row.http.split(" ");
    const until = Date.now() + httpPatience;
    for (;;) {
      const seen = await ask(this.server, row);
      const difference = this.headDiffers(row, seen, ["content-length", "sec-websocket-accept"]);
      if (!difference) return;
      if (method !== "GET" || Date.now() > until) return void this.differs(row.http, ...difference);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Null, or what was recorded and what came of status, headers and body. */
  headDiffers(recorded, seen, uncounted) {
    if (recorded.status !== seen.status) {
      return [`${recorded.status} ${recorded.body ?? ""}`, `${seen.status ?? seen.error} ${seen.body ?? ""}`];
    }
    for (const [name, value] of Object.entries(recorded.headers)) {
      if (value === null || uncounted.includes(name)) continue;
      // A list of tokens may have more of them than the recorded one.
      const tokens = (seen.headers[name] ?? "(none)").toLowerCase().split(name === "connection" ? /, */ : "\n");
      if (!tokens.includes(value.toLowerCase())) return [`${name}: ${value}`, `${name}: ${seen.headers[name]}`];
    }
    const extra = Object.keys(seen.headers).find((name) => recorded.status === 101 && !(name in recorded.headers));
    if (extra) return ["no more headers", extra];
    if (recorded.body === undefined) return null;
    // Long bodies weren't written down whole.
    const size = Buffer.byteLength(recorded.body);
    if (Number(recorded.headers["content-length"]) > size) {
      const bytes = seen.headers["content-length"];
      return bytes === recorded.headers["content-length"] ? null : [`${recorded.body}…`, `${bytes} bytes`];
    }
    const difference = this.matcher.text(recorded.body, seen.body);
    return difference === null ? null : [recorded.body, difference];
  }
}

/** Where the server's side differs from the recorded rows: a list of lines, empty if nowhere. */
export function play(rows, server, hints = {}) {
  return new Player(server, hints).play(rows);
}
