// The clients of the Agents SDK as npm installs them, of two generations, and partysocket beneath:
// they work against Ringroom as they do against the original.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { after, before, describe, test } from "node:test";
import * as current from "agents/client";
import * as older from "agents-0-11/client";
import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import { Calls } from "./support/calls.mjs";
import { Client } from "./support/client.mjs";
import { within } from "./support/deadline.mjs";
import { Opcode, Raw } from "./support/raw.mjs";
import { recordedAgents, Server } from "./support/server.mjs";

// Browsers and later Nodes have it; the SDK makes ids with it.
globalThis.crypto ??= webcrypto;

const patience = 10_000;
const impatient = { minReconnectionDelay: 20, maxReconnectionDelay: 100, connectionTimeout: 4_000 };

for (const [version, { AgentClient, agentFetch }] of Object.entries({ "0.32": current, "0.11": older })) {
  const isCurrent = version === "0.32";

  describe(`AgentClient ${version}`, () => {
    let server;
    const open = new Set();
    before(async () => {
      server = await Server.start(["--agents", recordedAgents, "--env", "TOKEN=open sesame"]);
    });
    after(async () => {
      for (const client of open) client.close();
      await server.stop();
    });

    /** A client whose callbacks are calls that a test can wait for. */
    function make(agent, name, options = {}) {
      const heard = new Calls("onStateUpdate", "onStateUpdateError", "onIdentity", "onConnectionError");
      const client = new AgentClient({
        agent, name, host: `${server.host}:${server.port}`, WebSocket, ...impatient, ...heard.functions, ...options,
      });
      open.add(client);
      return Object.assign(client, { heard });
    }
    async function connect(agent, name, options) {
      const client = make(agent, name, options);
      await within(client.ready, patience, "ready");
      // In the older generation identity alone makes it ready.
      if (client.state === undefined && !isCurrent) await client.heard.next("onStateUpdate");
      else client.heard.forget("onStateUpdate");
      return client;
    }
    const closed = (client) => within(new Promise((resolve) =>
      client.addEventListener("close", resolve, { once: true })), patience, "close");

    test("learns who it talks to, and the state", async () => {
      const client = make("CounterAgent", "hello");
      await within(client.ready, patience, "ready");
      assert.deepEqual(await client.heard.next("onIdentity"), ["hello", "counter-agent"]);
      assert.deepEqual([client.identified, client.name, client.agent], [true, "hello", "counter-agent"]);
      assert.deepEqual(await client.heard.next("onStateUpdate"), [{ counter: 0 }, "server"]);
      assert.deepEqual(client.state, { counter: 0 });
      const iot = await connect("IoTAgent", "hello");
      assert.deepEqual([iot.agent, iot.state], ["io-t-agent", { temp: 20 }]);
      const chat = make("ChatRoom", "hello", { query: { username: "ann" } });
      await within(chat.ready, patience, "ready of an agent without a state");
      assert.deepEqual([chat.agent, chat.state], ["chat-room", undefined]);
    });

    test("state goes both ways, and its sender gets no echo", async () => {
      const [ann, ben] = [await connect("CounterAgent", "state"), await connect("CounterAgent", "state")];
      ann.setState({ counter: 41, extra: ["kept", null] });
      assert.deepEqual(await ann.heard.next("onStateUpdate"), [{ counter: 41, extra: ["kept", null] }, "client"]);
      assert.deepEqual(await ben.heard.next("onStateUpdate"), [{ counter: 41, extra: ["kept", null] }, "server"]);
      assert.equal(await ben.call("increment"), 42);
      for (const client of [ann, ben]) {
        assert.deepEqual(await client.heard.next("onStateUpdate"), [{ counter: 42 }, "server"], "before the reply");
        assert.deepEqual(client.state, { counter: 42 });
      }
      const late = await connect("CounterAgent", "state");
      assert.deepEqual(late.state, { counter: 42 });
    });

    test("refusals reach who asked, and nobody else", async () => {
      const [ann, ben] = [await connect("CounterAgent", "refused"), await connect("CounterAgent", "refused")];
      ann.setState({ counter: -1 });
      assert.deepEqual(await ann.heard.next("onStateUpdateError"), ["State update rejected"]);
      await assert.rejects(ann.call("setBadState"), { message: "counter must not be negative" });
      assert.equal(await ben.call("increment", [2]), 2, "the state was left alone");
      assert.equal(ben.heard.count("onStateUpdateError"), 0);

      const viewer = await connect("DocAgent", "paper", { query: { mode: "view" } });
      const editor = await connect("DocAgent", "paper");
      viewer.setState({ text: "mine" });
      assert.deepEqual(await viewer.heard.next("onStateUpdateError"), ["Connection is readonly"]);
      await assert.rejects(viewer.call("setText", ["mine"]), { message: "Connection is readonly" });
      assert.deepEqual(await viewer.call("perms"), { canEdit: false });
      assert.equal(await editor.call("setText", ["ours"]), "ours");
      viewer.heard.forget("onStateUpdate");
      assert.equal(await viewer.call("setMyReadonly", [false]), false);
      assert.equal(await viewer.call("setText", ["mine now"]), "mine now");
      assert.deepEqual(await editor.heard.next("onStateUpdate"), [{ text: "ours" }, "server"]);
      assert.deepEqual(await editor.heard.next("onStateUpdate"), [{ text: "mine now" }, "server"]);
    });

    test("calls of every kind", async () => {
      const client = await connect("CounterAgent", "calls");
      assert.equal(await client.call("add", [2, 3]), 5);
      assert.equal(await client.stub.add(20, 22), 42);
      assert.equal(await client.call("increment"), 1, "a default");
      assert.equal(await client.call("increment", [5]), 6);
      const args = [1.5, "x\u2028\"é😀", null, true, { a: [{}] }, [], -0.001, 9007199254740991];
      assert.deepEqual(await client.call("echo", args), args);
      assert.deepEqual(await client.call("echo"), []);
      assert.equal(await client.call("nothing"), undefined);
      assert.equal(await client.call("returnsNull"), null);
      await assert.rejects(client.call("boom"), { message: "kaboom" });
      await assert.rejects(client.call("boom", ["own words"]), { message: "own words" });
      await assert.rejects(client.call("nope"), { message: "Method nope does not exist" });
      await assert.rejects(client.call("notCallable"), { message: "Method notCallable is not callable" });
      const order = [];
      await Promise.all([80, 5].map(async (ms) => order.push(await client.call("slow", [ms]))));
      assert.deepEqual(order, ["slept 5", "slept 80"], "in the order in which they end");
      const many = await Promise.all(Array.from({ length: 200 }, (_, i) => client.call("add", [i, i])));
      assert.deepEqual(many, many.map((_, i) => 2 * i));
      const { id, uri } = await client.call("whoAmI");
      assert.equal(id, client.id);
      assert.equal(uri, `${server.url("/agents/counter-agent/calls")}?_pk=${client.id}`);
    });

    test("streaming calls", async () => {
      const client = await connect("CounterAgent", "streams");
      const stream = () => new Calls("onChunk", "onDone", "onError");
      const count = stream();
      assert.deepEqual(await client.call("streamCount", [3], count.functions), { total: 3 });
      assert.deepEqual(count.all("onChunk"), [[{ i: 0 }], [{ i: 1 }], [{ i: 2 }]]);
      assert.deepEqual(count.all("onDone"), [[{ total: 3 }]]);
      const bare = stream();
      assert.equal(await client.call("streamNoFinal", [], { stream: bare.functions }), undefined);
      assert.deepEqual(bare.all("onChunk"), [["only"]]);
      for (const [method, message] of [["streamBoom", "stream broke"], ["streamError", "soft error"]]) {
        const broken = stream();
        await assert.rejects(client.call(method, [], broken.functions), { message });
        assert.deepEqual([broken.all("onChunk"), broken.all("onError")], [[["one"]], [[message]]]);
      }
      const together = await Promise.all([5, 2, 0].map((n) => client.call("streamCount", [n], stream().functions)));
      assert.deepEqual(together, [{ total: 5 }, { total: 2 }, { total: 0 }]);
    });

    test("a call may take longer than its caller waits", async () => {
      const client = await connect("CounterAgent", "timeouts", isCurrent ? { defaultCallTimeout: 60 } : {});
      await assert.rejects(client.call("slow", [150], { timeout: 20 }), { message: "RPC call to slow timed out after 20ms" });
      if (isCurrent) await assert.rejects(client.call("slow", [150]), { message: "RPC call to slow timed out after 60ms" });
      const forgotten = new Calls("onChunk");
      await assert.rejects(
        client.call("streamForget", [], { stream: forgotten.functions, timeout: 50 }),
        { message: "RPC call to streamForget timed out after 50ms" });
      assert.deepEqual(forgotten.all("onChunk"), [["one"]]);
      // The late answers come before this one's.
      assert.equal(await client.call("slow", [160], { timeout: 5_000 }), "slept 160");
    });

    test("comes back with its id, while its old socket still hangs", async () => {
      // A TCP connection that nobody reads from any more, as a lost network leaves it behind.
      const hung = await Raw.open(server, "/agents/counter-agent/hung?_pk=phone-7");
      hung.socket.pause();
      const client = await connect("CounterAgent", "hung", { id: "phone-7" });
      const other = await connect("CounterAgent", "hung");
      assert.equal((await client.call("whoAmI")).id, "phone-7");
      other.setState({ counter: 7 });
      assert.deepEqual(await client.heard.next("onStateUpdate"), [{ counter: 7 }, "server"]);
      assert.equal(await client.call("increment"), 8);
      client.setState({ counter: 20 });
      assert.equal(await client.call("increment"), 21);

      const again = closed(client).then(() => within(client.ready, patience, "ready again"));
      client.reconnect();
      await again;
      assert.equal((await client.call("whoAmI")).id, "phone-7");
      hung.reset();
      other.heard.forget("onStateUpdate");
      assert.equal(await client.call("increment"), 22);
      assert.deepEqual((await other.heard.next("onStateUpdate"))[0], { counter: 22 });
    });

    test("gets through what was said while it was away", async () => {
      const client = await connect("CounterAgent", "away");
      const gone = closed(client);
      const back = gone.then(() => within(client.ready, patience, "ready again"));
      await client.call("closeMe", [1012, "back soon"]).catch(() => {});
      assert.equal((await gone).code, 1012);
      if (isCurrent) assert.equal(await client.call("increment", [3]), 3, "from the send buffer");
      await back;
      assert.deepEqual(await client.call("add", [1, 1]), 2);
    });

    for (const [code, reason] of [[4401, "who are you"], [1008, "policy"], [4999, ""]]) {
      test(`a close with ${code} ends it${isCurrent ? "" : " not, in this generation"}`, async () => {
        const client = await connect("CounterAgent", `terminal-${code}`);
        const gone = closed(client);
        client.call("closeMe", [code, reason]).catch(() => {});
        assert.equal((await gone).code, code);
        if (isCurrent) {
          const [error] = await client.heard.next("onConnectionError");
          assert.deepEqual([error.name, error.code], ["AgentConnectionError", code]);
          assert.equal(client.connectionError, error);
          await assert.rejects(client.call("add", [1, 1]), { message: "Connection closed" });
          assert.equal(client.shouldReconnect && client.readyState !== client.CLOSED, false);
        } else {
          await within(client.ready, patience, "ready again");
          assert.equal(await client.call("add", [1, 1]), 2);
        }
      });
    }

    test("pending calls fail when the connection does", async () => {
      const client = await connect("CounterAgent", "pending");
      const slow = assert.rejects(client.call("slow", [5_000]), { message: "Connection closed" });
      client.call("closeMe", [4000, ""]).catch(() => {});
      await slow;
    });

    test("a refused handshake is no connection", async () => {
      const client = make("NoSuchAgent", "x", { maxRetries: 1 });
      await closed(client);
      assert.equal(client.identified, false);
      client.close();
    });

    test("who isn't let in is told for good", async () => {
      const stranger = make("PrivateRoom", "x", { query: { token: "guess" } });
      const { code, reason } = await closed(stranger);
      assert.deepEqual([code, reason], [4401, "token missing or wrong"]);
      if (isCurrent) assert.equal((await stranger.heard.next("onConnectionError"))[0].code, 4401);
      stranger.close();
      const heard = new Calls("message");
      const friends = [0, 1].map(() => make("PrivateRoom", "x", { query: { token: "open sesame" } }));
      await Promise.all(friends.map((friend) => within(
        new Promise((resolve) => friend.addEventListener("open", resolve, { once: true })), patience, "open")));
      friends[1].addEventListener("message", ({ data }) => heard.functions.message(data));
      friends[0].send("psst");
      assert.deepEqual(await heard.next("message"), ["psst"]);
    });

    test("a server that picks the room says which", async () => {
      const client = make("CounterAgent", undefined, { basePath: "user" });
      await within(client.ready, patience, "ready");
      assert.deepEqual([client.agent, client.name], ["counter-agent", "from-session"]);
      assert.equal((await client.call("whoAmI")).uri, `${server.url("/user")}?_pk=${client.id}`);
    });

    test("a device that wants no protocol frames gets none, and may call", async () => {
      const normal = await connect("IoTAgent", "devices");
      const device = make("IoTAgent", "devices", { query: { protocol: "binary" } });
      device.binaryType = "arraybuffer";
      const texts = [];
      device.addEventListener("message", ({ data }) => { if (typeof data === "string") texts.push(data); });
      assert.equal(await device.call("temp"), 20);
      normal.setState({ temp: 33 });
      assert.equal(await normal.call("temp"), 33);
      assert.equal(await device.call("temp"), 33);
      device.setState({ temp: 44 });
      assert.equal(await device.call("temp"), 44);
      assert.deepEqual(await normal.heard.next("onStateUpdate"), [{ temp: 33 }, "client"]);
      assert.deepEqual(await normal.heard.next("onStateUpdate"), [{ temp: 44 }, "server"]);
      assert.equal(await normal.call("shout", ["all of you"]), "ok");
      assert.equal(await device.call("temp"), 44);
      const own = texts.filter((text) => !text.includes('"rpc"'));
      assert.deepEqual([own, device.identified], [["all of you"], false]);
    });

    test("agentFetch reaches the same agents", async () => {
      const client = await connect("CounterAgent", "fetched");
      await client.call("increment", [4]);
      const host = `${server.host}:${server.port}`;
      const answer = await agentFetch({ agent: "CounterAgent", name: "fetched", host, path: "more", query: { a: "1" } });
      assert.equal(answer.status, 200);
      const { ps, ...body } = await answer.json();
      assert.deepEqual(body, {
        method: "GET", pathname: "/agents/counter-agent/fetched/more", search: "?a=1", name: "fetched", state: { counter: 4 },
      });
    });
  });
}

