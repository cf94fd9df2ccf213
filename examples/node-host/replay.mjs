// Has the conversations of `protocol/transcripts` with a worker, through the host's own client.
// Usage: node replay.mjs WORKER FILE...; `/slow` of the Plex at PLEX_URL never answers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Worker } from "./host.mjs";
import { Said, replay } from "./transcript.mjs";

class Listening extends Worker {
  said = new Said();

  receive(message) {
    this.said.put(message);
  }
}

const [, , command, ...files] = process.argv;
for (const file of files) {
  const folder = mkdtempSync(join(tmpdir(), "replay-"));
  const worker = new Listening(command, ["--data-dir", folder]);
  const send = (text) => worker.process.stdin.write(text + "\n");
  try {
    await replay(file, { send, said: worker.said, close: () => worker.close() });
  } finally {
    worker.process.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}
