// Processes of the tests. None outlives its file's tests, nor keeps the file from ending.
import { spawn } from "node:child_process";
import { after } from "node:test";

const running = new Set();
after(() => running.forEach((child) => child.kill("SIGKILL")));

/** As spawn of node:child_process. */
export function start(command, args, options) {
  const child = spawn(command, args, options);
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}
