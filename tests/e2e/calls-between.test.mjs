// Agents that ask agents: any class, any shard, asleep or awake.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { fixture, Server } from "./support/server.mjs";

for (const shards of ["1", "2"]) {
  describe(`agents ask agents, on ${shards} shards`, () => {
    let server;
    let serial = 0;
    before(async () => {
      server = await Server.start(["--agents", fixture, "--shards", shards, "--hibernate-after", "100ms"]);
    });
    after(() => server.stop());

    /** A client of a room that no other test knows. */
    const connect = (room = `asker-${serial += 1}`) => Client.connect(server, `/agents/switchboard/${room}`);
    const fetchFrom = (client, room, query = "", more = {}) =>
      client.ask({ op: "fetch", agent: "Switchboard", room, url: `/?${query}`, ...more });

    test("any room, by the name of its class or its segment", async () => {
      const client = await connect();
      for (let i = 0; i < 20; i += 1) {
        const { status, body } = await fetchFrom(client, `room-${i}`, "x=1",
          { agent: i % 2 ? "switchboard" : "Switchboard", method: "PUT", body: `body ${i}` });
        assert.equal(status, 200);
        assert.deepEqual(JSON.parse(body), { room: `room-${i}`, method: "PUT", url: "http://localhost/?x=1",
          header: "1", body: `body ${i}` });
      }
      await client.close();
    });

    test("a room whose clients are refused is open to agents, and names may be any text", async () => {
      assert.equal((await fetch(server.url("/agents/switchboard/x"))).status, 403);
      const client = await connect();
      for (const room of ["a b/c?d", "café", "n".repeat(1024)]) {
        assert.equal(JSON.parse((await fetchFrom(client, room)).body).room, room);
      }
      await client.close();
    });

    test("an answer may come later, and have any status", async () => {
      const client = await connect();
      assert.deepEqual(await fetchFrom(client, "later", "do=later"), { status: 200, body: "later" });
      assert.deepEqual(await fetchFrom(client, "x", "", { agent: "Echo" }),
        { status: 426, body: "This room speaks WebSocket." });
      assert.deepEqual(await fetchFrom(client, "x", "", { agent: "chat-room" }),
        { status: 404, body: "Not implemented" });
      await client.close();
    });

    test("what the target throws arrives as its text, and an answer that never can is an error", async () => {
      const client = await connect();
      assert.deepEqual(await fetchFrom(client, "b", "do=throw"), { error: "b is upset" });
      assert.deepEqual(await fetchFrom(client, "b", "do=drop"),
        { error: "the request was dropped without an answer" });
      assert.deepEqual(await fetchFrom(client, "x", "", { agent: "Fumbler" }), { error: "not today" });
      await client.close();
    });

    test("what cannot be asked is an error at once", async () => {
      const client = await connect();
      assert.deepEqual(await fetchFrom(client, "x", "", { agent: "Nobody" }),
        { error: "no class of agents is called 'Nobody'" });
      for (const room of ["", "n".repeat(1025)]) {
        assert.deepEqual(await fetchFrom(client, room), { error: "a room's name must be 1 to 1024 bytes of UTF-8" });
      }
      await client.close();
    });

    test("a circle is an error, not a deadlock", async () => {
      const client = await connect("a");
      assert.deepEqual(await fetchFrom(client, "a"),
        { error: "agents ask each other in a circle: Switchboard/a -> Switchboard/a" });
      assert.deepEqual(await fetchFrom(client, "b", "do=ask&room=a"),
        { error: "agents ask each other in a circle: Switchboard/a -> Switchboard/b -> Switchboard/a" });
      assert.deepEqual(await fetchFrom(client, "b", "do=tell+and+ask&room=a"),
        { error: "agents ask each other in a circle: Switchboard/a -> Switchboard/b -> Switchboard/a" },
        "also when the room asks on after another answer");
      assert.equal((await fetchFrom(client, "b", "do=ask&room=c")).status, 200);
      assert.equal((await fetchFrom(client, "b", "do=tell+and+ask&room=c")).status, 200);
      assert.equal((await fetchFrom(client, "c")).status, 200);
      await client.close();
    });

    test("16 deep, and no deeper", async () => {
      const client = await connect();
      assert.deepEqual(await fetchFrom(client, "top", "do=deeper&level=15"), { status: 200, body: "the bottom" });
      assert.match((await fetchFrom(client, "top", "do=deeper&level=16")).error, /more than 16 deep: .* -> Switchboard/);
      await client.close();
    });

    test("callables, with arguments and results of any kind", async () => {
      const client = await connect();
      const call = (room, method, args = [], more = {}) => client.ask({ op: "call", room, method, args, ...more });
      assert.deepEqual(await call("b", "sum", [2, 40]), { result: 42 });
      assert.deepEqual(await call("b", "room"), { result: "b" });
      assert.deepEqual(await call("b", "nothing"), { void: true });
      assert.deepEqual(await call("b", "slowly", [{ deep: [1, null, "x"] }]), { result: { deep: [1, null, "x"] } });
      assert.deepEqual(await call("b", "slowly", [null]), { result: null });
      assert.deepEqual(await call("b", "fail", ["b is upset"]), { error: "b is upset" });
      assert.deepEqual(await call("b", "nope"), { error: "Method nope does not exist" });
      assert.match((await call("b", "sum", ["two", 40])).error, /argument 1 must be a number/);
      assert.deepEqual(await call("b", "add", [1, 2], { agent: "lab" }), { error: "Method add does not exist" });
      assert.deepEqual(await call("b", "sum", [1, 2], { agent: "Nobody" }),
        { error: "no class of agents is called 'Nobody'" });
      assert.deepEqual(await call("b", "sum", [1, 2], { agent: "Fumbler" }), { error: "not today" });
      await client.close();
    });

    test("a call goes through many rooms and back, and not in a circle", async () => {
      const client = await connect("first");
      const pass = (...rooms) => client.ask({ op: "call", room: "second", method: "pass_on", args: ["room", rooms] });
      assert.deepEqual(await pass("end", "fourth", "third"), { result: "end" });
      assert.match((await pass("first", "third")).error,
        /in a circle: Switchboard\/first -> Switchboard\/second -> Switchboard\/third -> Switchboard\/first$/);
      assert.match((await pass("second")).error, /Switchboard\/second -> Switchboard\/second$/);
      await client.close();
    });

    test("a client's call that another agent answers", async () => {
      const client = await connect();
      client.send(JSON.stringify({ type: "rpc", id: "1", method: "pass_on", args: ["room", ["far"]] }));
      assert.deepEqual(await client.nextJson(), { type: "rpc", id: "1", success: true, done: true, result: "far" });
      client.send(JSON.stringify({ type: "rpc", id: "2", method: "pass_on", args: ["nope", ["far"]] }));
      assert.deepEqual(await client.nextJson(),
        { type: "rpc", id: "2", success: false, error: "Method nope does not exist" });
      await client.close();
    });

    test("thousands at once are all answered", async () => {
      const clients = await Promise.all([1, 2, 3, 4].map(() => connect()));
      for (let round = 0; round < 3; round += 1) {
        const answers = await Promise.all(clients.map((client) => client.ask({ op: "many", rooms: 40, times: 1000 })));
        assert.deepEqual(answers, clients.map(() => ({ failed: 0 })));
      }
      await Promise.all(clients.map((client) => client.close()));
    });

    test("who waits stays awake, and says why; then all sleep", async () => {
      await eventually(async () => (await server.metric("ringroom_agents_awake")) === 0, "sleep");
      const client = await connect();
      client.send(JSON.stringify({ op: "fetch", agent: "Switchboard", room: "mute", url: "/?do=never" }));
      await eventually(async () => {
        const { rooms } = await (await fetch(`${server.adminOrigin}/rooms`)).json();
        return rooms.filter(({ awake }) => awake.length === 1 && awake[0] === "request").length === 2;
      }, "asker and asked awake for the request only");
      await client.close();
      const other = await connect();
      assert.equal((await fetchFrom(other, "later", "do=later")).status, 200);
      await other.close();
      await eventually(async () => (await server.metric("ringroom_agents_awake")) === 2, "the others' sleep");
    });

    test("an agent waits for 1,024 answers at the most", async () => {
      const client = await connect();
      assert.deepEqual(await client.ask({ op: "flood", times: 1025 }),
        { number: 1024, error: "this agent waits for 1024 answers of other agents already" });
      await client.close();
    });

    test("an agent that is gone before its answer is never called", async () => {
      for (let i = 0; i < 20; i += 1) {
        const client = await Client.connect(server, `/agents/fumbler/f${i}`);
        assert.equal((await client.ended()).code, 1011);
      }
      const client = await connect();
      assert.equal((await fetchFrom(client, "slow", "do=later")).status, 200);
      await client.close();
    });
  });
}

test("the server stops while answers are awaited", async () => {
  const server = await Server.start(["--agents", fixture, "--shards", "2"]);
  const clients = await Promise.all([0, 1, 2, 3].map((i) => Client.connect(server, `/agents/switchboard/s${i}`)));
  for (const client of clients) {
    client.send(JSON.stringify({ op: "flood", times: 100 }));
    client.send(JSON.stringify({ op: "why" }));
    assert((await client.nextJson()).includes("request"));
  }
  await server.stop();
});
