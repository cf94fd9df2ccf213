import { setMaxListeners } from "node:events";

import { LIMITS } from "./contract.js";
import { WorkerError } from "./error.js";
import { WorkerProcess } from "./process.js";
import { programPath } from "./program.js";

/** @import { Methods, Progress } from "./contract.js" */
/** @import { ArgumentsOf, CallOptions, ClientEvent, ClientOptions, ProgressOptions } from "./options.js" */
/** @import { End } from "./process.js" */

/** How much longer the client waits than the worker takes at most, in milliseconds. */
const MARGIN = 5_000;
/** The worker's own time for a call that brings none. */
const TIMEOUT = 30_000;
const FINISH_TIMEOUT = 60_000;
/** The longest time that a timer of Node knows. */
const FOREVER = 2 ** 31 - 1;
const CANCELLED = -32800;
const OF_THE_WORKER = ["program", "args", "env", "dataDir", "plexUrl", "plexToken", "plexTokenFile", "maxMessage"];
const CLIENT_OPTIONS = [...OF_THE_WORKER, "restart", "timeout", "onLog", "onEvent"];
const CALL_OPTIONS = ["signal", "timeout", "onProgress"];

/**
 * A call without a reply yet, and who waits for it: nobody, if the host has given it up.
 * @typedef {{ method: string, waiting?: { resolve: (result: any) => void, reject: (reason: unknown) => void,
 *   onProgress: ((progress: Progress) => void) | undefined } }} OpenCall
 */

/** A running worker. Many calls may be under way; while there are any, the host's event loop is kept alive. */
export class Client {
  #options;
  #maxMessage;
  #lastId = 0;
  /** @type {Map<unknown, OpenCall>} */
  #calls = new Map();
  #awaited = 0;
  /** @type {WorkerProcess} */
  #process;
  /** @type {End | undefined} How it ended, if it has. */
  #end;
  /** @type {Promise<End> | undefined} */
  #closing;

  /**
   * Starts the worker. If that fails, the first call says why.
   * @param {ClientOptions} [options]
   * @throws {WorkerError} `start`: there is no program.
   * @throws {TypeError} An option has a name that is none, or a value of another type.
   */
  constructor(options = {}) {
    known(options, CLIENT_OPTIONS);
    const program = options.program ?? programPath();
    this.#options = { ...options, program };
    this.#maxMessage = options.maxMessage ?? LIMITS.max_message_bytes;
    this.#process = this.#start();
  }

  /** The process id of the worker that runs, or ran last; none if it could not be started. */
  get pid() {
    return this.#process.pid;
  }

  /** The end of the worker's log. */
  get log() {
    return this.#process.log;
  }

