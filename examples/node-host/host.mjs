// A host in Node's standard library: copy `Worker` into your plugin. Usage: node host.mjs WORKER DATA_DIR

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A call that failed; `code` says what to do next, `data` the details. */
export class WorkerError extends Error {
  constructor({ code, message, data }) {
    super(`${message} (${code})`);
    Object.assign(this, { code, data });
  }
}

/** One worker process. Many calls may be under way: replies are matched by id. */
export class Worker {
  #waiting = new Map();
  #lastId = 0;
  #failure;

  constructor(command, args, log = process.stderr) {
    this.process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => this.process.once("close", (code) => resolve(code ?? 1))); // none: killed
    this.process.stderr.pipe(log, { end: false });
    this.process.once("error", (error) => this.#fail(error));
    this.process.stdin.on("error", (error) => this.#fail(error));
    createInterface({ input: this.process.stdout })
      .on("line", (line) => this.receive(JSON.parse(line)))
      .on("close", () => this.#fail(new Error("the worker has ended")));
  }

  receive({ id, result, error }) {
    const call = this.#waiting.get(id); // none for a notification, such as `$/progress`
    this.#waiting.delete(id);
    if (error) call?.reject(new WorkerError(error));
    else call?.resolve(result);
  }

  #fail(error) {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  call(method, params = {}) {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.process.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
    });
  }

  /** The end of stdin ends the worker; one that hangs is asked, then killed. */
  async close() {
    this.process.stdin.end();
    const hurry = ["SIGTERM", "SIGKILL"].map((signal, step) =>
      setTimeout(() => this.process.kill(signal), 11_000 * (step + 1)),
    );
    const code = await this.ended;
    hurry.forEach(clearTimeout);
    return code;
  }
}

if (process.argv[1]?.endsWith("host.mjs")) {
  const [, , command, dataDir] = process.argv;
  const worker = new Worker(command, ["--data-dir", dataDir]);
  console.log("device", (await worker.call("identity.get")).device_id);
  try {
    const { status, body } = await worker.call("plex.request", { path: "/identity" });
    console.log("status", status, body.MediaContainer.machineIdentifier);
    await worker.call("plex.request", { path: "no-slash" });
  } catch (error) {
    console.log("error", error.code, JSON.stringify(error.data));
  }
  process.exitCode = await worker.close();
}
