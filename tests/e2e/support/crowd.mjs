// Thousands of connections from a process of their own (crowd.py).
import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.mjs";
import { start } from "./process.mjs";

export class Crowd {
  constructor(server, path, count) {
    const script = fileURLToPath(new URL("crowd.py", import.meta.url));
    this.count = count;
    this.child = start("/usr/bin/python3", [script, server.host, `${server.port}`, path, `${count}`],
      { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout });
    this.ended = once(this.child, "close");
  }

  /** Gives an order, and expects that every connection did it. */
  async all(order) {
    this.child.stdin.write(`${order}\n`);
    const ended = this.ended.then(() => { throw new Error(`the crowd ended at ${order}`); });
    ended.catch(() => {});
    const [line] = await within(Promise.race([once(this.lines, "line"), ended]), 60_000, order);
    assert.equal(line, `done ${this.count}`, order);
  }

  async quit() {
    this.child.stdin.end("quit\n");
    await within(this.ended, 10_000, "the end of the crowd");
  }
}
