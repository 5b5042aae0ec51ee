// Who may enter, and how: ids, tags, hooks that throw, rooms that refuse, routing of upgrades.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { Raw, upgrade } from "./support/raw.mjs";
import { fixture, Server } from "./support/server.mjs";

const setup = { code: 1011, reason: "Uncaught exception during session setup" };

describe("Sessions", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture]); });
  after(() => server.stop());

  /** The error text of a session that is refused after the 101. */
  async function refused(path) {
    const client = await Client.connect(server, path);
    const { error, ...rest } = await client.nextJson();
    assert.deepEqual(rest, {});
    assert.deepEqual(await client.ended(), setup);
    assert.equal(client.messages.length, 0, "nothing but the error");
    return error;
  }

  test("an id comes from _pk, or is made: 21 characters, each time others", async () => {
    const given = await Client.connect(server, "/agents/lab/ids?_pk=sp%20ace%2B");
    assert.deepEqual((await given.ask({ op: "tags" })).tags, ["sp ace+"]);
    const made = new Set();
    for (const query of ["", "?_pk=", "?other=1"]) {
      const client = await Client.connect(server, `/agents/lab/ids${query}`);
      const [id] = (await client.ask({ op: "tags" })).tags;
      assert.match(id, /^[A-Za-z0-9_-]{21}$/);
      made.add(id);
      await client.close();
    }
    assert.equal(made.size, 3);
    await given.close();
  });

  test("two connections may have one id", async () => {
    const [a, b] = [await Client.connect(server, "/agents/lab/twins?_pk=twin"),
      await Client.connect(server, "/agents/lab/twins?_pk=twin")];
    assert.deepEqual((await a.ask({ op: "list" })).ids, ["twin", "twin"]);
    await Promise.all([a.close(), b.close()]);
  });

  test("ten tags with the id are the limit", async () => {
    const tags = (count) => Array.from({ length: count }, (_, i) => `t${i}`).join(",");
    const client = await Client.connect(server, `/agents/lab/limits?tags=${tags(9)}`);
    assert.equal((await client.ask({ op: "tags" })).tags.length, 10);
    await client.close();
    assert.equal(await refused(`/agents/lab/limits?tags=${tags(10)}`),
      "A connection can only have 10 tags, including the default id tag.");
  });

  test("tags that equal the id don't count", async () => {
    const nine = Array.from({ length: 9 }, (_, i) => `t${i}`).join(",");
    const client = await Client.connect(server, `/agents/lab/limits?_pk=me&tags=me,${nine},me`);
    assert.equal((await client.ask({ op: "tags" })).tags.length, 10);
    await client.close();
  });

  test("tags have 1 to 256 bytes", async () => {
    const client = await Client.connect(server, `/agents/lab/limits?tags=${"x".repeat(256)}`);
    await client.close();
    assert.equal(await refused(`/agents/lab/limits?tags=${"x".repeat(257)}`),
      "A connection tag must not exceed 256 characters");
    assert.equal(await refused("/agents/lab/limits?tags=a,,b"),
      "A connection tag must not be an empty string.");
    const accents = "é".repeat(129);
    assert.equal(await refused(`/agents/lab/limits?tags=${encodeURIComponent(accents)}`),
      `"${accents}" is longer than the max tag length (256 characters).`);
    assert.equal(await refused(`/agents/lab/limits?tags=${encodeURIComponent("é".repeat(257))}`),
      "A connection tag must not exceed 256 characters");
    const faces = "🙂".repeat(64);
    const fits = await Client.connect(server, `/agents/lab/limits?tags=${encodeURIComponent(faces)}`);
    assert.equal((await fits.ask({ op: "tags" })).tags[1], faces);
    await fits.close();
    assert.equal(await refused(`/agents/lab/limits?tags=${encodeURIComponent("🙂".repeat(128))}`),
      `"${"🙂".repeat(128)}" is longer than the max tag length (256 characters).`);
    assert.equal(await refused(`/agents/lab/limits?tags=${encodeURIComponent("🙂".repeat(129))}`),
      "A connection tag must not exceed 256 characters", "two units each");
  });

  test("an id is a tag: 256 bytes at most", async () => {
    const client = await Client.connect(server, `/agents/lab/limits?_pk=${"i".repeat(256)}`);
    await client.close();
    assert.equal(await refused(`/agents/lab/limits?_pk=${"i".repeat(257)}`),
      "A connection tag must not exceed 256 characters");
    const ten = Array.from({ length: 10 }, (_, i) => `t${i}`).join(",");
    assert.match(await refused(`/agents/lab/limits?_pk=${"i".repeat(257)}&tags=${ten}`),
      /can only have 10 tags/, "the number comes first");
  });

  test("hooks that throw: 101, an error frame, 1011, and no on_close", async () => {
    const watcher = await Client.connect(server, "/agents/hooks/setup");
    assert.match(await refused("/agents/hooks/setup?throw=tags"), /^no tags today/);
    assert.match(await refused("/agents/hooks/setup?throw=connect"), /^no connect today/);
    assert.equal(typeof await refused("/agents/hooks/setup?throw=something%20else"), "string");
    assert.match(await refused("/agents/hooks/bad-start"), /^no start today/);
    assert.match(await refused("/agents/hooks/bad-start"), /^no start today/, "tried again each time");
    watcher.send("still open");
    const heard = [];
    while (heard.at(-1) !== "still open") heard.push(await watcher.next());
    const errors = heard.slice(0, -1).map((text) => JSON.parse(text));
    assert.deepEqual(errors.map(({ where }) => where), ["connection_tags", "on_connect", "on_connect"]);
    await watcher.close();
  });

  test("an on_error of the agent's own keeps the reason to itself: 500", async () => {
    const raw = await Raw.connect(server);
    raw.send(upgrade("/agents/hooks/discreet?throw=connect"));
    const { status, body } = await raw.answer();
    assert.deepEqual([status, body], [500, "Internal Server Error"]);
    await raw.ended();
  });

  test("what on_message throws reaches on_error, and everybody stays", async () => {
    const watcher = await Client.connect(server, "/agents/hooks/message");
    const client = await Client.connect(server, "/agents/hooks/message?_pk=thrower");
    client.send("throw");
    client.send("and on");
    assert.equal(await client.next(), "and on");
    assert.deepEqual(await watcher.nextJson(),
      { where: "on_message", message: "no message today", of: "thrower" });
    await Promise.all([client.close(), watcher.close()]);
  });

  test("what on_state_changed throws while a session is set up refuses nobody", async () => {
    const from = server.stderr.length;
    const client = await Client.connect(server, "/agents/hooks/changing?throw=changed");
    await server.logged(/on_state_changed.*no change today/, from);
    client.send("and on");
    assert.equal(await client.next(), "and on");
    await client.close();
  });

  test("what on_close throws is logged, and the close is answered", async () => {
    const client = await Client.connect(server, "/agents/hooks/closing?throw=close");
    const from = server.stderr.length;
    assert.deepEqual(await client.close(4000, "bye"), { code: 4000, reason: "bye" });
    await server.logged(/on_close.*no close today/, from);
  });

  test("before_connect refuses before the room is made", async () => {
    const made = await server.metric("ringroom_agents_created_total");
    const raw = await Raw.connect(server);
    raw.send(upgrade("/agents/guarded/vault"));
    const { status, body } = await raw.answer();
    assert.deepEqual([status, body], [403, "no entrance to vault"]);
    assert.equal((await fetch(server.url("/agents/guarded/vault"))).status, 403);
    assert.equal(await server.metric("ringroom_agents_created_total"), made);
    const { rooms } = await (await fetch(`${server.adminOrigin}/rooms`)).json();
    assert.deepEqual(rooms.filter(({ class: name }) => name === "Guarded"), []);
    const client = await Client.connect(server, "/agents/guarded/vault?secret=open%20sesame");
    assert.equal(await client.next(), "welcome");
    await client.close();
    assert.equal((await fetch(server.url("/agents/guarded/vault?secret=open+sesame"))).status, 200);
  });

  for (const [path, status, body] of [
    ["/agents/no-such-class/x", 400, "Invalid request"], ["/agents/Echo/x", 400, "Invalid request"],
    ["/agents/constructor/x", 400, "Invalid request"], ["/agents/echo", 404, "Not found"],
    ["/agents/echo/", 404, "Not found"], ["/agents", 404, "Not found"], ["/AGENTS/echo/x", 404, "Not found"],
    ["/", 404, "Not found"], ["/else", 404, "Not found"],
    [`/agents/echo/${"n".repeat(1025)}`, 500, undefined],
  ]) {
    test(`an upgrade of ${path.slice(0, 40)} is answered ${status}`, async () => {
      const raw = await Raw.connect(server);
      raw.send(upgrade(path));
      const answer = await raw.answer();
      assert.equal(answer.status, status);
      if (body !== undefined) assert.equal(answer.body, body);
      await raw.ended();
      if (path !== "/") assert.equal((await fetch(server.url(path))).status, status, "plain requests, too");
    });
  }

  for (const path of ["//agents//lab//y", "/agents/lab/y/and/more?x=1", "/agents/lab/y?agents=1",
    `/agents/lab/${"n".repeat(1024)}`, "/agents/lab/sp%20ace", "/agents/lab/caf%C3%A9", "/agents/lab/a%2Fb",
    "/x/../agents/lab/dots"]) {
    test(`an upgrade of ${path.slice(0, 40)} is a session`, async () => {
      const raw = await Raw.open(server, path);
      raw.destroy();
    });
  }

  test("names stay percent-encoded, and are different rooms", async () => {
    const [plain, escaped] = [await Client.connect(server, "/agents/lab/a%62c"),
      await Client.connect(server, "/agents/lab/abc")];
    assert.equal((await plain.ask({ op: "info" })).connections, 1);
    assert.equal((await escaped.ask({ op: "info" })).connections, 1);
    await Promise.all([plain.close(), escaped.close()]);
  });

  const heads = {
    "version 12": [{ "Sec-WebSocket-Version": "12" }, 426],
    "no version": [{ "Sec-WebSocket-Version": undefined }, 426],
    "no key": [{ "Sec-WebSocket-Key": undefined }, 400],
    "a key of the wrong size": [{ "Sec-WebSocket-Key": "c2hvcnQ=" }, 400],
    "no Connection: Upgrade": [{ Connection: "keep-alive" }, 400],
  };
  for (const [what, [headers, status]] of Object.entries(heads)) {
    test(`an upgrade with ${what} is answered ${status}`, async () => {
      const raw = await Raw.connect(server);
      raw.send(upgrade("/agents/echo/x", headers));
      const answer = await raw.answer();
      assert.equal(answer.status, status);
      if (status === 426) assert.equal(answer.headers.get("sec-websocket-version"), "13");
    });
  }

  test("an upgrade may be written in other cases, with other tokens beside", async () => {
    const raw = await Raw.open(server, "/agents/echo/x",
      { Connection: "keep-alive, uPGRADE", Upgrade: "WebSocket", "X-Extra": "1" });
    raw.sendFrame(1, "fine");
    assert.equal((await raw.nextFrame()).payload.toString(), "fine");
    raw.destroy();
  });

  test("a room that is full refuses with 503 before the upgrade", async () => {
    const small = await Server.start(["--room-connections-max", "3"]);
    const inside = await Promise.all([1, 2, 3].map(() => Client.connect(small, "/agents/relay/full")));
    const raw = await Raw.connect(small);
    raw.send(upgrade("/agents/relay/full"));
    const { status, body } = await raw.answer();
    assert.equal(status, 503);
    assert.match(body, /the room is full/);
    const elsewhere = await Client.connect(small, "/agents/relay/other");
    await inside[0].close();
    const again = await Client.connect(small, "/agents/relay/full");
    await Promise.all([...inside.slice(1), elsewhere, again].map((client) => client.close()));
    await small.stop();
  });
});
