// Edits of a recording's rows, for what differs on purpose. Each fails if there is nothing to edit.
import assert from "node:assert/strict";

const fromServer = (row) => row.dir === "s->c" || row.event === "tcp-closed" || row.event === "error";

function once(rows, test, what) {
  const index = rows.findIndex(test);
  assert(index >= 0, `the recording has no ${what}`);
  return index;
}

const replaced = (rows, at, by) => rows.map((row, index) => (index === at ? { ...row, ...by } : row));

/** What the server says to a client in place of what was recorded, from row number `from` on. */
function saysFrom(rows, from, client, instead) {
  const own = (row) => row.client === client && fromServer(row);
  const last = rows.findLastIndex((row) => row.client === client && !fromServer(row));
  const told = instead.map((row) => ({ t: rows[last].t, client, ...row }));
  const isKept = (row, index) => index < from || !own(row);
  return [...rows.slice(0, last + 1).filter(isKept), ...told,
    ...rows.slice(last + 1).filter((row, index) => isKept(row, last + 1 + index))];
}

/** What the server says to a client in place of all that was recorded. */
export const says = (client, ...instead) => (rows) =>
  saysFrom(rows, once(rows, (row) => row.client === client, client), client, instead);

/** What the server says to a client after its last word, in place of what was recorded. */
export const ends = (client, ...instead) => (rows) => {
  once(rows, (row) => row.client === client && row.dir === "c->s", `word of ${client}`);
  return saysFrom(rows, rows.findLastIndex((row) => row.client === client && row.dir === "c->s"), client, instead);
};

/** The handshake of a client has these headers too, or in place of the recorded ones. */
export const handshakeSays = (client, headers) => (rows) => {
  once(rows, (row) => row.client === client && row.event === "upgrade", `handshake of ${client}`);
  return rows.map((row) => (row.client === client && row.event === "upgrade"
    ? { ...row, headers: { ...row.headers, ...headers } } : row));
};

/** The handshake of a client is refused in place of what was recorded, and nothing follows. */
export const isRefused = (client, status, body) => (rows) => {
  const at = once(rows, (row) => row.client === client && row.event === "upgrade", `handshake of ${client}`);
  const { url } = rows.find((row) => row.client === client && row.event === "open");
  const refusal = { t: rows[at].t, client, event: "refused", url, status, headers: {}, body };
  return rows.flatMap((row, index) => (index === at ? [refusal] : row.client === client ? [] : [row]));
};

/** A client that was refused gets in, and is told this. */
export const isTold = (client, ...instead) => (rows) => {
  const at = once(rows, (row) => row.client === client && row.event === "refused", `refusal of ${client}`);
  const { t, url } = rows[at];
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-accept": "" };
  const told = [{ event: "upgrade", status: 101, headers }, { event: "open", url }, ...instead]
    .map((row) => ({ t, client, ...row }));
  return rows.flatMap((row, index) => (index === at ? told : row.client === client ? [] : [row]));
};

/** A close frame and the end of TCP, as a client sees them; null: a frame without a code. */
export const closes = (code, reason) => [
  { dir: "s->c", kind: "close", code, reason },
  { event: "tcp-closed", eventCode: code ?? 1005, eventReason: reason },
];

/** Setting the session up fails: an error frame and a close with 1011. */
export const setupFails = (error) => [
  { dir: "s->c", kind: "text", data: JSON.stringify({ error }) },
  ...closes(1011, "Uncaught exception during session setup"),
];

/** The answer to a text message that is recorded as `asked`; null: neither is played. */
export const answers = (asked, data) => (rows) => {
  const at = once(rows, (row) => row.dir === "c->s" && row.data === asked, `message ${asked}`);
  const answer = rows.findIndex((row, index) => index > at && row.client === rows[at].client && row.dir === "s->c");
  if (data === null) return rows.filter((_, index) => index !== at && index !== answer);
  return replaced(rows, answer, { data });
};

const call = (row) => (row.kind === "text" && row.data.endsWith('"type":"rpc"}') ? JSON.parse(row.data) : {});

/** A call by method or id: its reply, as members that replace the recorded ones. */
export const replies = (name, reply) => (rows) => {
  const isCall = (row) => row.dir === "c->s" && [call(row).method, call(row).id].includes(name);
  const at = once(rows, isCall, `call ${name}`);
  const answer = rows.findIndex((row, index) => index > at && row.dir === "s->c" && call(row).id === call(rows[at]).id);
  return replaced(rows, answer, { data: JSON.stringify({ id: call(rows[at]).id, type: "rpc", ...reply }) });
};

/** The result of a call by method or id, made from the recorded one. */
export const changes = (name, change) => (rows) => {
  const isCall = (row) => row.dir === "c->s" && [call(row).method, call(row).id].includes(name);
  const { id } = call(rows[once(rows, isCall, `call ${name}`)]);
  const answer = once(rows, (row) => row.dir === "s->c" && call(row).id === id, `answer to ${name}`);
  const reply = call(rows[answer]);
  return replaced(rows, answer, { data: JSON.stringify({ ...reply, result: change(reply.result), type: "rpc" }) });
};

/** Calls of these methods, and their replies, are not played. */
export const without = (...methods) => (rows) => {
  const ids = new Set();
  for (const method of methods) once(rows, (row) => row.dir === "c->s" && call(row).method === method, `call of ${method}`);
  return rows.filter((row) => {
    if (row.dir === "c->s" && methods.includes(call(row).method)) return !ids.add(call(row).id);
    return !(row.dir === "s->c" && ids.delete(call(row).id));
  });
};

/** An HTTP exchange is answered so. */
export const isAnswered = (http, instead) => (rows) => {
  once(rows, (row) => row.http === http, http);
  return rows.map((row) => (row.http === http ? { ...row, headers: {}, ...instead } : row));
};

/** An HTTP exchange is not played. */
export const unasked = (http) => (rows) => {
  once(rows, (row) => row.http === http, http);
  return rows.filter((row) => row.http !== http);
};
