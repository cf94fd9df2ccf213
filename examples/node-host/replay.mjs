// Has the conversations of `protocol/transcripts` with a worker, through the package `plexsync-worker`: those that are
// calls and replies through its `Client`, the others line by line.
// Usage: node replay.mjs FILE...; `/slow` of the Plex at PLEX_URL never answers.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client, WorkerProcess, programPath } from "plexsync-worker";

import { Said, replay } from "./transcript.mjs";

const [, , ...files] = process.argv;
for (const file of files) {
  const folder = mkdtempSync(join(tmpdir(), "replay-"));
  const said = new Said();
  const worker = isCalls(file) ? withClient(folder, said) : lineByLine(folder, said);
  try {
    await replay(file, { ...worker, said });
  } finally {
    worker.kill();
    rmSync(folder, { recursive: true });
  }
}

/** Whether all that the host sends in this conversation is calls of JSON-RPC 2.0. */
function isCalls(file) {
  const sent = readFileSync(file, "utf8").split("\n").filter((line) => line.startsWith("--> "));
  return sent.every((line) => {
    try {
      const { jsonrpc, id, method } = JSON.parse(line.slice(4));
      return jsonrpc === "2.0" && id !== undefined && method;
    } catch {
      return false;
    }
  });
}

function withClient(dataDir, said) {
  const unexpected = (event) => event.type === "unexpected" && said.put(event);
  const client = new Client({ dataDir, onEvent: unexpected });
  const call = async ({ id, method, params }) => {
    try {
      said.put({ jsonrpc: "2.0", id, result: await client.call(method, params) });
    } catch ({ code, message, data }) {
      said.put({ jsonrpc: "2.0", id, error: { code, message, ...(data && { data }) } });
    }
  };
  return { send: (text) => call(JSON.parse(text)), close: async () => (await client.close()).code, kill: () => client.kill() };
}

function lineByLine(folder, said) {
  const worker = new WorkerProcess({
    program: programPath(),
    args: ["--data-dir", folder],
    onLine: (line) => said.put(JSON.parse(line)),
    onLog: (line) => console.error(line),
  });
  worker.hold(true);
  return { send: (text) => worker.send(text), close: async () => (await worker.close()).code, kill: () => worker.kill() };
}
