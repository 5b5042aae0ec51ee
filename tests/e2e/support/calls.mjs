// Callbacks whose calls a test can wait for and look at.
import { within } from "./deadline.mjs";

export class Calls {
  constructor(...names) {
    this.queues = new Map(names.map((name) => [name, []]));
    this.changed = new Map(names.map((name) => [name, () => {}]));
    /** To be given to whoever calls them. */
    this.functions = Object.fromEntries(names.map((name) => [name, (...args) => {
      this.queues.get(name).push(args);
      this.changed.get(name)();
    }]));
  }

  /** The arguments of the next call; it is forgotten then. */
  async next(name) {
    const queue = this.queues.get(name);
    const wait = async () => {
      while (queue.length === 0) await new Promise((resolve) => this.changed.set(name, resolve));
      return queue.shift();
    };
    return within(wait(), 10_000, `a call of ${name}`);
  }

  /** The arguments of all calls that weren't asked for by next(). */
  all(name) {
    return [...this.queues.get(name)];
  }

  count(name) {
    return this.queues.get(name).length;
  }

  forget(name) {
    this.queues.get(name).length = 0;
  }
}
