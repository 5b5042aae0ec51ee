// Where requests go, and who may not: prefixes, routes, origins, the hooks of classes, CORS.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import { Client } from "./support/client.mjs";
import { within } from "./support/deadline.mjs";
import { Raw, upgrade } from "./support/raw.mjs";
import { dirname, join } from "node:path";
import { fixture, Server } from "./support/server.mjs";

const text = async (url, options) => {
  const answer = await fetch(url, options);
  return [answer.status, await answer.text()];
};

/** How an upgrade is refused: status and body. */
async function refusal(server, path, headers) {
  const raw = await Raw.connect(server);
  raw.send(upgrade(path, headers));
  const { status, body } = await raw.answer();
  await raw.ended();
  return [status, body];
}

describe("URLs", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--env", "GREETING=hello"]); });
  after(() => server.stop());

  for (const [path, room] of [["/agents/guide/x", "x"], ["/agents//guide//x", "x"], ["//agents/guide/x", "x"],
    ["/agents/guide/x/deeper/path?_pk=1", "x"], ["/agents/guide/sp%20ace", "sp%20ace"],
    ["/agents/guide/caf%C3%A9", "caf%C3%A9"], ["/agents/guide/caf\u00e9", "caf%C3%A9"],
    ["/agents/guide/a%2Fb", "a%2Fb"], ["/agents/web/../guide/z", "z"]]) {
    test(`${path} is room ${room}, for a request and for a WebSocket`, async () => {
      const raw = await Raw.connect(server);
      raw.send(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
      assert.equal(JSON.parse((await raw.answer()).body).room, room);
      raw.send(Buffer.from(upgrade(path)));
      assert.equal((await raw.head()).status, 101);
      const frame = await raw.nextFrame();
      assert.equal(JSON.parse(frame.payload).room, room);
      raw.destroy();
    });
  }

  for (const segment of ["constructor", "__proto__", "toString", "Guide", "GUIDE", "nobody"]) {
    test(`/agents/${segment}/x is 400 Invalid request`, async () => {
      assert.deepEqual(await text(server.url(`/agents/${segment}/x`)), [400, "Invalid request"]);
      assert.deepEqual(await refusal(server, `/agents/${segment}/x`), [400, "Invalid request"]);
    });
  }

  test("an unknown class is told before the handshake is judged", async () => {
    assert.deepEqual(await refusal(server, "/agents/nobody/x", { "Sec-WebSocket-Version": "8" }),
      [400, "Invalid request"]);
    assert.deepEqual(await refusal(server, "/nothing", { "Sec-WebSocket-Version": "8" }), [404, "Not found"]);
  });

  test("a room's name of 1,024 bytes is served, one more is 500", async () => {
    const name = "n".repeat(1024);
    assert.equal((await (await fetch(server.url(`/agents/guide/${name}`))).json()).room, name);
    const more = await text(server.url(`/agents/guide/${name}n`));
    assert.deepEqual(more, [500, "the room's name is longer than 1024 bytes"]);
    assert.deepEqual(await refusal(server, `/agents/guide/${name}n`), more);
  });

  for (const [what, headers, status, body] of [
    ["no version", { "Sec-WebSocket-Version": undefined }, 426, "ERROR: The requested WebSocket version is not supported."],
    ["version 8", { "Sec-WebSocket-Version": "8" }, 426, "ERROR: The requested WebSocket version is not supported."],
    ["no key", { "Sec-WebSocket-Key": undefined }, 400, "ERROR: Missing Sec-WebSocket-Key"],
  ]) {
    test(`a handshake with ${what} is answered ${status}`, async () => {
      const raw = await Raw.connect(server);
      raw.send(upgrade("/agents/guide/x", headers));
      const answer = await raw.answer();
      assert.deepEqual([answer.status, answer.body], [status, body]);
      assert.equal(answer.headers.get("connection"), status === 426 ? "upgrade, close" : "close");
      assert.equal(answer.headers.get("content-type"), "text/plain");
      assert.equal(answer.headers.get("sec-websocket-version"), status === 426 ? "13" : undefined);
      await raw.ended();
    });
  }

  test("a handshake by POST is answered 400, another Upgrade is an ordinary request", async () => {
    const raw = await Raw.connect(server);
    raw.send(upgrade("/agents/guide/x").replace("GET", "POST"));
    const answer = await raw.answer();
    assert.deepEqual([answer.status, answer.body], [400, "ERROR: WebSocket must be initiated with a GET request."]);
    await raw.ended();
    const other = await Raw.connect(server);
    other.send(upgrade("/agents/guide/x", { Upgrade: "h2c" }));
    assert.equal((await other.answer()).status, 200);
    other.destroy();
  });

  test("Cap'n Web is refused with a clear 400", async () => {
    const [status, body] = await refusal(server, "/agents/guide/x?_pk=a&__agents_transport=capnweb");
    assert.equal(status, 400);
    assert.match(body, /capnweb transport is not supported/);
    const client = await Client.connect(server, "/agents/guide/x?__agents_transport=json");
    assert.equal((await client.nextJson()).room, "x");
    await client.close();
  });
});

