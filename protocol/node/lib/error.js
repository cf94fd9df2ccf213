import { HINTS } from "./contract.js";

/** @import { ErrorData } from "./contract.js" */

/**
 * Why a call has no result, where the worker did not say it itself:
 * - `start`: the worker can't be started
 * - `ended`: it ended before it replied; whether the call was carried out is not known
 * - `timeout`: there was no reply in time; the call was cancelled
 * - `unreadable`: the reply is not what the contract says
 * - `closed`: the client was closed
 * @typedef {"start" | "ended" | "timeout" | "unreadable" | "closed"} ClientCode
 */

/** @type {Record<ClientCode, string>} */
const CLIENT_HINTS = {
  start: "show it to the user: the program has to be there, and to be executable",
  ended: "look at its log; a client with `restart` starts another worker for the next call",
  timeout: "retry, or give the call a longer `timeout`",
  unreadable: "report it: the worker has a bug",
  closed: "make another client",
};

/** Why a call has no result. Neither its text nor its members hold a token. */
export class WorkerError extends Error {
  /**
   * @param {number | ClientCode} code
   * @param {string} message
   * @param {{ data?: unknown, hint?: string, cause?: unknown }} [more]
   */
  constructor(code, message, { data, hint, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "WorkerError";
    /** The contract's number, if the worker replied with an error; else the client's own word. */
    this.code = code;
    /** The details; `is` tells their type. */
    this.data = data;
    /** What to do about it. */
    this.hint = hint ?? (typeof code === "string" ? CLIENT_HINTS[code] : HINTS[code]);
  }

  /**
   * Whether this is the contract's error with that number: its data then has the type that belongs to it.
   * @template {keyof ErrorData} C
   * @param {C} code
   * @returns {this is WorkerError & { code: C, data: ErrorData[C] }}
   */
  is(code) {
    return this.code === code;
  }
}
