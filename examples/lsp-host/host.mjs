// A host with the Language Server Protocol's framing, through vscode-jsonrpc. Usage: node host.mjs WORKER DATA_DIR

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Where the package is: beside this file, or in the folder that NODE_MODULES names.
const require = createRequire(pathToFileURL(process.env.NODE_MODULES ?? import.meta.filename));
const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = require("vscode-jsonrpc/node");

/** Starts a worker; `reader` tells the messages that it sends. */
export function start(command, dataDir) {
  const worker = spawn(command, ["--wire", "headers", "--data-dir", dataDir], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => worker.once("close", (code) => resolve(code ?? 1))); // none: killed
  return { worker, ended, reader: new StreamMessageReader(worker.stdout) };
}

/** The end of stdin ends the worker; one that hangs is asked, then killed. */
export async function close({ worker, ended }) {
  worker.stdin.end();
  const hurry = ["SIGTERM", "SIGKILL"].map((signal, step) => setTimeout(() => worker.kill(signal), 11_000 * (step + 1)));
  const code = await ended;
  hurry.forEach(clearTimeout);
  return code;
}

if (process.argv[1]?.endsWith("host.mjs")) {
  const [, , command, dataDir] = process.argv;
  const started = start(command, dataDir);
  const connection = createMessageConnection(started.reader, new StreamMessageWriter(started.worker.stdin));
  connection.listen();
  console.log("device", (await connection.sendRequest("identity.get", {})).device_id);
  try {
    const { status, body } = await connection.sendRequest("plex.request", { path: "/identity" });
    console.log("status", status, body.MediaContainer.machineIdentifier);
    await connection.sendRequest("plex.request", { path: "no-slash" });
  } catch (error) {
    console.log("error", error.code, JSON.stringify(error.data));
  }
  connection.end();
  process.exitCode = await close(started);
  connection.dispose();
}
