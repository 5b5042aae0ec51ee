// HTTP/1.1 as web people expect it, and refusals of what smugglers send.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Raw } from "./support/raw.mjs";
import { fixture, Server } from "./support/server.mjs";

const MiB = 1024 * 1024;

describe("HTTP", () => {
  let server;
  before(async () => { server = await Server.start(["--agents", fixture, "--env", "GREETING=good day"]); });
  after(() => server.stop());

  async function exchange(...pieces) {
    const raw = await Raw.connect(server);
    for (const piece of pieces) raw.send(piece);
    return raw;
  }

  test("GET / is a page that lists the classes", async () => {
    const answer = await fetch(server.url("/"));
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type"), /^text\/html/);
    const text = await answer.text();
    for (const segment of ["echo", "relay", "chat-room", "presence-agent", "lab", "web"]) {
      assert(text.includes(`/agents/${segment}/`), segment);
    }
    assert.equal((await fetch(server.url("/favicon.ico"))).status, 200);
  });

  for (const [path, status, text] of [["/nothing", 404, "Not found"], ["/agents", 404, "Not found"],
    ["/agents/web", 404, "Not found"], ["/agents/web/", 404, "Not found"],
    ["/agents/nobody/x", 400, "Invalid request"], ["/agents/Web/x", 400, "Invalid request"],
    ["/agents/lab/x", 404, "Not implemented"]]) {
    test(`GET ${path} is answered ${status} ${text}`, async () => {
      const answer = await fetch(server.url(path));
      assert.deepEqual([answer.status, await answer.text()], [status, text]);
      assert.match(answer.headers.get("content-type"), /^text\/plain; ?charset=utf-8/i);
    });
  }

  test("the agent sees the request as it was sent", async () => {
    const answer = await fetch(server.url("/agents/web/room/more/describe?a=1&b=%20"),
      { method: "PUT", body: "hello", headers: { "X-One": "1", "Content-Type": "text/x" } });
    const seen = await answer.json();
    assert.deepEqual([seen.method, seen.path, seen.query, seen.version, seen.body],
      ["PUT", "/agents/web/room/more/describe", "a=1&b=%20", "1.1", "hello"]);
    assert(seen.headers.some(([name, value]) => name.toLowerCase() === "x-one" && value === "1"));
    assert.match(seen.peer, /^(127\.0\.0\.1:\d+)?$/);
  });

  test("a connection stays for many requests, one after another and all at once", async () => {
    const raw = await Raw.connect(server);
    const request = (i) => `GET /agents/web/pipe/deferred?ms=${i % 3}&text=answer-${i} HTTP/1.1\r\nHost: x\r\n\r\n`;
    for (let i = 0; i < 5; i += 1) {
      raw.send(request(i));
      assert.equal((await raw.answer()).body, `answer-${i}`);
    }
    raw.send(Array.from({ length: 50 }, (_, i) => request(i)).join(""));
    for (let i = 0; i < 50; i += 1) assert.equal((await raw.answer()).body, `answer-${i}`);
    raw.destroy();
  });

  test("pipelined requests with bodies, cut into single bytes, are told apart", async () => {
    const one = "POST /agents/web/r/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst";
    const two = "POST /agents/web/r/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "3\r\nsec\r\n3;ext=1\r\nond\r\n0\r\nTrailer: x\r\n\r\n";
    const three = "GET /agents/web/r/env?key=GREETING HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const raw = await Raw.connect(server);
    for (const character of one + two + three) {
      raw.send(character);
      await new Promise(setImmediate);
    }
    assert.equal((await raw.answer()).body, "first");
    assert.equal((await raw.answer()).body, "second");
    const last = await raw.answer();
    assert.deepEqual(JSON.parse(last.body), { value: "good day" });
    assert.equal(last.headers.get("connection"), "close");
    await raw.ended();
  });

  test("large answers to pipelined requests arrive whole", async () => {
    const raw = await exchange("GET /agents/web/r/big HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4));
    for (let i = 0; i < 4; i += 1) assert.equal((await raw.answer()).body.length, 8_000_000);
    raw.destroy();
  });

  test("HEAD has the headers of GET and no body", async () => {
    for (const path of ["/", "/agents/web/r/deferred?text=12345", "/nothing"]) {
      const raw = await exchange(`HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
        "GET /agents/web/r/env HTTP/1.1\r\nHost: x\r\n\r\n");
      const head = await raw.head();
      const get = await fetch(server.url(path));
      assert.equal(head.status, get.status);
      assert.equal(Number(head.headers.get("content-length")), (await get.arrayBuffer()).byteLength);
      assert.deepEqual(JSON.parse((await raw.answer()).body), { value: "(unset)" });
      raw.destroy();
    }
  });

  test("HTTP/1.0 is answered and closed, or kept if asked", async () => {
    const closed = await exchange("GET /agents/web/r/env HTTP/1.0\r\n\r\n");
    assert.equal((await closed.answer()).status, 200);
    await closed.ended();
    const kept = await exchange("GET /agents/web/r/env HTTP/1.0\r\nConnection: keep-alive\r\nHost: x\r\n\r\n");
    assert.equal((await kept.answer()).headers.get("connection"), "keep-alive");
    kept.send("GET /agents/web/r/env HTTP/1.0\r\nHost: x\r\n\r\n");
    assert.equal((await kept.answer()).status, 200);
    await kept.ended();
  });

  test("Expect: 100-continue is answered before the body comes", async () => {
    const raw = await exchange(
      "POST /agents/web/r/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert.equal((await raw.head()).status, 100);
    raw.send("body");
    const { status, body } = await raw.answer();
    assert.deepEqual([status, body], [200, "body"]);
    raw.destroy();
  });

  test("a body of 8 MiB is taken, and not one byte more", async () => {
    const most = await fetch(server.url("/agents/web/r/echo"),
      { method: "POST", body: Buffer.alloc(8 * MiB, "z") });
    assert.equal((await most.arrayBuffer()).byteLength, 8 * MiB);
    const declared = await exchange(
      `POST /agents/web/r/echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MiB + 1}\r\n\r\n`);
    assert.equal((await declared.answer()).status, 413);
    await declared.ended();
    const waiting = await exchange(`POST /agents/web/r/echo HTTP/1.1\r\nHost: x\r\n` +
      `Expect: 100-continue\r\nContent-Length: ${9 * MiB}\r\n\r\n`);
    assert.equal((await waiting.answer()).status, 413, "no 100 for what is refused");
    const chunked = await exchange("POST /agents/web/r/echo HTTP/1.1\r\nHost: x\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n");
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MiB), Buffer.from("\r\n")]);
    for (let i = 0; i < 9; i += 1) chunked.send(chunk);
    assert.equal((await chunked.answer()).status, 413);
  });

  test("a form with files arrives by its fields", async () => {
    const form = new FormData();
    form.append("title", "Grüße");
    form.append("title", "again");
    form.append("file", new Blob([Buffer.alloc(3 * MiB, 1)], { type: "image/png" }), 'a "b".png');
    const { fields } = await (await fetch(server.url("/agents/web/r/form"), { method: "POST", body: form })).json();
    assert.deepEqual(fields[0], { name: "title", bytes: 7, type: "text/plain", value: "Grüße" });
    assert.equal(fields[1].value, "again");
    assert.deepEqual([fields[2].name, fields[2].bytes, fields[2].type], ["file", 3 * MiB, "image/png"]);
    assert.match(fields[2].filename, /^a .*b.*\.png$/);
    const urlencoded = new URLSearchParams([["a", "1 2"], ["b", "ü&="]]);
    const simple = await (await fetch(server.url("/agents/web/r/form"), { method: "POST", body: urlencoded })).json();
    assert.deepEqual(simple.fields.map(({ name, value }) => [name, value]), [["a", "1 2"], ["b", "ü&="]]);
    const broken = await (await fetch(server.url("/agents/web/r/form"),
      { method: "POST", body: "--x\r\nno", headers: { "Content-Type": "multipart/form-data; boundary=x" } })).json();
    assert.match(broken.error, /\S/);
  });

  test("CORS only where the class asks for it", async () => {
    const preflight = { method: "OPTIONS", headers: { Origin: "http://else.test", "Access-Control-Request-Method": "POST" } };
    const open = await fetch(server.url("/agents/open-web/r/env"), preflight);
    assert.equal(open.status, 200);
    assert.equal(await open.text(), "");
    assert.deepEqual(["origin", "methods", "headers"].map((n) => open.headers.get(`access-control-allow-${n}`)),
      ["*", "GET, POST, HEAD, OPTIONS", "*"]);
    assert.equal(open.headers.get("access-control-max-age"), "86400");
    for (const path of ["env", "no-such-thing"]) {
      const answer = await fetch(server.url(`/agents/open-web/r/${path}`));
      assert.equal(answer.headers.get("access-control-allow-origin"), "*", path);
    }
    const closed = await fetch(server.url("/agents/web/r/env"), preflight);
    assert.equal(closed.headers.get("access-control-allow-origin"), null);
  });

  test("what an agent answers wrongly is a 500, and the next request is answered", async () => {
    const raw = await Raw.connect(server);
    const ask = async (path) => {
      raw.send(`GET /agents/web/r/${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return raw.answer();
    };
    const thrown = await ask("throw");
    assert.deepEqual([thrown.status, thrown.body], [500, "the agent threw"]);
    assert.equal((await ask("dropped")).status, 500);
    assert.equal((await ask("status?code=700")).status, 500);
    const smuggled = await ask("header?value=a%0D%0AX-Evil:%201");
    assert.equal(smuggled.status, 500);
    assert.equal(smuggled.headers.get("x-evil"), undefined);
    assert.equal((await ask("header?value=fine")).headers.get("x-test"), "fine");
    assert.equal((await ask("status?code=418")).status, 418);
    raw.destroy();
  });

  test("a client that goes before its answer comes hurts nobody", async () => {
    for (let i = 0; i < 20; i += 1) {
      const raw = await exchange("GET /agents/web/gone/deferred?ms=30 HTTP/1.1\r\nHost: x\r\n\r\n");
      raw.reset();
    }
    const answer = await fetch(server.url("/agents/web/gone/deferred?ms=60&text=here"));
    assert.equal(await answer.text(), "here");
  });

  const refused = {
    "Content-Length and Transfer-Encoding": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two different lengths": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc",
    "a signed length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc",
    "a length that is no number": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc",
    "a negative length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a coding that is not chunked": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    "chunked twice": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked before another coding": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is no number": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is longer than it says": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "lines that end in LF": "GET / HTTP/1.1\nHost: x\n\n",
    "one line that ends in LF": "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "a CR inside a header": "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
    "a folded header": "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "a NUL in a header": "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "a NUL in the path": "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "a header without a colon": "GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "a header without a name": "GET / HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "two blanks in the first line": "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path without a slash": "GET else HTTP/1.1\r\nHost: x\r\n\r\n",
  };
  for (const [what, text] of Object.entries(refused)) {
    test(`${what}: 400 and the end`, async () => {
      const raw = await exchange(Buffer.from(text, "latin1"),
        "GET /agents/web/r/env HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.equal((await raw.answer()).status, 400);
      await raw.ended();
      assert.equal(raw.buffer.length, 0, "what follows is not taken for a request");
    });
  }

  test("a head above 16 KiB is refused, one below is not", async () => {
    const most = await exchange(`GET /agents/web/r/env HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(15_000)}\r\n\r\n`);
    assert.equal((await most.answer()).status, 200);
    most.destroy();
    const more = await exchange(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(17_000)}\r\n\r\n`);
    assert([400, 414, 431].includes((await more.answer()).status));
    await more.ended();
  });

  test("an unfinished request doesn't stay for ever", async () => {
    const impatient = await Server.start(["--handshake-timeout", "200ms"]);
    const nothing = await Raw.connect(impatient);
    const half = await Raw.connect(impatient);
    half.send("GET / HTTP/1.1\r\nHost:");
    const slow = await Raw.connect(impatient);
    const drip = setInterval(() => slow.send("G"), 20);
    await Promise.all([nothing.ended(), half.ended(), slow.ended()]);
    clearInterval(drip);
    const raw = await Raw.open(impatient, "/agents/echo/in-time");
    raw.sendFrame(1, "still here after the others went");
    assert.match((await raw.nextFrame()).payload.toString(), /still/);
    raw.destroy();
    await impatient.stop();
  });
});

describe("HTTP with --body-bytes-max and props", () => {
  test("has the limit and the props that it was given", async () => {
    const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const { join } = await import("node:path");
    const folder = await mkdtemp(join(tmpdir(), "ringroom-"));
    const config = join(folder, "ringroom.toml");
    await writeFile(config, `body-bytes-max = "1KiB"\nagents = ["${fixture}"]\n` +
      `[env]\nGREETING = "from the file"\n[props.Web]\ncolour = "red"\nsizes = [1, 2]\n`);
    const server = await Server.start(["--config", config]);
    const props = await (await fetch(server.url("/agents/web/r/props"))).json();
    assert.deepEqual(props, { colour: "red", sizes: [1, 2] });
    assert.deepEqual(await (await fetch(server.url("/agents/open-web/r/props"))).json(), null);
    assert.deepEqual(await (await fetch(server.url("/agents/web/r/env?key=GREETING"))).json(),
      { value: "from the file" });
    const post = (bytes) => fetch(server.url("/agents/web/r/echo"), { method: "POST", body: "x".repeat(bytes) });
    assert.equal((await post(1024)).status, 200);
    assert.equal((await post(1025)).status, 413);
    await server.stop();
    await rm(folder, { recursive: true });
  });
});
