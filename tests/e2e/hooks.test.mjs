// What clients see when an agent's own code fails (agents-wire §6): the message, never a stack, and
// a connection that goes on wherever that is possible.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { recordedAgents, Server } from "./support/server.mjs";

describe("Hooks that fail", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", recordedAgents]); });
  after(() => server.stop());

  const connect = (path) => Client.connect(server, `/agents/${path}`, { frames: true });
  const get = async (path) => {
    const answer = await fetch(server.url(`/agents/${path}`));
    return [answer.status, await answer.text()];
  };

  const setups = {
    "on_connect": ["trouble-agent/setup?when=connect", "connect failed"],
    "on_start": ["trouble-agent/bad-start", "start failed"],
    "connection_tags": ["tag-agent/setup?num", "A connection tag must be a string. Received: 7"],
  };
  for (const [hook, [path, error]] of Object.entries(setups)) {
    test(`${hook}: the handshake is done, and the first and only frame says why`, async () => {
      const client = await connect(path);
      assert.deepEqual(await client.nextJson(), { error });
      assert.deepEqual(await client.ended(), { code: 1011, reason: "Uncaught exception during session setup" });
      assert.deepEqual(client.messages, []);
    });
  }

  test("an on_error of its own keeps the reason to the agent", async () => {
    await assert.rejects(connect("quiet-error-agent/quiet?throw"), { message: "Unexpected server response: 500" });
    assert.deepEqual(await get("quiet-error-agent/quiet?throw"), [500, "Internal Server Error"]);
  });

  test("on_start: every event fails, and each tries again", async () => {
    for (let i = 0; i < 2; i += 1) {
      assert.deepEqual(await get("trouble-agent/bad-start"), [500, "start failed"]);
      const client = await connect("trouble-agent/bad-start");
      assert.deepEqual(await client.nextJson(), { error: "start failed" });
      await client.ended();
    }
  });

  for (const agent of ["trouble-agent", "quiet-error-agent"]) {
    test(`on_message of ${agent}: the connection stays, and nothing is said`, async () => {
      const client = await connect(`${agent}/message`);
      for (let i = 0; i < 2; i += 1) await client.next();
      client.send("throw");
      client.send("still here");
      assert.match(await client.next(), /still here/);
      await client.close();
    });
  }

  test("on_request: 500 with the message", async () => {
    assert.deepEqual(await get("trouble-agent/request?throw"), [500, "request failed"]);
    assert.deepEqual(await get("trouble-agent/request"), [200, "ok"]);
  });

  test("on_close: the close frame is answered all the same", async () => {
    const client = await connect("trouble-agent/close");
    assert.deepEqual(await client.close(4001, "throw-in-close"), { code: 4001, reason: "throw-in-close" });
    assert.deepEqual(await get("trouble-agent/close?last"), [200, '{"code":4001,"reason":"throw-in-close","wasClean":true}']);
  });

  test("on_error hears of each", async () => {
    await assert.rejects(connect("quiet-error-agent/heard?throw"));
    assert.deepEqual(await get("quiet-error-agent/heard"), [200, '{"err":"Error: connect failed"}']);
    const other = await connect("quiet-error-agent/heard");
    for (let i = 0; i < 2; i += 1) await other.next();
    other.send("throw");
    other.send("");
    assert.equal(await other.next(), "still here");
    assert.deepEqual(await get("quiet-error-agent/heard"), [200, '{"err":"Error: message failed"}']);
    await get("quiet-error-agent/heard?throw");
    assert.deepEqual(await get("quiet-error-agent/heard"), [200, '{"err":"Error: request failed"}']);
    await other.close();
  });
});
