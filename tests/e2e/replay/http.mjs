// One recorded HTTP exchange, its target sent byte by byte as it was recorded.
import { Raw } from "../support/raw.mjs";

/** What made the recorded Sec-WebSocket-Accept where the request's headers weren't written down. */
const upgradeHeaders = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "AOf3WCmVs8FRfKEyd5TiJw==",
  "Sec-WebSocket-Version": "13",
};

/** Status, headers and body of the answer. */
export async function ask(server, { http, requestHeaders, status }) {
  const space = http.indexOf(" ");
  const [method, target] = [http.slice(0, space), http.slice(space + 1)];
  const headers = { Host: `${server.host}:${server.port}`, ...(requestHeaders ?? upgradeHeaders) };
  if (method === "POST") headers["Content-Length"] = "0";
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const raw = await Raw.connect(server);
  raw.send(Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, "latin1"));
  try {
    const head = await raw.head();
    const length = method === "HEAD" || status === 101 ? 0 : Number(head.headers.get("content-length") ?? 0);
    const body = (await raw.bytes(length)).toString();
    return { status: head.status, headers: Object.fromEntries(head.headers), body };
  } finally {
    raw.destroy();
  }
}