  /**
   * Calls a method of the contract. It is never repeated by the client itself.
   * @template {keyof Methods} M
   * @param {M} method
   * @param {ArgumentsOf<Methods[M]["params"]>} rest The params, and how to call.
   * @returns {Promise<Methods[M]["result"]>}
   * @throws {WorkerError} See its `code` and `hint`.
   */
  call(method, ...rest) {
    return new Promise((resolve, reject) => {
      const params = rest[0] ?? {};
      /** @type {CallOptions & ProgressOptions} */
      const options = rest[1] ?? {};
      known(options, CALL_OPTIONS);
      const { signal, timeout, onProgress } = options;
      signal?.throwIfAborted();
      const id = ++this.#lastId;
      const line = this.#line(id, method, onProgress ? { ...params, progress_token: id } : params);
      const worker = this.#running();
      const giveUp = (/** @type {unknown} */ reason) => {
        waiting.reject(reason);
        this.#calls.set(id, { method });
        worker.send(JSON.stringify({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id } }));
      };
      const onAbort = () => giveUp(signal?.reason);
      const onTimeout = () => giveUp(new WorkerError("timeout", `\`${method}\` was not answered in time`));
      const timer = setTimeout(onTimeout, Math.min(timeout ?? this.#patience(method, params), FOREVER));
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#calls.delete(id);
        if (--this.#awaited === 0) worker.hold(false);
      };
      const waiting = {
        onProgress,
        resolve: (/** @type {any} */ result) => (done(), resolve(result)),
        reject: (/** @type {unknown} */ reason) => (done(), reject(reason)),
      };
      if (signal) setMaxListeners(0, signal); // Node warns of a leak where one signal serves many calls
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#calls.set(id, { method, waiting });
      if (++this.#awaited === 1) worker.hold(true);
      worker.send(line);
    });
  }

  /**
   * Ends the worker: closes its stdin and waits while it answers what it has accepted (10 s at most); one that hangs is
   * sent SIGTERM, then SIGKILL. Calls after that fail with `closed`.
   */
  close() {
    this.#closing ??= this.#process.close();
    return this.#closing;
  }

  /** So that `await using` ends the worker. */
  async [Symbol.asyncDispose]() {
    await this.close();
  }

  /**
   * Kills the worker, for one that does not reply any more: what it has on disk survives that. Calls on their way fail
   * with `ended`; with `restart` the next call after that starts another worker.
   */
  kill() {
    this.#process.kill();
  }

  #start() {
    const { program, args = [], maxMessage, onLog } = this.#options;
    const process = new WorkerProcess({
      program,
      args: maxMessage === undefined ? args : [...args, "--max-message", String(maxMessage)],
      env: environment(this.#options),
      onLine: (line) => this.#receive(line),
      onLog: (line) => (onLog ? soon(onLog, line) : console.error(line)),
    });
    this.#end = undefined;
    if (process.pid) this.#tell({ type: "started", pid: process.pid });
    process.ended.then((end) => this.#atEnd(end));
    return process;
  }

  /** The worker that runs; another one in place of one that has ended, if the host wants that. */
  #running() {
    if (this.#closing) throw new WorkerError("closed", "the client was closed");
    if (this.#end) {
      if (!this.#options.restart) throw this.#ended(this.#end);
      this.#process = this.#start();
    }
    return this.#process;
  }

  /** @param {End} end */
  #atEnd(end) {
    this.#end = end;
    const error = this.#ended(end);
    for (const { waiting } of this.#calls.values()) waiting?.reject(error);
    this.#calls.clear();
    this.#tell({ type: "ended", end });
  }

  /** @param {End} end */
  #ended({ code, signal, error }) {
    if (error) return new WorkerError("start", `the worker can't be started: ${error.message}`, { cause: error });
    const last = this.log.trimEnd().split("\n").at(-1);
    const how = signal ? `by ${signal}` : `with exit code ${code}`;
    return new WorkerError("ended", `the worker ended ${how}${last ? `: ${last}` : ""}`, { data: { code, signal } });
  }

  /**
   * @param {number} id
   * @param {string} method
   * @param {object} params
   */
  #line(id, method, params) {
    const line = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    if (Buffer.byteLength(line) < this.#maxMessage) return line;
    throw new WorkerError(-32600, `\`${method}\` is longer than ${this.#maxMessage} bytes`, {
      hint: "raise `maxMessage`, or send less",
    });
  }

  /**
   * @param {string} method
   * @param {{ timeout_ms?: number | null, wait_ms?: number | null }} params
   */
  #patience(method, { timeout_ms, wait_ms }) {
    const isFinish = method === "auth.finish";
    if (timeout_ms == null && !wait_ms && !isFinish) return this.#options.timeout ?? TIMEOUT + MARGIN;
    return (timeout_ms ?? (isFinish ? FINISH_TIMEOUT : TIMEOUT)) + (wait_ms ?? 0) + MARGIN;
  }

  /** @param {string} line */
  #receive(line) {
    if (!line.trim()) return;
    const message = parsed(line);
    if (message?.method === "$/progress") return this.#report(message.params);
    const id = message ? message.id : leadingId(line);
    const sent = this.#calls.get(id);
    if (!sent || message?.method) return this.#unexpected(message);
    this.#calls.delete(id);
    const error = errorOf(message);
    const { method, waiting } = sent;
    if (waiting && error) waiting.reject(error);
    else if (waiting) waiting.resolve(message.result);
    else if (error?.code !== CANCELLED) this.#tell({ type: "late", method, error });
  }

  /** @param {Progress} progress */
  #report(progress) {
    const sent = this.#calls.get(progress?.token);
    if (!sent) this.#tell({ type: "progress", progress });
    else if (sent.waiting?.onProgress) soon(sent.waiting.onProgress, progress);
  }

  /** @param {any} message */
  #unexpected(message) {
    const reason = message?.error?.message ?? (message ? "no reply to a call of this client" : "no JSON");
    this.#tell({ type: "unexpected", reason: String(reason) });
  }

  /** @param {ClientEvent} event */
  #tell(event) {
    if (this.#options.onEvent) soon(this.#options.onEvent, event);
  }
}

/**
 * Refuses a slip of the pen: without its `dataDir` a host would be another device to Plex, and nobody told.
 * @param {object} options
 * @param {string[]} names
 */
function known(options, names) {
  const other = Object.keys(options).find((name) => !names.includes(name));
  if (other !== undefined) throw new TypeError(`\`${other}\` is no option: expected some of ${names.join(", ")}`);
}

/** @param {ClientOptions} options */
function environment({ env, dataDir, plexUrl, plexToken, plexTokenFile }) {
  const own = {
    PLEXSYNC_DATA_DIR: dataDir,
    PLEX_URL: plexUrl,
    PLEX_TOKEN: plexToken,
    PLEX_TOKEN_FILE: plexTokenFile,
  };
  const given = Object.entries(own).filter(([, value]) => value != null);
  // Else `String` would make a folder of it: `[object Object]`.
  const odd = given.find(([, value]) => typeof value !== "string");
  if (odd) throw new TypeError(`the option for ${odd[0]}: expected a string`);
  return { ...process.env, ...env, ...Object.fromEntries(given) };
}

/**
 * An exception of the host's own must not stop the reading of replies.
 * @template T
 * @param {(value: T) => void} listener
 * @param {T} value
 */
function soon(listener, value) {
  queueMicrotask(() => listener(value));
}

/** @param {string} line */
function parsed(line) {
  try {
    return Object(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/**
 * The id of a damaged reply: the worker writes it before the result.
 * @param {string} line
 */
function leadingId(line) {
  return Number(/^\{"jsonrpc":"2\.0","id":(\d+),/.exec(line)?.[1]);
}

/**
 * Why a message is no result, if it is none.
 * @param {any} message
 */
function errorOf(message) {
  const { error } = message ?? {};
  if (message && "result" in message && !("error" in message)) return undefined;
  if (!message || "result" in message || typeof error?.code !== "number" || typeof error.message !== "string")
    return new WorkerError("unreadable", "the reply is not what the contract says");
  return new WorkerError(error.code, error.message, { data: error.data });
}