describe("Other clients", () => {
  let server;
  before(async () => { server = await Server.start(); });
  after(() => server.stop());

  test("partysocket gets the frames of the protocol as any other message", async () => {
    const heard = new Calls("message");
    const socket = new PartySocket({
      host: `${server.host}:${server.port}`, party: "counter-agent", prefix: "agents", room: "party", WebSocket, ...impatient,
    });
    socket.addEventListener("message", ({ data }) => heard.functions.message(JSON.parse(data)));
    assert.deepEqual(await heard.next("message"),
      [{ type: "cf_agent_identity", name: "party", agent: "counter-agent", stateFollows: true }]);
    assert.deepEqual(await heard.next("message"), [{ type: "cf_agent_state", state: { counter: 0 } }]);
    assert.deepEqual(await heard.next("message"),
      [{ type: "cf_agent_mcp_servers", mcp: { prompts: [], resources: [], servers: {}, tools: [] } }]);
    socket.send("hello");
    assert.deepEqual(await heard.next("message"), [{ type: "custom-echo", got: "text:hello" }]);
    socket.close();
  });

  test("a device that speaks binary only sees bytes only", async () => {
    const phone = await Client.connect(server, "/agents/io-t-agent/lamp", { frames: true });
    for (let i = 0; i < 3; i += 1) await phone.next();
    const lamp = await Raw.open(server, "/agents/io-t-agent/lamp?protocol=binary");
    const bytes = async () => {
      const { opcode, payload } = await lamp.nextFrame();
      assert.equal(opcode, Opcode.binary);
      return payload.toString("hex");
    };
    assert.equal(await bytes(), "cafe");
    lamp.sendFrame(Opcode.binary, Buffer.from([0x2a]));
    assert.equal(await bytes(), "2a");
    assert.deepEqual(await phone.nextJson(), { state: { temp: 42 }, type: "cf_agent_state" });
    phone.send('{"type":"cf_agent_state","state":{"temp":5}}');
    lamp.sendFrame(Opcode.binary, Buffer.from([0x2b]));
    assert.equal(await bytes(), "2b", "and no frame of the state in between");
    lamp.destroy();
    await phone.close();
  });

  test("a wish for Cap'n Web is refused", async () => {
    const answer = await Raw.connect(server);
    answer.send("GET /agents/counter-agent/x?_pk=a&__agents_transport=capnweb HTTP/1.1\r\nHost: x\r\n"
      + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      + "Sec-WebSocket-Key: AOf3WCmVs8FRfKEyd5TiJw==\r\n\r\n");
    const { status, body } = await answer.answer();
    assert.equal(status, 400);
    assert.match(body, /capnweb/);
    answer.destroy();
  });
});
