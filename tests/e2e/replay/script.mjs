// A recording as something that can be played: its rows become steps, in an order that a client can
// follow without a clock.
import { readFileSync, readdirSync } from "node:fs";

const folder = new URL("transcripts/", import.meta.url);
const recordedHost = "127.0.0.1:8799";
/** Silence of at least this long was there to let the agent sleep. */
const nap = 9_000;
/** A row may have been written so much later than what caused the rows before it. */
const jitter = 15;

export const names = () => readdirSync(folder).map((file) => file.replace(/\.jsonl$/, "")).sort();

/** The rows of a recording. */
export function load(name) {
  const [, ...lines] = readFileSync(new URL(`${name}.jsonl`, folder), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** The same rows for a server that listens at `host`. */
export function relocated(rows, host) {
  return JSON.parse(JSON.stringify(rows).replaceAll(recordedHost, host));
}

const isConnect = (row) => row.event === "upgrade" || row.event === "refused";
const isFromServer = (row) => row.dir === "s->c" || row.event === "open" || row.event === "tcp-closed";

// What a newcomer causes at the others can stand before its own first row: it connects first.
function connectsFirst(rows) {
  const ordered = [...rows];
  ordered.forEach((row, index) => {
    if (!isConnect(row)) return;
    let to = index;
    const mayPass = (other) => other.client !== row.client && other.t >= row.t - jitter && other.dir === "s->c";
    while (to > 0 && mayPass(ordered[to - 1])) to -= 1;
    ordered.splice(index, 1);
    ordered.splice(to, 0, row);
  });
  return ordered;
}

/**
 * Steps: connect, send, ping, close, drop and http are done; expect is waited for; sleep waits until
 * no room is awake.
 */
export function steps(rows) {
  const all = [];
  const open = new Map(); // client → what it has seen of its end
  let before = 0;
  const connect = (row, from) => {
    const own = from.filter(({ client }) => client === row.client);
    const opened = own.find(({ event }) => event === "open");
    open.set(row.client, { failed: row.event === "refused" });
    all.push({ do: "connect", client: row.client, row, url: opened?.url ?? row.url });
  };
  connectsFirst(rows).forEach((row, index, ordered) => {
    if (row.t - before >= nap) all.push({ do: "sleep" });
    before = Math.max(before, row.t);
    const seen = open.get(row.client);
    if (row.http) all.push({ do: "http", row });
    else if (isConnect(row)) connect(row, ordered.slice(index));
    else if (row.dir === "c->s") {
      const what = row.kind === "close" || row.kind === "ping" ? row.kind : "send";
      if (what === "close") seen.closes = true;
      all.push({ do: what, client: row.client, row });
    } else if (row.event === "error" && !seen.failed) {
      seen.ends = true;
      all.push({ do: "expect", client: row.client, row });
    } else if (isFromServer(row) && row.event !== "open" && !seen.failed) {
      if (row.kind === "close") seen.ends = true;
      const dropped = row.event === "tcp-closed" && row.eventCode === 1006 && !seen.ends;
      if (dropped) all.push({ do: "drop", client: row.client });
      all.push({ do: "expect", client: row.client, row });
    }
  });
  return all;
}
