// A host with the Language Server Protocol's framing, through vscode-jsonrpc. Usage: node host.mjs WORKER DATA_DIR

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Where the package is: beside this file, or in the folder that NODE_MODULES names.
const require = createRequire(pathToFileURL(process.env.NODE_MODULES ?? import.meta.filename));
const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = require("vscode-jsonrpc/node");

const [, , command, dataDir] = process.argv;
const worker = spawn(command, ["--wire", "headers", "--data-dir", dataDir], { stdio: ["pipe", "pipe", "inherit"] });
const ended = new Promise((resolve) => worker.once("close", (code) => resolve(code ?? 1))); // none: killed
const reader = new StreamMessageReader(worker.stdout);
const connection = createMessageConnection(reader, new StreamMessageWriter(worker.stdin));
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
worker.stdin.end();
const hurry = ["SIGTERM", "SIGKILL"].map((signal, step) => setTimeout(() => worker.kill(signal), 11_000 * (step + 1)));
process.exitCode = await ended;
hurry.forEach(clearTimeout);
connection.dispose();
