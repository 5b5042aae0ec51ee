// The recordings of the real Agents SDK, played against the built server: what they show is what a
// client sees here. replay/differences.mjs says where that isn't so, and why.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clients, differences, frames } from "./replay/differences.mjs";
import { exchange } from "./replay/frames.mjs";
import { play } from "./replay/player.mjs";
import { load, names } from "./replay/script.mjs";
import { recordedAgents, Server } from "./support/server.mjs";

// Recordings in which an agent slept, and how often one was made in them. They are played where
// agents sleep soon; if one slept that shouldn't, because this machine was busy, with longer naps.
const agentsMade = { "40-hibernate-agent": 2, "41-hibernate-raw": 3 };
const naps = ["300ms", "1500ms", "6s"];
const rawFrames = "35-raw-frames";

/** Plays it once: what differs, and how many agents were made. */
async function playOnce(name, more) {
  const known = differences[name] ?? [];
  const rows = known.reduce((edited, { edit }) => edit?.(edited) ?? edited, load(name));
  const serve = known.flatMap((difference) => difference.serve ?? []);
  const server = await Server.start(["--agents", recordedAgents, ...serve, ...more]);
  const ignore = known.flatMap((difference) => difference.ignore ?? []);
  const byTheClock = known.some((difference) => difference.byTheClock);
  const found = await play(rows, server, { clients: clients[name], ignore, byTheClock });
  const made = await server.metric("ringroom_agents_created_total");
  await server.stop();
  return { found, made };
}

/** What comes by the clock isn't where it was recorded if this machine was busy: then again. */
async function replayByTheClock(name) {
  for (let left = 2; left > 0; left -= 1) {
    if ((await playOnce(name, [])).found.length === 0) return;
  }
  assert.deepEqual((await playOnce(name, [])).found, []);
}

async function replay(name) {
  if (differences[name]?.some((difference) => difference.byTheClock)) return void await replayByTheClock(name);
  if (!agentsMade[name]) return void assert.deepEqual((await playOnce(name, [])).found, []);
  for (const nap of naps) {
    const { found, made } = await playOnce(name, ["--hibernate-after", nap]);
    if (found.length === 0) return;
    if (made <= agentsMade[name] || nap === naps.at(-1)) assert.deepEqual(found, [], `naps of ${nap}`);
  }
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
