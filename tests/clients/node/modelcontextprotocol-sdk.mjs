// @modelcontextprotocol/sdk: the transport of a client, and a client that asks for MCP.

import * as task from "./task.mjs";

const { StdioClientTransport } = task.require("@modelcontextprotocol/sdk/client/stdio.js");
const { Client } = task.require("@modelcontextprotocol/sdk/client/index.js");
const server = { command: process.env.PLEXSYNC_WORKER, env: process.env };

const transport = new StdioClientTransport(server);
const waiting = new Map();
const progress = [];
transport.onmessage = (message) => {
  if (message.method === "$/progress") progress.push(message.params);
  else waiting.get(message.id)(message);
};
let last = 0;
const call = (method, params = {}) => {
  const id = ++last;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    transport.send({ jsonrpc: "2.0", id, method, params });
  });
};

await transport.start();
const ended = new Promise((resolve) => transport._process.once("close", resolve));
const identity = await call("identity.get");
const unknown = await call(task.unknown);
const answers = await Promise.all(task.calls.map((n) => call("plex.request", task.request(n))));
await call("plex.request", task.listing);
const slow = call("plex.request", task.slow);
transport.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: last } });
const cancelled = await slow;
await transport.close();
const client = new Client({ name: "anyone", version: "1" });
const refused = await client.connect(new StdioClientTransport(server)).catch((error) => error.code);
if (refused !== -32601) throw new Error(`MCP's own client: ${refused}`);
task.tell("@modelcontextprotocol/sdk", {
  device_id: identity.result.device_id,
  unknown: unknown.error.code,
  answered: task.right(answers.map(({ result }) => result)),
  progress: progress.at(-1).done,
  cancelled: cancelled.error.code,
  exit: await ended,
});
