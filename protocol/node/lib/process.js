import { spawn } from "node:child_process";

import { LIMITS } from "./contract.js";

/** How long a worker is waited for that answers what it has accepted, and one that was sent SIGTERM, in milliseconds. */
const PATIENCE = LIMITS.drain_ms + 5_000;
const AFTER_SIGTERM = 5_000;
/** How long a worker that closed its stdout has to exit. */
const EXIT = 1_000;
/** How long the log of a worker that has exited is read; a process that it started may hold the stream. */
const LAST_WORDS = 200;
/** How much of the log is kept, in characters. */
const LOG_KEPT = 65_536;

/**
 * How a worker ended: by itself (`code`), by a signal, or never started (`error`).
 * @typedef {{ code: number | null, signal: string | null, error?: Error }} End
 */

/**
 * One worker: lines in, lines out. For hosts that have messages of their own to exchange; the others use `Client`.
 *
 * It does not keep the host's event loop alive unless it is told to `hold` it.
 */
export class WorkerProcess {
  /** @type {import("node:child_process").ChildProcessWithoutNullStreams | undefined} */
  #child;
  #log = "";
  /** Resolved when it has ended, and everything that it wrote was read. @type {Promise<End>} */
  ended;

  /**
   * Starts the worker. That it can't be started is how it `ended`.
   * @param {object} options
   * @param {string} options.program
   * @param {string[]} [options.args]
   * @param {{ [name: string]: string | undefined }} [options.env] The whole environment; default the host's own.
   * @param {(line: string) => void} options.onLine Takes each line of stdout.
   * @param {(line: string) => void} options.onLog Takes each line of stderr.
   */
  constructor({ program, args = [], env, onLine, onLog }) {
    const child = started(program, args, env ?? process.env);
    if (child instanceof Error) {
      this.ended = Promise.resolve({ code: null, signal: null, error: child });
      return;
    }
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.on("error", (error) => child.pid ?? resolve({ code: null, signal: null, error }));
      child.on("close", (code, signal) => resolve({ code, signal }));
    });
    child.stdin.on("error", () => {}); // told by its end
    readLines(child.stdout, onLine);
    const keep = (/** @type {string} */ line) => {
      this.#log = `${this.#log}${line}\n`.slice(-LOG_KEPT);
      onLog(line);
    };
    readLines(child.stderr, keep, keep);
    child.stdout.once("close", () => later(EXIT, () => this.kill()));
    child.once("exit", () => later(LAST_WORDS, () => child.stderr.destroy()));
    this.hold(false);
  }

  /** Its process id; none if it could not be started. */
  get pid() {
    return this.#child?.pid;
  }

  /** The end of its log. */
  get log() {
    return this.#log;
  }

  /**
   * Sends a line. Without effect after the worker's end.
   * @param {string} line
   */
  send(line) {
    if (this.#child?.stdin.writable) this.#child.stdin.write(`${line}\n`);
  }

  /**
   * Whether the host's event loop waits for the worker.
   * @param {boolean} held
   */
  hold(held) {
    const { stdin, stdout, stderr } = this.#child ?? {};
    for (const part of [this.#child, stdin, stdout, stderr]) {
      const handle = /** @type {import("node:net").Socket | undefined} */ (part);
      if (held) handle?.ref();
      else handle?.unref();
    }
  }

  /** Ends it: closes its stdin, waits while it answers what it has accepted, then sends SIGTERM, then SIGKILL. */
  async close() {
    this.hold(true);
    this.#child?.stdin.end();
    const hurry = [
      setTimeout(() => this.#child?.kill("SIGTERM"), PATIENCE),
      setTimeout(() => this.kill(), PATIENCE + AFTER_SIGTERM),
    ];
    const end = await this.ended;
    hurry.forEach((timer) => clearTimeout(timer));
    return end;
  }

  /** Kills it, for one that does not reply any more: what it has on disk survives that. */
  kill() {
    this.#child?.kill("SIGKILL");
  }
}

/**
 * Starts a program. Some failures Node throws, others it tells later, or by leaving the streams out.
 * @param {string} program
 * @param {string[]} args
 * @param {{ [name: string]: string | undefined }} env
 */
function started(program, args, env) {
  try {
    const child = spawn(program, args, { env, stdio: "pipe", windowsHide: true });
    if (child.stdin) return child;
    child.once("error", () => {});
    return new Error("the system has no room for another process");
  } catch (error) {
    return /** @type {Error} */ (error);
  }
}

/**
 * Does something later, if the host still runs then.
 * @param {number} ms
 * @param {() => void} what
 */
function later(ms, what) {
  setTimeout(what, ms).unref();
}

/**
 * Line ends are those of JSON lines alone: Node's own reader of lines also takes U+2028, which may stand in a title.
 * @param {import("node:stream").Readable} stream
 * @param {(line: string) => void} onLine
 * @param {(rest: string) => void} [onRest] Takes what the stream's end has cut off.
 */
function readLines(stream, onLine, onRest) {
  /** @type {Buffer[]} */
  let parts = [];
  stream.on("data", (/** @type {Buffer} */ chunk) => {
    let from = 0;
    for (let end; (end = chunk.indexOf("\n", from)) >= 0; from = end + 1) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString();
      parts = [];
      onLine(line);
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  });
  stream.once("end", () => parts.length && onRest?.(Buffer.concat(parts).toString()));
}