describe("--prefix", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--prefix", "api/v2", "--prefix", "/rooms/"]); });
  after(() => server.stop());

  test("has several segments, is case-sensitive, and there may be more than one", async () => {
    for (const path of ["/api/v2/guide/x", "//api//v2/guide/x", "/rooms/guide/x"]) {
      const client = await Client.connect(server, path);
      assert.equal((await client.nextJson()).room, "x", path);
      await client.close();
    }
    assert.deepEqual(await text(server.url("/api/v2/agents/guide/x")), [400, "Invalid request"]);
    for (const path of ["/agents/guide/x", "/API/v2/guide/x", "/api/guide/x", "/api/v2/guide"]) {
      assert.deepEqual(await text(server.url(path)), [404, "Not found"], path);
    }
  });

  test("is what the page tells people", async () => {
    const page = (await text(server.url("/")))[1];
    assert(page.includes("/api/v2/guide/{room}") && !page.includes("/agents/"));
  });

  test("may be nothing at all", async () => {
    const bare = await Server.start(["--agents", fixture, "--prefix", "/"]);
    assert.equal((await (await fetch(bare.url("/guide/x"))).json()).room, "x");
    assert.equal((await fetch(bare.url("/"))).status, 200);
    await bare.stop();
  });
});

describe("routes", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--env", "GREETING=hello"]); });
  after(() => server.stop());
  const session = (name) => ({ headers: { Cookie: `session=${name}` } });

  test("name the room for the path and all below it, and the agent sees the URL as it was", async () => {
    for (const path of ["/user?_pk=u1", "/user/settings?_pk=u2", "//user//x"]) {
      const client = await Client.connect(server, path, session("ada"));
      const { class: name, room, uri } = await client.nextJson();
      assert.deepEqual([name, room], ["Guide", "ada"]);
      assert.equal(uri, `http://${server.host}:${server.port}${path}`);
      await client.close();
      assert.equal((await (await fetch(server.url(path), session("ada"))).json()).room, "ada");
    }
  });

  test("are for whole segments, case-sensitive", async () => {
    for (const path of ["/users", "/User", "/us", "/x/user"]) {
      assert.deepEqual(await text(server.url(path), session("ada")), [404, "Not found"], path);
    }
  });

  test("serve partysocket's basePath", async () => {
    const socket = new PartySocket({
      host: `${server.host}:${server.port}`, basePath: "user", path: "deep", id: "p", protocol: "ws",
      WebSocket: class extends WebSocket {
        constructor(url, protocols) { super(url, protocols, session("party")); }
      },
    });
    const message = new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(data)), { once: true });
    });
    const { room, uri } = await within(message, 10_000, "a message");
    assert.deepEqual([room, new URL(uri).pathname], ["party", "/user/deep"]);
    socket.close();
  });

  test("come one after the other until one decides", async () => {
    assert.equal((await (await fetch(server.url("/user"), session("pass"))).json()).room, "second");
    assert.equal((await (await fetch(server.url("/user"), session("env"))).json()).room, "hello");
  });

  test("can refuse, by an answer or by a close code", async () => {
    assert.deepEqual(await text(server.url("/user"), session("banned")), [403, "banned"]);
    assert.deepEqual(await refusal(server, "/user", { Cookie: "session=banned" }), [403, "banned"]);
    assert.deepEqual(await text(server.url("/user")), [401, "log in first"]);
    const client = await Client.connect(server, "/user");
    assert.deepEqual(await client.ended(), { code: 4401, reason: "log in first" });
  });

  test("that go wrong are a 500 that says why, in the log too", async () => {
    for (const [name, why] of [["throw", /no sessions today/], ["lost", /class 'Nobody', which is not served/],
      ["nameless", /not 1 to 1024 bytes/]]) {
      const from = server.stderr.length;
      const [status, body] = await text(server.url("/user"), session(name));
      assert.equal(status, 500);
      assert.match(body, why);
      await server.logged(why, from);
      assert.equal((await refusal(server, "/user", { Cookie: `session=${name}` }))[0], 500);
    }
  });

  test("can give CORS headers of their own", async () => {
    const preflight = await fetch(server.url("/open/guide/r"), { method: "OPTIONS" });
    const answer = await fetch(server.url("/open/guide/r"));
    for (const { headers } of [preflight, answer]) assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal((await answer.json()).room, "r");
    assert.equal((await fetch(server.url("/agents/guide/r"))).headers.get("access-control-allow-origin"), null);
  });
});

