// Where Ringroom differs from a recording on purpose: how, and why. Everything else is compared to
// the letter. An edit that finds nothing to change fails, so that this list stays true.
import {
  answers, changes, closes, ends, handshakeSays, isAnswered, isRefused, isTold, replies, says, setupFails, unasked, without,
} from "./edits.mjs";

const text = (data) => ({ dir: "s->c", kind: "text", data });
const error = (message) => text(JSON.stringify({ error: message }));
const badCode = (code) => error(`InvalidAccessError: Invalid WebSocket close code: ${code}.`);
const tooLarge = (limit, size) => JSON.stringify({
  error: `Error: A WebSocket 'attachment' cannot be larger than ${limit} bytes.'attachment' was ${size} bytes.`,
});

const codesForClients = "RFC 6455 §7.4.2: 1016 to 2999 are not for applications, and clients fail on them";
const tagTooLong = "A connection tag must not exceed 256 characters";
const tooManyBytes = (tag) => `"${tag}" is longer than the max tag length (256 characters).`;
const tooManyTags = "A connection can only have 10 tags, including the default id tag.";
const namesOfHeaders = "a member for the recording only: names of the request's headers";
const capnweb = "The capnweb transport is not supported here: connect without __agents_transport=capnweb";
const bothPrefixes = ["--prefix", "agents", "--prefix", "api/v2"];
const emptyClose = "an empty close frame is answered, by an empty one";
const idIsATag = "every class of agents is one of the SDK: its tags follow the id, with the SDK's limits, "
  + "and what is wrong with them is a session that couldn't be set up";

// The states of a recording with a log in them, without the entries that aren't kept. A state that
// says nothing new then wasn't sent.
function logged(rows, isKept) {
  let last;
  return rows.flatMap((row) => {
    if (row.dir !== "s->c" || !row.data?.includes('"cf_agent_state"')) return [row];
    const frame = JSON.parse(row.data);
    const log = frame.state.log.filter(isKept);
    if (log.length === last) return [];
    last = log.length;
    return [{ ...row, data: JSON.stringify({ ...frame, state: { log } }) }];
  });
}

const recordedCounter = [{
  why: "calls that the sample doesn't have: a fixture has them",
  edit: (rows) => JSON.parse(JSON.stringify(rows).replaceAll("counter-agent", "recorded-counter")),
}];

/**
 * A list for each recording: `edit` changes the rows, `ignore` names members of JSON objects that
 * aren't compared, `serve` are arguments of the server, `whole` leaves the recording out.
 */
