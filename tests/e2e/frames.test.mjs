// Every frame that a client can send (agents-wire §5): what is a frame of the protocol, what is a
// message of the application's, and what is refused. CounterAgent echoes what reaches on_message.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { recordedAgents, Server } from "./support/server.mjs";

const add = (more = {}) => JSON.stringify({ args: [1, 2], id: "1", method: "add", type: "rpc", ...more });
const done = (id, result) => ({ done: true, id, result, success: true, type: "rpc" });
const failed = (id, error) => ({ error, id, success: false, type: "rpc" });

describe("Frames of clients", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", recordedAgents]); });
  after(() => server.stop());

  const join = (path) => Client.connect(server, path, { frames: true });
  let rooms = 0;
  /** A connection to a room of its own, past its first frames. */
  async function enter(agent = "counter-agent", query = "", frames = 3) {
    const client = await join(`/agents/${agent}/r${rooms += 1}?_pk=me${query}`);
    for (let i = 0; i < frames; i += 1) await client.next();
    return client;
  }

  describe("go to on_message as they are, without an answer of the protocol", () => {
    const messages = {
      "no JSON": ["{not json", "hello", "", " ", "{", "rpc", "{}{}", "'rpc'", "NaN", "{'type':'rpc'}", "\ufeff{}",
        `${add()} x`, add().slice(0, -1), add().replace("[1,2]", "[1,2,]"), add().replace("[1,2]", "[01]"), `${add()},`],
      "no object": ["[]", "null", "true", "0", "-1.5e3", '"rpc"', '"cf_agent_state"', `[${add()}]`, "[[[[]]]]"],
      "no type, or another one": ["{}", '{"a":1}', add({ type: undefined }), add({ type: null }), add({ type: 1 }),
        add({ type: "RPC" }), add({ type: "rpc " }), add({ type: "rpc2" }), add({ type: ["rpc"] }), add({ type: { rpc: 1 } }),
        JSON.stringify({ inner: JSON.parse(add()) }), '{"Type":"rpc","id":"1","method":"add","args":[]}'],
      "frames of the server": ['{"type":"cf_agent_identity","name":"x","agent":"y"}',
        '{"mcp":{"prompts":[],"resources":[],"servers":{},"tools":[]},"type":"cf_agent_mcp_servers"}',
        '{"type":"cf_agent_state_error","error":"x"}', JSON.stringify(done("1", 3)), '{"type":"agent-tool-event"}'],
      "frames of chat agents": ['{"type":"cf_agent_chat_clear"}', '{"type":"cf_agent_use_chat_request","id":"1"}',
        '{"type":"cf_agent_chat_messages","messages":[]}'],
      "a state frame without a state": ['{"type":"cf_agent_state"}', '{"type":"cf_agent_state","State":1}',
        '{"type":"CF_AGENT_STATE","state":{}}', '{"type":"cf_agent_state","inner":{"state":1}}'],
      "a call with an id that is no string": [add({ id: undefined }), add({ id: 1 }), add({ id: null }), add({ id: ["1"] }), add({ id: {} })],
      "a call with a method that is no string": [add({ method: undefined }), add({ method: 7 }), add({ method: null }), add({ method: ["add"] })],
      "a call with arguments that are no array": [add({ args: undefined }), add({ args: "x" }), add({ args: { 0: 1 } }), add({ args: null }), add({ args: 3 })],
      "nested deeper than 1,024": [add({ args: 0 }).replace("0", `[${"[".repeat(1025)}${"]".repeat(1025)}]`),
        `{"type":"cf_agent_state","state":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`],
      "nothing but a type": ['{"type":"rpc"}'],
    };
    for (const [kind, texts] of Object.entries(messages)) {
      test(kind, async () => {
        const client = await enter();
        for (const text of texts) {
          assert.deepEqual(await client.say(text), { type: "custom-echo", got: `text:${text}` }, text);
        }
        await client.close();
      });
    }

    test("binary, whatever it holds", async () => {
      const client = await enter();
      for (const bytes of [add(), '{"type":"cf_agent_state","state":{"counter":9}}', "", "\0"].map((text) => Buffer.from(text))) {
        assert.deepEqual(await client.say(bytes), { type: "custom-echo", got: `binary(ArrayBuffer):${bytes.toString("hex")}` });
      }
      assert.deepEqual(await client.say(add({ method: "increment", args: [0] })), { state: { counter: 0 }, type: "cf_agent_state" });
      await client.close();
    });
  });

  describe("are calls", () => {
    const calls = {
      "as the client of the SDK writes them": [add(), done("1", 3)],
      "in any order of the members, with more of them": ['{"type":"rpc","extra":{"type":"x"},"id":"1","method":"add","args":[1,2]}', done("1", 3)],
      "with blanks between": ['\n { "type" :\t"rpc" , "id":"1","method": "add","args":[ 1 , 2 ]\r\n}  ', done("1", 3)],
      "with an empty id": [add({ id: "" }), done("", 3)],
      "with an id that needs escapes": [add({ id: '"\\\n\u0001é😀' }), done('"\\\n\u0001é😀', 3)],
      "with a long id": [add({ id: "i".repeat(5_000) }), done("i".repeat(5_000), 3)],
      "with more arguments than parameters": [add({ args: [1, 2, 3, "four"] }), done("1", 3)],
      "with a last word of the same member": ['{"type":"x","type":"rpc","id":"1","method":"no","method":"add","args":[1,2]}', done("1", 3)],
      "with a state beside": [add({ state: { counter: 5 } }), done("1", 3)],
      "of arguments of every kind": [add({ method: "echo", args: [null, true, -0.5, "", [[]], { a: {} }] }), done("1", [null, true, -0.5, "", [[]], { a: {} }])],
      "of deep arguments": [add({ method: "echo", args: [JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`)] }),
        done("1", [JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`)])],
      "of large arguments": [add({ method: "echo", args: ["x".repeat(200_000)] }), done("1", ["x".repeat(200_000)])],
      "without a result": [add({ method: "nothing" }), { done: true, id: "1", success: true, type: "rpc" }],
      "with a result of null": [add({ method: "returnsNull" }), done("1", null)],
    };
    for (const [kind, [frame, reply]] of Object.entries(calls)) {
      test(kind, async () => {
        const client = await enter();
        assert.deepEqual(await client.say(frame), reply);
        await client.close();
      });
    }

    test("twice with one id: both are made", async () => {
      const client = await enter();
      client.send(add({ id: "dup", method: "slow", args: [30] }));
      client.send(add({ id: "dup" }));
      assert.deepEqual(await client.nextJson(), done("dup", 3));
      assert.deepEqual(await client.nextJson(), done("dup", "slept 30"));
      await client.close();
    });
  });

  describe("are calls that fail, with these words", () => {
    const framework = ["setState", "onMessage", "constructor", "toString", "_isCallable", "sql"];
    const unknown = ["nope", "someField", "__proto__", "", "Add", "add ", "é", "a\"b\\c"];
    const calls = [
      ...unknown.map((method) => [{ method }, `Method ${method} does not exist`]),
      ...["notCallable", ...framework].map((method) => [{ method }, `Method ${method} is not callable`]),
      [{ method: "boom", args: [] }, "kaboom"],
      [{ method: "boom", args: ["own words: \"é\" \u2028"] }, "own words: \"é\" \u2028"],
      [{ method: "boom", args: [""] }, ""],
      [{ method: "setBadState", args: [] }, "counter must not be negative"],
    ];
    for (const [call, message] of calls) {
      test(`${JSON.stringify(call.method)}: ${message}`, async () => {
        const client = await enter();
        assert.deepEqual(await client.say(add(call)), failed("1", message));
        assert.deepEqual(await client.say(add()), done("1", 3), "and the connection goes on");
        await client.close();
      });
    }

    test("arguments of a type that the method doesn't take", async () => {
      const client = await enter();
      for (const [method, args, words] of [
        ["slow", [], /^argument 1 must be a number, and is missing/], ["slow", ["5"], /^argument 1 must be a number/],
        ["slow", [null], /^argument 1 must be a number/], ["slow", [0.5], /^argument 1 must be a whole number/],
        ["slow", [1e30], /^argument 1 must be a whole number/], ["boom", [7], /^argument 1 must be a string/],
        ["closeMe", [70_000, ""], /^argument 1 must be a whole number/], ["closeMe", [1000], /^argument 2 must be a string/],
        ["closeMe", [999, ""], /^Invalid WebSocket close code: 999/],
      ]) {
        const { error, ...reply } = await client.say(add({ method, args }));
        assert.deepEqual(reply, { id: "1", success: false, type: "rpc" });
        assert.match(error, words);
      }
      await client.close();
    });

    test("what is thrown that is no exception", async () => {
      const client = await enter("recorded-counter");
      assert.deepEqual(await client.say(add({ method: "throwsString" })), failed("1", "Unknown error occurred"));
      await client.close();
    });
  });

  describe("change the state", () => {
    /** Sender and witness of one room. */
    async function pair(agent) {
      const sender = await enter(agent, "", 2);
      const witness = await join(`/agents/${agent}/r${rooms}?_pk=witness`);
      for (let i = 0; i < 2; i += 1) await witness.next();
      return { sender, witness };
    }

    test("to any value, whole, without an answer to the sender", async () => {
      const { sender, witness } = await pair("state-agent");
      const values = [{ a: 1, b: [null] }, null, 0, false, "", [], "text", -1.5, { state: { type: "rpc" } }, {}];
      for (const state of values) {
        sender.send(JSON.stringify({ type: "cf_agent_state", state, extra: 1 }));
        assert.deepEqual(await witness.nextJson(), { state, type: "cf_agent_state" });
        const { result } = await sender.say(add({ method: "get" }));
        assert.deepEqual(result.value, state);
      }
      const late = await join(`/agents/state-agent/r${rooms}`);
      assert.equal((await late.nextJson()).stateFollows, true);
      assert.deepEqual(await late.nextJson(), { type: "cf_agent_state", state: {} });
      await Promise.all([sender.close(), witness.close(), late.close()]);
    });

    const refusals = {
      "State update rejected": ["counter-agent", "", 3, { counter: -1 }],
      "Connection is readonly": ["doc-agent", "&mode=view", 3, { text: "x" }],
      "Connection is readonly, to a connection without protocol frames too": ["sleepy-agent", "&mode=view&protocol=binary", 0, { n: 9 }],
    };
    for (const [kind, [agent, query, frames, state]] of Object.entries(refusals)) {
      test(`or are refused: ${kind}`, async () => {
        const client = await enter(agent, query, frames);
        const [error] = kind.split(",");
        assert.deepEqual(await client.say(JSON.stringify({ type: "cf_agent_state", state })), { type: "cf_agent_state_error", error });
        const late = await join(`/agents/${agent}/r${rooms}`);
        await late.next();
        assert.notDeepEqual((await late.nextJson()).state, state);
        await Promise.all([client.close(), late.close()]);
      });
    }

    test("and a connection's own state can't undo it: the flags' names are reserved", async () => {
      const client = await enter("doc-agent", "&mode=view");
      const call = (method, ...args) => client.say(add({ method, args }));
      assert.deepEqual(await call("connState", { _cf_readonly: false, _cf_no_protocol: 1, b: 2 }), done("1", { state: { b: 2 } }));
      assert.deepEqual(await call("perms"), done("1", { canEdit: false }));
      await client.close();
    });

    test("even if the hook after it throws", async () => {
      const sender = await enter();
      const witness = await join(`/agents/counter-agent/r${rooms}`);
      for (let i = 0; i < 3; i += 1) await witness.next();
      const state = { counter: 1, note: "throw-in-hook" };
      sender.send(JSON.stringify({ type: "cf_agent_state", state }));
      assert.deepEqual(await witness.nextJson(), { type: "cf_agent_state", state });
      assert.deepEqual(await sender.say(add()), done("1", 3));
      await Promise.all([sender.close(), witness.close()]);
    });
  });

  describe("of who is gone", () => {
    test("run to their end, and nobody is told", async () => {
      const client = await enter();
      const witness = await join(`/agents/counter-agent/r${rooms}`);
      for (let i = 0; i < 3; i += 1) await witness.next();
      client.send(add({ method: "slow", args: [40] }));
      client.send(add({ method: "increment", args: [7] }));
      client.socket.close(1000);
      assert.deepEqual(await witness.nextJson(), { state: { counter: 7 }, type: "cf_agent_state" });
      assert.deepEqual(await client.ended(), { code: 1000, reason: "" });
      witness.send(add({ method: "slow", args: [60] }));
      assert.deepEqual(await witness.nextJson(), done("1", "slept 60"));
      await witness.close();
    });
  });
});
