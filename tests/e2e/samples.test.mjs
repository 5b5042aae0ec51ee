// The sample agents that every server has: Relay, PrivateRoom, ChatRoom, PresenceAgent, Lab.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { Raw } from "./support/raw.mjs";
import { Server } from "./support/server.mjs";

const around = (timestamp) => Math.abs(timestamp - Date.now()) < 60_000;

describe("Samples", () => {
  let server;
  before(async () => { server = await Server.start(); });
  after(() => server.stop());

  const connect = (path) => Client.connect(server, path);

  describe("PrivateRoom", () => {
    test("lets in who knows the token, and tells the others to give up", async () => {
      const guarded = await Server.start(["--env", "TOKEN=open sesame"]);
      const [from, to] = await Promise.all([0, 1].map(() =>
        Client.connect(guarded, "/agents/private-room/r?token=open%20sesame")));
      from.send("hello");
      assert.equal(await to.next(), "hello");
      for (const query of ["", "?token=", "?token=open", "?token=open%20sesamf", "?token=open%20sesame%20"]) {
        const stranger = await Client.connect(guarded, `/agents/private-room/r${query}`);
        assert.deepEqual(await stranger.ended(), { code: 4401, reason: "token missing or wrong" }, query);
      }
      await Promise.all([from.close(), to.close()]);
      await guarded.stop();
    });

    test("lets nobody in where no token is set", async () => {
      for (const query of ["", "?token="]) {
        const stranger = await connect(`/agents/private-room/r${query}`);
        assert.equal((await stranger.ended()).code, 4401);
      }
    });
  });

  describe("TickRoom", () => {
    const entries = (state) => {
      const found = {};
      for (let at = 0; at < state.length;) {
        const bytes = state.readUInt16LE(at + 4);
        found[state.readUInt32LE(at)] = state.subarray(at + 6, at + 6 + bytes).toString();
        at += 6 + bytes;
      }
      return found;
    };
    const until = async (client, wanted) => {
      for (;;) {
        const state = await client.next();
        assert(Buffer.isBuffer(state), "a state is binary");
        if (JSON.stringify(Object.values(entries(state)).sort()) === JSON.stringify(wanted)) return state;
      }
    };

    test("sends everybody's last message to everybody, tick after tick", async () => {
      const clients = await Promise.all([0, 1, 2].map(() => connect("/agents/tick-room/all")));
      clients[0].send(Buffer.from("old"));
      clients[0].send(Buffer.from("a"));
      clients[1].send(Buffer.from("b".repeat(64)));
      const wanted = ["a", "b".repeat(64)];
      const states = await Promise.all(clients.map((client) => until(client, wanted)));
      assert.deepEqual(states[1], states[0]);
      assert.deepEqual(await clients[2].next(), states[0]);  // the next tick says the same
      await clients[0].close();
      await until(clients[2], ["b".repeat(64)]);
      await Promise.all(clients.slice(1).map((client) => client.close()));
    });

    test("ignores what is text, empty or longer than 64 bytes", async () => {
      const client = await connect("/agents/tick-room/others");
      client.send(Buffer.from("kept"));
      await until(client, ["kept"]);
      for (const message of ["text", Buffer.alloc(0), Buffer.alloc(65)]) client.send(message);
      for (let i = 0; i < 3; i += 1) assert.deepEqual(Object.values(entries(await client.next())), ["kept"]);
      await client.close();
    });
  });

  describe("Relay", () => {
    test("sends to all others, unchanged and in order", async () => {
      const clients = await Promise.all([0, 1, 2, 3].map(() => connect("/agents/relay/order")));
      const [from, ...others] = clients;
      for (let i = 0; i < 500; i += 1) from.send(i % 2 ? `text ${i}` : Buffer.from(`binary ${i}`));
      for (const other of others) {
        for (let i = 0; i < 500; i += 1) {
          assert.deepEqual(await other.next(), i % 2 ? `text ${i}` : Buffer.from(`binary ${i}`));
        }
      }
      others[0].send("back");
      assert.equal(await from.next(), "back");
      assert.equal(from.messages.length, 0, "the sender gets nothing of its own");
      await Promise.all(clients.map((client) => client.close()));
    });

    test("sends a large message on whole", async () => {
      const [from, to] = await Promise.all([0, 1].map(() => connect("/agents/relay/large")));
      const large = Buffer.alloc(4 * 1024 * 1024, "0123456789");
      from.send(large);
      assert(large.equals(await to.next()));
      await Promise.all([from.close(), to.close()]);
    });

    test("keeps rooms apart", async () => {
      const [a, b, c] = await Promise.all(["one", "one", "two"].map((r) => connect(`/agents/relay/${r}`)));
      a.send("for one");
      c.send("for nobody");
      assert.equal(await b.next(), "for one");
      b.send("answer");
      assert.equal(await a.next(), "answer");
      assert.deepEqual([a, b, c].map((client) => client.messages.length), [0, 0, 0]);
      await Promise.all([a, b, c].map((client) => client.close()));
    });
  });

  describe("ChatRoom", () => {
    test("tells of joining, messages and leaving as its documentation says", async () => {
      const alice = await connect("/agents/chat-room/talk?username=alice&_pk=al");
      const bob = await connect("/agents/chat-room/talk?username=bob&_pk=bo");
      const join = await alice.nextJson();
      assert(around(join.timestamp));
      assert.deepEqual({ ...join, timestamp: 0 }, { type: "join", user: "bob", timestamp: 0 });
      alice.send("hi all");
      for (const client of [alice, bob]) {
        const said = await client.nextJson();
        assert(around(said.timestamp));
        assert.deepEqual({ ...said, timestamp: 0 },
          { type: "message", user: "alice", text: "hi all", timestamp: 0 });
      }
      bob.send(Buffer.from([1, 2, 3]));
      assert.deepEqual(await bob.close(1000, "leaving"), { code: 1000, reason: "leaving" });
      const leave = await alice.nextJson();
      assert.deepEqual({ ...leave, timestamp: 0 }, { type: "leave", user: "bob", timestamp: 0 });
      assert.equal(alice.messages.length, 0, "binary messages say nothing");
      await alice.close();
    });

    test("calls who gives no name Anonymous, and takes names of any language", async () => {
      const watcher = await connect("/agents/chat-room/names");
      for (const [query, user] of [["", "Anonymous"], ["?username=", "Anonymous"],
        ["?username=J%C3%BCrgen+%26%20co", "Jürgen & co"], ["?username=%F0%9F%A6%91", "🦑"]]) {
        const guest = await connect(`/agents/chat-room/names${query}`);
        assert.equal((await watcher.nextJson()).user, user);
        await guest.close();
        assert.equal((await watcher.nextJson()).type, "leave");
      }
      const vanished = await Raw.open(server, "/agents/chat-room/names?username=ghost");
      assert.equal((await watcher.nextJson()).user, "ghost");
      vanished.reset();
      const left = await watcher.nextJson();
      assert.deepEqual([left.type, left.user], ["leave", "ghost"]);
      await watcher.close();
    });

    test("answers plain requests with 404", async () => {
      const answer = await fetch(server.url("/agents/chat-room/plain"));
      assert.equal(answer.status, 404);
      assert.equal(await answer.text(), "Not implemented");
    });
  });

  describe("PresenceAgent", () => {
    test("tells everybody who is there, the newcomer twice", async () => {
      const ann = await connect("/agents/presence-agent/office?name=Ann&_pk=a");
      for (const _ of [1, 2]) {
        const { type, users } = await ann.nextJson();
        assert.equal(type, "presence");
        assert.deepEqual(Object.keys(users), ["a"]);
        assert.equal(users.a.name, "Ann");
        assert(around(users.a.lastSeen));
      }
      const ben = await connect("/agents/presence-agent/office?name=Ben&_pk=b");
      for (const client of [ben, ben, ann]) {
        const { users } = await client.nextJson();
        assert.deepEqual(Object.entries(users).map(([id, user]) => [id, user.name]).sort(),
          [["a", "Ann"], ["b", "Ben"]]);
      }
      await ben.close();
      const { users } = await ann.nextJson();
      assert.deepEqual(Object.keys(users), ["a"]);
      assert.equal(ann.messages.length, 0);
      await ann.close();
    });

    test("answers ping with pong and a new lastSeen", async () => {
      const ann = await connect("/agents/presence-agent/alive?_pk=a");
      const first = (await ann.nextJson()).users.a.lastSeen;
      await ann.next();
      await eventually(() => Date.now() > first + 5, "a later millisecond");
      ann.send("pang");
      ann.send("ping");
      assert.equal(await ann.next(), "pong");
      const ben = await connect("/agents/presence-agent/alive?_pk=b");
      const { users } = await ann.nextJson();
      assert(users.a.lastSeen > first);
      assert.equal(users.b.name, "Anonymous");
      await Promise.all([ann.close(), ben.close()]);
    });
  });

  describe("Lab", () => {
    test("says what there is of the room", async () => {
      const one = await connect("/agents/lab/info");
      assert.deepEqual(await one.ask({ op: "info" }),
        { instance: 1, starts: 1, connects: 1, connections: 1, hibernated_before: false });
      const two = await connect("/agents/lab/info");
      assert.deepEqual(await two.ask({ op: "info" }),
        { instance: 1, starts: 1, connects: 2, connections: 2, hibernated_before: false });
      await two.close();
      assert.equal((await one.ask({ op: "info" })).connections, 1);
      await one.close();
    });

    test("keeps attachments", async () => {
      const lab = await connect("/agents/lab/attachments");
      assert.deepEqual(await lab.ask({ op: "attachment" }), { hex: null });
      assert.deepEqual(await lab.ask({ op: "attach", hex: "00ffCAFE" }), { ok: true });
      assert.deepEqual(await lab.ask({ op: "attachment" }), { hex: "00ffcafe" });
      assert.deepEqual(await lab.ask({ op: "attach", hex: "ab".repeat(2048) }), { ok: true });
      assert.match((await lab.ask({ op: "attach", hex: "ab".repeat(2049) })).error, /2048 bytes/);
      assert.deepEqual(await lab.ask({ op: "attachment" }), { hex: "ab".repeat(2048) });
      assert.match((await lab.ask({ op: "attach", hex: "abc" })).error, /hex/);
      assert.match((await lab.ask({ op: "attach", hex: "zz" })).error, /hex/);
      const other = await connect("/agents/lab/attachments");
      assert.deepEqual(await other.ask({ op: "attachment" }), { hex: null });
      await Promise.all([lab.close(), other.close()]);
    });

    test("knows tags and URI of a connection", async () => {
      const lab = await connect("/agents/lab/tags?tags=red,blue,red&_pk=me");
      assert.deepEqual(await lab.ask({ op: "tags" }), { tags: ["me", "red", "blue", "red"] });
      assert.deepEqual(await lab.ask({ op: "uri" }),
        { uri: `http://${server.host}:${server.port}/agents/lab/tags?tags=red,blue,red&_pk=me` });
      await lab.close();
    });

    test("lists connections, all or by tag", async () => {
      const [a, b, c] = await Promise.all([["a", "x"], ["b", "x,y"], ["c", ""]].map(([id, tags]) =>
        connect(`/agents/lab/list?_pk=${id}&tags=${tags}`)));
      const list = async (command) => (await a.ask({ op: "list", ...command })).ids.sort();
      assert.deepEqual(await list({}), ["a", "b", "c"]);
      assert.deepEqual(await list({ tag: "x" }), ["a", "b"]);
      assert.deepEqual(await list({ tag: "y" }), ["b"]);
      assert.deepEqual(await list({ tag: "c" }), ["c"], "the id is a tag");
      assert.deepEqual(await list({ tag: "nobody" }), []);
      await b.close();
      assert.deepEqual(await list({ tag: "x" }), ["a"]);
      await Promise.all([a.close(), c.close()]);
    });

    test("broadcasts with exceptions and by tag", async () => {
      const [a, b, c] = await Promise.all(["a", "b", "c"].map((id) =>
        connect(`/agents/lab/broadcast?_pk=${id}&tags=${id === "a" ? "" : "team"}`)));
      const b2 = await connect("/agents/lab/broadcast?_pk=b");
      const say = (command) => a.send(JSON.stringify({ op: "broadcast", ...command }));
      say({ text: "to all" });
      say({ text: "not to b", without: ["b"] });
      say({ text: "to the team", tag: "team" });
      say({ text: "to the team but c", tag: "team", without: ["c"] });
      say({ text: "the end" });
      const heard = async (client) => {
        const all = [];
        while (all.at(-1) !== "the end") all.push(await client.next());
        return all;
      };
      assert.deepEqual(await heard(a), ["to all", "not to b", "the end"]);
      assert.deepEqual(await heard(b), ["to all", "to the team", "to the team but c", "the end"]);
      assert.deepEqual(await heard(c), ["to all", "not to b", "to the team", "the end"]);
      assert.deepEqual(await heard(b2), ["to all", "the end"], "an id names all its connections");
      await Promise.all([a, b, c, b2].map((client) => client.close()));
    });

    test("closes with what it is told, and says why it can't", async () => {
      for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
        const lab = await connect("/agents/lab/close");
        assert.deepEqual(await lab.ask({ op: "close", code, reason: "as asked" }), { ok: true });
        assert.deepEqual(await lab.ended(), { code, reason: "as asked" });
      }
      const empty = await connect("/agents/lab/close");
      assert.deepEqual(await empty.ask({ op: "close" }), { ok: true });
      assert.equal((await empty.ended()).code, 1005);
      const lab = await connect("/agents/lab/close");
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 70000, -1]) {
        assert.deepEqual(await lab.ask({ op: "close", code }),
          { error: `Invalid WebSocket close code: ${code}.` });
      }
      assert.match((await lab.ask({ op: "close", code: 1000, reason: "é".repeat(62) })).error, /123 bytes/);
      assert.deepEqual(await lab.ask({ op: "close", code: 1000, reason: "é".repeat(61) }), { ok: true });
      assert.equal((await lab.ended()).reason, "é".repeat(61));
    });

    test("throws out of on_message, and the connection stays open", async () => {
      const lab = await connect("/agents/lab/throw");
      const from = server.stderr.length;
      lab.send(JSON.stringify({ op: "throw", text: "a fine mess" }));
      assert.equal((await lab.ask({ op: "info" })).instance, 1);
      await server.logged(/lab.*on_message.*a fine mess/is, from);
      await lab.close();
    });

    test("says what keeps the room awake", async () => {
      const lab = await connect("/agents/lab/why");
      assert.deepEqual(await lab.ask({ op: "why" }), { awake: ["message"] });
      assert.deepEqual(await lab.ask({ op: "tick", hz: 20 }), { ok: true });
      assert.deepEqual((await lab.ask({ op: "why" })).awake.sort(), ["message", "tick"]);
      assert.deepEqual(await lab.ask({ op: "tick", hz: 0 }), { ok: true });
      assert.deepEqual(await lab.ask({ op: "why" }), { awake: ["message"] });
      for (const hz of [-1, 1001]) assert.match((await lab.ask({ op: "tick", hz })).error, /rate/);
      await lab.close();
    });

    test("answers what it doesn't understand by an error", async () => {
      const lab = await connect("/agents/lab/errors");
      for (const text of ["", "{", "[]", "7", "{}", '{"op":7}', '{"op":"dance"}', '{"op":"attach"}',
        '{"op":"list","tag":5}', '{"op":"broadcast"}', '{"op":"tick","hz":"fast"}', `"${"é".repeat(500)}`,
        "[".repeat(100_000)]) {
        lab.send(text);
        const { error } = await lab.nextJson();
        assert.equal(typeof error, "string", text.slice(0, 40));
      }
      lab.send(Buffer.from([1, 2]));
      assert.equal(typeof (await lab.nextJson()).error, "string");
      await lab.close();
    });

    test("counts constructions over hibernation", async () => {
      const sleepy = await Server.start(["--hibernate-after", "100ms"]);
      const lab = await Client.connect(sleepy, "/agents/lab/sleepy?_pk=me&tags=a,b");
      await lab.ask({ op: "attach", hex: "0102" });
      await eventually(async () => (await sleepy.metric("ringroom_agents_awake")) === 0, "sleep");
      assert.deepEqual(await lab.ask({ op: "info" }),
        { instance: 2, starts: 1, connects: 0, connections: 1, hibernated_before: true });
      assert.deepEqual(await lab.ask({ op: "tags" }), { tags: ["me", "a", "b"] });
      assert.deepEqual(await lab.ask({ op: "attachment" }), { hex: "0102" });
      await lab.close();
      await sleepy.stop();
    });
  });
});
