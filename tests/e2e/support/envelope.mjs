// tools/js/envelope.js with the flatbuffers that these tests installed, and a client around it.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "./client.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const repository = resolve(here, "../../..");
export const golden = join(repository, "proto/golden");
const modules = join(repository, "tools/js/node_modules");

if (!existsSync(join(modules, "flatbuffers"))) {
  mkdirSync(modules, { recursive: true });
  try {
    symlinkSync(join(here, "../node_modules/flatbuffers"), join(modules, "flatbuffers"));
  } catch (error) {
    if (error.code !== "EEXIST") throw error;  // another test file was faster
  }
}
export const { Batched, decode, encode, subprotocols } =
  await import(join(repository, "tools/js/envelope.js"));

/** A Client whose frames are envelopes. */
export class EnvelopeClient extends Client {
  static async connect(server, path, format, options = {}) {
    const query = `${path.includes("?") ? "&" : "?"}batch=${format}`;
    const client = new EnvelopeClient(server, path + query, options);
    client.format = format;
    await client.opened;
    return client;
  }

  pack(messages, sequence = 0) {
    this.send(encode(messages, { format: this.format, sequence }));
  }

  /** The next frame: an envelope, or { plain } with what it says. */
  async frame() {
    const data = await this.next();
    return decode(data) ?? { plain: JSON.parse(data) };
  }

  script(...steps) {
    this.send(JSON.stringify({ type: "script", steps }));
  }
}
