// useAgent in a React page in a real browser: two tabs share a counter, with both generations of the
// SDK. The page comes from a server of its own, as an application's does.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { Browser } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const html = '<!doctype html><link rel="icon" href="data:,"><body><script src="page.js"></script>';

async function bundle(sdk) {
  const { outputFiles } = await build({
    entryPoints: ["react/page.mjs"], absWorkingDir: here,
    bundle: true, write: false, format: "iife", platform: "browser", target: "es2022", logLevel: "error",
    alias: { "agents/react": `${sdk}/react` },
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles[0].text;
}

/** Serves one page and its script, and nothing else. */
async function serve(script) {
  const site = createServer((request, response) => {
    const isScript = request.url.startsWith("/page.js");
    response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? script : html);
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  return site;
}

for (const [version, sdk] of [["0.32", "agents"], ["0.11", "agents-0-11"]]) {
  describe(`useAgent ${version}`, () => {
    let server, site, browser;
    before(async () => {
      [server, site, browser] = await Promise.all([Server.start(), serve(await bundle(sdk)), Browser.start()]);
    });
    after(async () => {
      await browser.stop();
      site.close();
      await server.stop();
    });

    async function tab(room) {
      const { port } = site.address();
      const page = await browser.tab(`http://127.0.0.1:${port}/?host=${server.host}:${server.port}&room=${room}`);
      const shows = (id, text) => page.locator(`#${id}`, { hasText: new RegExp(`^${text}$`) }).waitFor();
      const press = (label) => page.getByRole("button", { name: label, exact: true }).click();
      return { page, shows, press };
    }

    test("two tabs share a counter", async () => {
      const [ann, ben] = [await tab("shared"), await tab("shared")];
      for (const { shows } of [ann, ben]) {
        await shows("identity", "counter-agent/shared");
        await shows("counter", "0");
        await shows("servers", "0 servers");
      }
      await ann.press("increment");
      for (const { shows } of [ann, ben]) await shows("counter", "1");
      await ben.press("by stub");
      await ben.shows("message", "now 11");
      for (const { shows } of [ann, ben]) await shows("counter", "11");
      await ann.press("reset");
      for (const { shows } of [ann, ben]) await shows("counter", "0");
      const other = await tab("another");
      await other.press("by stub");
      await other.shows("counter", "10");
      await ben.shows("counter", "0");
      for (const { page } of [ann, ben, other]) await page.close();
    });

    test("refusals, errors and streams reach the page", async () => {
      const { page, shows, press } = await tab("errors");
      await shows("counter", "0");
      await press("below zero");
      await shows("message", "State update rejected");
      await press("boom");
      await shows("message", "as asked");
      await press("stream");
      await shows("message", "0 1 2 of 3");
      await page.close();
    });

    test("a tab that comes back sees what it missed", async () => {
      const [ann, ben] = [await tab("back"), await tab("back")];
      await ben.shows("counter", "0");
      await ann.press("by stub");
      await ben.shows("counter", "10");
      await ben.press("reconnect");
      await ann.press("increment");
      await ben.shows("counter", "11");
      for (const { page } of [ann, ben]) await page.close();
    });

    test("no tab had anything to complain about", () => {
      assert.deepEqual(browser.errors, []);
    });
  });
}
