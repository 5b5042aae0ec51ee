// What members of a sleeping room see when something wakes its agent (agents-wire §9): one frame about
// MCP servers before anything else, no identity and no state again; nothing for who wants no frames.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/deadline.mjs";
import { recordedAgents, Server } from "./support/server.mjs";

const identity = { type: "cf_agent_identity", name: "room", agent: "sleepy-agent", stateFollows: true };
const servers = { mcp: { prompts: [], resources: [], servers: {}, tools: [] }, type: "cf_agent_mcp_servers" };
const state = (n) => ({ state: { n }, type: "cf_agent_state" });
const setState = (n) => JSON.stringify(state(n));

describe("Waking", () => {
  let server, ann, viewer, device;
  const path = "/agents/sleepy-agent/room";
  const join = (query) => Client.connect(server, `${path}?${query}`, { frames: true });
  const gets = async (client, ...frames) => {
    for (const frame of frames) assert.deepEqual(await client.nextJson(), frame);
  };
  const asleep = () => eventually(async () => {
    const { rooms } = await (await fetch(`${server.adminOrigin}/rooms`)).json();
    return rooms.every(({ awake }) => awake.length === 0);
  }, "sleep");

  before(async () => {
    server = await Server.start(["--agents", recordedAgents, "--hibernate-after", "100ms"]);
    [ann, viewer, device] = [await join("_pk=ann"), await join("mode=view"), await join("protocol=binary")];
    for (const client of [ann, viewer]) await gets(client, identity, state(0), servers);
  });
  after(() => server.stop());

  // Each begins asleep. What a test doesn't expect would be the next one's first frame.
  const events = {
    "a newcomer, who gets its own frames once, and one that goes": async () => {
      const guest = await join("_pk=guest");
      await gets(guest, identity, state(0), servers);
      await Promise.all([gets(ann, servers), gets(viewer, servers)]);
      await asleep();
      await guest.close();
      assert.deepEqual(guest.messages, []);
      await Promise.all([gets(ann, servers), gets(viewer, servers)]);
    },
    "a member that vanishes": async () => {
      const guest = await join("_pk=guest");
      await Promise.all([gets(ann, servers), gets(viewer, servers)]);
      await asleep();
      guest.socket.terminate();
      await Promise.all([gets(ann, servers), gets(viewer, servers)]);
    },
    "a request": async () => {
      await (await fetch(server.url(path))).text();
      await Promise.all([gets(ann, servers), gets(viewer, servers)]);
    },
    "a state frame": async () => {
      ann.send(setState(1));
      await Promise.all([gets(ann, servers), gets(viewer, servers, state(1))]);
    },
    "a state frame of one without frames": async () => {
      device.send(setState(2));
      await Promise.all([gets(ann, servers, state(2)), gets(viewer, servers, state(2))]);
    },
    "a state frame that is refused": async () => {
      viewer.send(setState(3));
      await gets(viewer, servers, { type: "cf_agent_state_error", error: "Connection is readonly" });
      await gets(ann, servers);
    },
    "a call": async () => {
      ann.send('{"args":[],"id":"1","method":"nope","type":"rpc"}');
      await gets(ann, servers, { error: "Method nope does not exist", id: "1", success: false, type: "rpc" });
      await gets(viewer, servers);
    },
    "a message of one without frames": async () => {
      device.send("hello");
      assert.equal((await device.nextJson()).got, "hello");
      await Promise.all([gets(ann, servers), gets(viewer, servers)]);
    },
    "but not a ping": async () => {
      const answered = new Promise((resolve) => ann.socket.once("pong", resolve));
      ann.socket.ping();
      await answered;
      ann.send("awake");
      await gets(ann, servers);
      const { got, memory } = await ann.nextJson();
      assert.deepEqual({ got, memory }, { got: "awake", memory: 1 });
      await gets(viewer, servers);
    },
  };
  for (const [event, happens] of Object.entries(events)) {
    test(event, async () => {
      await asleep();
      await happens();
    });
  }

  test("nobody without frames got one", () => {
    assert.deepEqual([ann.messages, viewer.messages, device.messages], [[], [], []]);
  });
});