export const differences = {
  "06-binary-only": [
    { why: "the call shows how the original stores connections", edit: without("flags") },
  ],
  "08-client-sent-state": recordedCounter,
  "11-readonly": [
    { why: "the member shows how the original stores connections", ignore: ["raw"] },
  ],
  "12-rpc-ok": [
    ...recordedCounter,
    { why: "JSON has no integer that it can't say", edit: without("returnsBigint") },
    { why: "the call shows how the original registers methods", edit: without("methods") },
  ],
  "13-rpc-errors": recordedCounter,
  "18-close-codes-server": [
    {
      why: codesForClients,
      edit: ends("srv close:2999:x"),
    },
  ],
  "19-close-codes-client": [
    { why: emptyClose, edit: ends("close none", ...closes(null, "")) },
  ],
  "20-http-onrequest": [{ why: namesOfHeaders, ignore: ["ps"] }],
  "21-routing": [
    { why: namesOfHeaders, ignore: ["ps"], serve: bothPrefixes },
    { why: "GET / is a page for people", edit: unasked("GET /") },
    ...["constructor", "__proto__", "toString"].map((segment) => ({
      why: "a class that nobody has is one, whatever JavaScript's objects inherit",
      edit: isAnswered(`GET /agents/${segment}/x`, { status: 400, body: "Invalid request" }),
    })),
    {
      why: "no text of a stack, and one about this server",
      edit: isAnswered(`GET /agents/counter-agent/${"n".repeat(1100)}`, { status: 500, body: "the room's name is longer than 1024 bytes" }),
    },
  ],
  "22-upgrade-variants": [
    {
      why: "no compressor is kept for a connection between its messages",
      edit: handshakeSays("deflate", {
        "sec-websocket-extensions": "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      }),
    },
  ],
  "26-basepath": [{ why: namesOfHeaders, ignore: ["ps"], serve: bothPrefixes }],
  "27-raw-do": [
    { why: "the recording has attachments of up to 16 KiB", serve: ["--attachment-bytes-max", "16KiB"] },
    {
      why: "an attachment is bytes: 16,384 of them, without V8's framing; a JSON string has two quotes",
      edit: (rows) => [
        answers("attachlen 16380", '{"ok":16380}'),
        answers("attachlen 16384", tooLarge(16384, 16386)),
        answers("attachlen 16385", tooLarge(16384, 16387)),
        answers("attachlen 20000", tooLarge(16384, 20002)),
        answers("attachbuf 16384", null),
        answers("attachbuf 16385", tooLarge(16384, 16385)),
      ].reduce((edited, edit) => edit(edited), rows),
    },
    { why: "C++ has no value that can't be told from bytes", edit: answers("attachfn", null) },
    { why: "a connection is never accepted by hand", edit: answers("accept", null) },
  ],
  "28-raw-do-tags": [
    { why: idIsATag, edit: says("n=10", ...setupFails(tooManyTags)) },
    { why: idIsATag, edit: isTold("n=11", ...setupFails(tooManyTags)) },
    ...["len=257", "ulen=257"].map((client) => (
      { why: idIsATag, edit: isTold(client, ...setupFails(tagTooLong)) })),
    ...[129, 256].map((length) => (
      { why: idIsATag, edit: isTold(`ulen=${length}`, ...setupFails(tooManyBytes("é".repeat(length)))) })),
    { why: idIsATag, edit: says("tag=", ...setupFails("A connection tag must not be an empty string.")) },
  ],
  "29-raw-do-close": [
    {
      why: "a close frame is answered, whether the agent's on_close does it or not",
      edit: ends("client closes, handler does not reply", ...closes(4100, "noreply")),
    },
    { why: emptyClose, edit: ends("client closes with no code", ...closes(null, "")) },
  ],
  "30-sql": [
    { why: "how JavaScript's values are bound", edit: without("types") },
    {
      why: "the call shows the original's own tables, in an answer that wasn't written down whole",
      edit: (rows) => without("tables")(rows).filter(({ data }) => !data?.includes('"id":"tables"')),
    },
    {
      why: "a table of the original's, and its advice on transactions",
      edit: changes("badInfo", (result) => result.filter(({ query }) => !/cf_agents_state|BEGIN/.test(query))),
    },
  ],
  "31-schedule": [
    { why: "the calls show the original's own tables and its one alarm for all", edit: without("alarmAt", "jobs", "keep") },
    { why: "there is no queue", edit: without("q", "qNamed") },
    { why: "its entries are in the log", edit: (rows) => logged(rows, (entry) => !entry.startsWith("queue:")) },
    { why: "in C++ no other type can be given", edit: without("badWhen") },
    { why: "what is due comes between answers by the clock: its states are compared in their own order", byTheClock: true },
    {
      why: "the five minutes may be over while it is played",
      edit: (rows) => JSON.parse(JSON.stringify(rows).replaceAll("*/5 * * * *", "0 0 1 1 *")),
    },
  ],
  "32-sub-agents": [{ why: "agents have no sub-agents yet", whole: true }],
  "34-large": [
    {
      why: "4 MiB are the most by default; the recording has 32",
      serve: ["--message-bytes-max", "32MiB", "--outbox-bytes-max", "64MiB"],
    },
    {
      why: "a message is refused at its first frame, whose length isn't told",
      edit: (rows) => rows.map((row) => (row.kind === "close" && row.code === 1009 ? { ...row, reason: "Message is too large" } : row)),
    },
  ],
  "36-mcp-frames": [{ why: "agents are no MCP clients yet", whole: true }],
  "37-raw-close-errors": [
    { why: codesForClients, edit: ends("close 1016 x", badCode(1016)) },
    { why: codesForClients, edit: ends("close 2999 x", badCode(2999)) },
  ],
  "39-capnweb-upgrade": [
    { why: "there is no Cap'n Web, and who asks for it must not get JSON", edit: isRefused("A", 400, capnweb) },
  ],
};

const close = (code, reason) => ({ received: [{ fin: 1, rsv: 0, op: 8, data: { code, reason } }], tcpEnded: true });

/**
 * Where the answer to raw frames is another, by the name of the exchange: RFC 6455 to the letter, and
 * after a protocol error the server doesn't wait for the client to end TCP.
 */
export const frames = {
  "unmasked text": close(1002, "Unmasked frame from a client"),
  "rsv1 set without extension": close(1002, "Compression bit set, but compression not negotiated"),
  "bad utf8 text": close(1007, "Text is not UTF-8"),
  "ping 126 bytes": close(1002, "Control frame longer than 125 bytes"),
  "close no code": close(null, ""),
  "close 1 byte": close(1002, "Close frame of one byte"),
  "close code 1005": close(1002, "Invalid close code"),
  "close code 999": close(1002, "Invalid close code"),
  "close 4000 bad utf8": close(1007, "Close reason is not UTF-8"),
};

/** Clients whose options the rows don't tell. */
export const clients = {
  "22-upgrade-variants": {
    subprotocols: { protocols: ["a", "b"], path: "/agents/plain-agent/c22-3icufo" },
    deflate: { compressed: true },
  },
};
