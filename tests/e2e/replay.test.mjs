// The recordings of the real Agents SDK, played against the built server: what they show is what a
// client sees here. replay/differences.mjs says where that isn't so, and why.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clients, differences, frames } from "./replay/differences.mjs";
import { exchange } from "./replay/frames.mjs";
import { play } from "./replay/player.mjs";
import { load, names } from "./replay/script.mjs";
import { recordedAgents, Server } from "./support/server.mjs";

// Recordings that slept are played where agents sleep at once, the others where they don't.
const napping = /hibernate/;
const rawFrames = "35-raw-frames";

async function replay(name) {
  const known = differences[name] ?? [];
  const rows = known.reduce((edited, { edit }) => edit?.(edited) ?? edited, load(name));
  const idle = napping.test(name) ? ["--hibernate-after", "300ms"] : [];
  const more = known.flatMap(({ serve }) => serve ?? []);
  const server = await Server.start(["--agents", recordedAgents, ...idle, ...more]);
  const ignore = known.flatMap((difference) => difference.ignore ?? []);
  const found = await play(rows, server, { clients: clients[name], ignore });
  await server.stop();
  assert.deepEqual(found, []);
}

describe("Recordings", { concurrency: 4 }, () => {
  for (const name of names().filter((each) => each !== rawFrames)) {
    const whole = differences[name]?.find((difference) => difference.whole);
    test(name, { skip: whole?.why }, () => replay(name));
  }
});

describe(rawFrames, () => {
  test("frames", async () => {
    const server = await Server.start(["--agents", recordedAgents]);
    for (const row of load(rawFrames).filter((each) => each.test)) {
      const expected = { ...row, ...frames[row.test] };
      assert.deepEqual(await exchange(server, expected), expected.received, row.test);
    }
    await server.stop();
  });
});
