// A host in Node, with the package `plexsync-worker`, which brings the worker. Usage: node host.mjs DATA_DIR

import { Client, WorkerError } from "plexsync-worker";

const [, , dataDir] = process.argv;
const client = new Client({ dataDir });
try {
  console.log("device", (await client.call("identity.get")).device_id);
  const { status, body } = await client.call("plex.request", { path: "/identity" });
  console.log("status", status, body.MediaContainer.machineIdentifier);
  await client.call("plex.request", { path: "no-slash" }, { signal: AbortSignal.timeout(60_000) });
} catch (error) {
  if (!(error instanceof WorkerError) || typeof error.code === "string") throw error; // the worker itself has failed
  console.log("error", error.code, JSON.stringify(error.data));
  console.log("hint:", error.hint);
} finally {
  process.exitCode = (await client.close()).code ?? 1; // none: killed, or not started
}
