// The load client as a process, and servers of other people's making for it.
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { within } from "./deadline.mjs";
import { Run } from "./server.mjs";

export const quick = ["--duration", "500ms", "--warm-up", "100ms", "--reply-timeout", "1s"];

/** Runs `ringroom load` to its end. */
export async function load(...args) {
  const run = new Run(["load", ...args]);
  const { code } = await within(run.exited, 60_000, "the end of the load");
  return { code, stdout: run.stdout.join("\n"), stderr: run.stderr };
}

/** A server of other people's making that does with each message what it is told. */
export async function misbehaving(onMessage) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  let number = 0;
  server.on("connection", (socket) => {
    socket.on("message", (data) => onMessage(socket, data, number++));
    socket.on("error", () => {});
  });
  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    stop() {
      server.clients.forEach((client) => client.terminate());
      server.close();
    },
  };
}
