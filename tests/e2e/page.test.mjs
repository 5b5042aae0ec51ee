// The page of GET / in a real browser: two tabs talk to each other.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Browser } from "./support/browser.mjs";
import { artifacts, lastingAddress, Server } from "./support/server.mjs";

describe("The page", () => {
  let server, browser;

  before(async () => {
    server = await Server.start();
    browser = await Browser.start();
  });
  after(async () => {
    await browser.stop();
    await server.stop();
  });

  async function tab(query, where = server) {
    const page = await browser.tab(where.url(`/${query}`));
    await page.locator("#chat .status[data-state=open]").waitFor();
    await page.locator("#presence .status[data-state=open]").waitFor();
    return page;
  }

  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const hear = (page, text) => page.locator("#messages li .body", { hasText: text }).waitFor();

  test("two tabs chat and see each other come and go", async () => {
    const ann = await tab("?name=Ann");
    const ben = await tab("?name=Ben");
    await ann.locator("#messages .note", { hasText: "Ben came in" }).waitFor();
    await say(ann, "Hello Ben, is this thing on?");
    await hear(ben, "Hello Ben");
    await say(ben, "It is. <b>Not bold</b>, I hope. Grüße!");
    await hear(ann, "<b>Not bold</b>, I hope. Grüße!");
    assert.equal(await ann.locator("#messages b").count(), 0, "what people write is text, never markup");
    await say(ann, "See you in the next round");
    await hear(ben, "next round");
    for (const page of [ann, ben]) {
      await page.locator("#people li", { hasText: "Ann" }).waitFor();
      await page.locator("#people li", { hasText: "Ben" }).waitFor();
    }
    await ann.screenshot({ path: join(artifacts, "page-chat.png"), fullPage: true });
    await ben.emulateMedia({ colorScheme: "dark" });
    await ben.setViewportSize({ width: 390, height: 844 });
    assert(await ben.evaluate("document.documentElement.scrollWidth <= innerWidth"), "fits a phone");
    await ben.screenshot({ path: join(artifacts, "page-phone-dark.png"), fullPage: true });
    await ben.close();
    await ann.locator("#messages .note", { hasText: "Ben left" }).waitFor();
    await ann.locator("#people li", { hasText: "Ben" }).waitFor({ state: "detached" });
    await ann.close();
  });

  test("a name and a room may be changed", async () => {
    const cat = await tab("?name=Cat");
    await cat.fill("#name", "Katze");
    await cat.fill("#room", "garden & house");
    await cat.press("#room", "Enter");
    await cat.locator("#people li", { hasText: "Katze (you)" }).waitFor();
    const dog = await tab(`?name=Dog&room=${encodeURIComponent("garden & house")}`);
    await cat.locator("#messages .note", { hasText: "Dog came in" }).waitFor();
    await say(dog, "wuff");
    await hear(cat, "wuff");
    await Promise.all([cat.close(), dog.close()]);
  });

  test("every class can be tried", async () => {
    const page = await tab("?name=Eve");
    const echo = page.locator("[data-segment=echo] button");
    await echo.click();
    await page.locator("#console .status[data-state=open]").waitFor();
    await page.fill("#frame", "anybody there?");
    await page.press("#frame", "Enter");
    await page.locator("#frames li", { hasText: "← anybody there?" }).waitFor();
    await page.locator("[data-segment=lab] button").click();
    await page.locator("#console .status[data-state=open]").waitFor();
    await page.press("#frame", "Enter");
    await page.locator("#frames li", { hasText: '"instance"' }).waitFor();
    await page.close();
  });

  test("it comes back by itself after the server was restarted", async () => {
    const listen = await lastingAddress();
    const first = await Server.start(["--listen", listen]);
    const page = await tab("?name=Phoenix", first);
    await first.stop();
    await page.locator("#chat .status[data-state=offline]").waitFor();
    assert(await page.locator("#say button").isDisabled());
    const second = await Server.start(["--listen", listen]);
    await page.locator("#chat .status[data-state=open]").waitFor();
    await say(page, "I am back");
    await hear(page, "I am back");
    await page.close();
    await second.stop();
  });

  test("no tab had anything to complain about", () => {
    assert.deepEqual(browser.errors, []);
  });
});