test("a program of one's own gives a path to its rooms by Server::route", async () => {
  const program = join(dirname(fixture), "routed_program");
  const server = await Server.start([], { program });
  for (const [path, room] of [["/user?session=ada", "ada"], ["/user/settings?session=bob", "bob"]]) {
    const client = await Client.connect(server, path);
    assert.equal(await client.next(), room);
    await client.close();
  }
  assert.deepEqual(await text(server.url("/user")), [404, "Not found"]);
  const client = await Client.connect(server, "/agents/named-room/x");
  assert.equal(await client.next(), "x");
  await client.close();
  await server.stop();
});

describe("hooks of a class", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--env", "GREETING=hello"]); });
  after(() => server.stop());
  const at = (door) => `/agents/turnstile/x?door=${door}`;

  test("refuse with their own answer, before the room is made", async () => {
    const made = await server.metric("ringroom_agents_created_total");
    const denied = [401, 'denied {"className":"Turnstile","name":"x"}'];
    assert.deepEqual(await text(server.url(at("deny"))), denied);
    assert.deepEqual(await refusal(server, at("deny")), denied);
    assert.equal((await fetch(server.url(at("deny")))).headers.get("x-why"), "door");
    assert.equal(await server.metric("ringroom_agents_created_total"), made);
  });

  test("let pass who knows the secret of --env", async () => {
    const client = await Client.connect(server, at("hello"));
    assert.match(await client.next(), /door=hello$/);
    await client.close();
    assert.equal((await fetch(server.url(at("hello")))).status, 200);
  });

  test("accept and close, with code and reason, who would retry for ever", async () => {
    const made = await server.metric("ringroom_agents_created_total");
    for (let i = 0; i < 20; i += 1) {
      const client = await Client.connect(server, at("close"));
      client.send("nobody listens");
      assert.deepEqual(await client.ended(), { code: 4403, reason: "not today" });
    }
    assert.equal(await server.metric("ringroom_agents_created_total"), made);
  });

  test("put another request in the place of the client's", async () => {
    const client = await Client.connect(server, at("other"));
    assert.match(await client.next(), /\/agents\/turnstile\/elsewhere\?door=other$/);
    await client.close();
    assert.match((await text(server.url(at("other"))))[1], /elsewhere/);
  });

  test("that throw, or close as nobody may, are a 500", async () => {
    assert.deepEqual(await refusal(server, at("throw")), [500, "the door is stuck"]);
    assert.deepEqual(await text(server.url(at("throw"))), [500, "the door is stuck"]);
    assert.match((await refusal(server, at("mistake")))[1], /closes with a code or reason that can't be sent/);
  });
});

describe("CORS of a class", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture]); });
  after(() => server.stop());

  test("can be a map of headers, for its answers and for OPTIONS", async () => {
    for (const method of ["OPTIONS", "GET"]) {
      const answer = await fetch(server.url("/agents/picky-web/r"), { method });
      assert.deepEqual([answer.status, await answer.text()], method === "GET" ? [404, "Not implemented"] : [200, ""]);
      assert.equal(answer.headers.get("access-control-allow-origin"), "https://game.example");
      assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
      assert.equal(answer.headers.get("access-control-max-age"), null);
    }
  });

  test("stays away where it isn't asked for: OPTIONS is the agent's", async () => {
    const answer = await fetch(server.url("/agents/lab/r"), { method: "OPTIONS" });
    assert.deepEqual([answer.status, await answer.text()], [404, "Not implemented"]);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  });
});

describe("--allow-origin", () => {
  let server;
  before(async () => {
    server = await Server.start(["--agents", fixture, "--allow-origin", "https://Game.example:443",
      "--allow-origin", "http://127.0.0.1:3000"]);
  });
  after(() => server.stop());

  for (const origin of ["https://game.example", "http://127.0.0.1:3000", undefined]) {
    test(`lets in ${origin ?? "who sends no origin"}`, async () => {
      const client = await Client.connect(server, "/agents/guide/x", origin ? { origin } : {});
      assert.equal((await client.nextJson()).room, "x");
      await client.close();
      assert.equal((await fetch(server.url("/agents/guide/x"), origin ? { headers: { Origin: origin } } : {})).status, 200);
    });
  }

  for (const origin of ["https://evil.example", "http://game.example", "https://game.example:8443", "null",
    "https://game.example.evil.example"]) {
    test(`refuses ${origin} with 403, everywhere but on the page`, async () => {
      for (const path of ["/agents/guide/x", "/user", "/agents/nobody/x"]) {
        const [status, body] = await refusal(server, path, { Origin: origin });
        assert.equal(status, 403);
        assert(body.includes(origin) && body.includes("--allow-origin"), body);
        assert.equal((await fetch(server.url(path), { headers: { Origin: origin } })).status, 403);
      }
      assert.equal((await fetch(server.url("/"), { headers: { Origin: origin } })).status, 200);
    });
  }
});
