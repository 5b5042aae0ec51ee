// A React page with the hook of the Agents SDK: one counter, shared by all who look at it. The test
// bundles it with one generation of the SDK ("agents/react") or the other.
import { useAgent } from "agents/react";
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";

const query = new URLSearchParams(location.search);

function Counter() {
  const [counter, setCounter] = useState();
  const [identity, setIdentity] = useState("");
  const [servers, setServers] = useState("");
  const [message, setMessage] = useState("");
  const agent = useAgent({
    agent: "CounterAgent",
    name: query.get("room"),
    host: query.get("host"),
    onStateUpdate: (state) => setCounter(state.counter),
    onStateUpdateError: setMessage,
    onIdentity: (name, kind) => setIdentity(`${kind}/${name}`),
    onMcpUpdate: (mcp) => setServers(`${Object.keys(mcp.servers).length} servers`),
  });
  const button = (label, onClick) => h("button", { onClick }, label);
  const fails = (promise) => promise.catch((error) => setMessage(error.message));
  const stream = async () => {
    const parts = [];
    await agent.call("streamCount", [3], { onChunk: ({ i }) => parts.push(i), onDone: ({ total }) => parts.push(`of ${total}`) });
    setMessage(parts.join(" "));
  };
  return h("main", null,
    h("output", { id: "counter" }, counter),
    h("output", { id: "identity" }, identity),
    h("output", { id: "servers" }, servers),
    h("output", { id: "message" }, message),
    button("increment", () => fails(agent.call("increment"))),
    button("by stub", async () => setMessage(`now ${await agent.stub.increment(10)}`)),
    button("reset", () => agent.setState({ counter: 0 })),
    button("below zero", () => agent.setState({ counter: -1 })),
    button("boom", () => fails(agent.call("boom", ["as asked"]))),
    button("stream", stream),
    button("reconnect", () => agent.reconnect()));
}

createRoot(document.body.appendChild(document.createElement("div"))).render(h(Counter));
