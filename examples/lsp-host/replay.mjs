// Has the conversations of `protocol/transcripts` with a worker, in the Language Server Protocol's framing.
// Usage: node replay.mjs WORKER FILE...; `/slow` of the Plex at PLEX_URL never answers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Said, replay } from "../node-host/transcript.mjs";
import { close, start } from "./host.mjs";

const [, , command, ...files] = process.argv;
for (const file of files) {
  const folder = mkdtempSync(join(tmpdir(), "replay-"));
  const started = start(command, folder);
  const said = new Said();
  started.reader.listen((message) => said.put(message));
  // Not by a StreamMessageWriter: what the transcripts send need not be JSON.
  const send = (text) => started.worker.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  try {
    await replay(file, { send, said, close: () => close(started) });
  } finally {
    started.worker.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}
