import { WorkerError } from "./error.js";
import type { Methods, Progress } from "./contract.js";
import type { End } from "./process.js";
export type ClientOptions = {
    /**
     * The worker: a path, or a name that is looked for in `PATH`. Default: see `programPath`.
     */
    program?: string;
    /**
     * More arguments. Everybody can read them: no token belongs here.
     */
    args?: string[];
    /**
     * Variables beside those of the host's own environment.
     */
    env?: {
        [name: string]: string;
    };
    /**
     * The folder of the identity (`PLEXSYNC_DATA_DIR`).
     */
    dataDir?: string;
    /**
     * The Plex server (`PLEX_URL`).
     */
    plexUrl?: string;
    /**
     * The token for that server (`PLEX_TOKEN`); it goes through the environment.
     */
    plexToken?: string;
    /**
     * The file that holds this token (`PLEX_TOKEN_FILE`).
     */
    plexTokenFile?: string;
    /**
     * Whether the next call starts another worker when one has ended. Default: no, every call
     * after a worker's end is an error, `ended`.
     */
    restart?: boolean;
    /**
     * How long a call may take, unless it says otherwise, in milliseconds; default 35000: what
     * the worker gives Plex, and 5 s.
     */
    timeout?: number;
    /**
     * The longest message that the worker reads, in bytes; default 16 MiB. A longer call is
     * not sent: the worker could not say which one it refuses.
     */
    maxMessage?: number;
    /**
     * Takes the worker's log, line by line. Default: the host's own stderr.
     */
    onLog?: (line: string) => void;
    /**
     * Takes what happens beside the calls.
     */
    onEvent?: (event: ClientEvent) => void;
};
export type ClientEvent = {
    type: "started";
    pid: number;
} | {
    type: "ended";
    end: End;
} | {
    type: "late";
    method: string;
    error?: WorkerError;
} | {
    type: "progress";
    progress: Progress;
} | {
    type: "unexpected";
    reason: string;
};
export type CallOptions = {
    /**
     * Cancels the call in the worker; it then fails with the signal's reason, an AbortError
     * unless the host gave another.
     */
    signal?: AbortSignal;
    /**
     * How long to wait for the reply, in milliseconds; then the call is cancelled, and fails
     * with `timeout`. Default: a little more than the worker's own `timeout_ms`, whose error says more.
     */
    timeout?: number;
};
export type ProgressOptions = {
    /**
     * Takes each `$/progress` of this call.
     */
    onProgress?: (progress: Progress) => void;
};
export type OptionsOf<P> = CallOptions & (string extends keyof P ? {} : "progress_token" extends keyof P ? ProgressOptions : {});
export type ArgumentsOf<P> = {} extends P ? [params?: P, options?: OptionsOf<P>] : [params: P, options?: OptionsOf<P>];
export type OpenCall = {
    method: string;
    waiting?: {
        resolve: (result: any) => void;
        reject: (reason: unknown) => void;
        onProgress: ((progress: Progress) => void) | undefined;
    };
};
/**
 * @typedef {object} ClientOptions
 * @property {string} [program] The worker: a path, or a name that is looked for in `PATH`. Default: see `programPath`.
 * @property {string[]} [args] More arguments. Everybody can read them: no token belongs here.
 * @property {{ [name: string]: string }} [env] Variables beside those of the host's own environment.
 * @property {string} [dataDir] The folder of the identity (`PLEXSYNC_DATA_DIR`).
 * @property {string} [plexUrl] The Plex server (`PLEX_URL`).
 * @property {string} [plexToken] The token for that server (`PLEX_TOKEN`); it goes through the environment.
 * @property {string} [plexTokenFile] The file that holds this token (`PLEX_TOKEN_FILE`).
 * @property {boolean} [restart] Whether the next call starts another worker when one has ended. Default: no, every call
 * after a worker's end is an error, `ended`.
 * @property {number} [timeout] How long a call may take, unless it says otherwise, in milliseconds; default 35000: what
 * the worker gives Plex, and 5 s.
 * @property {number} [maxMessage] The longest message that the worker reads, in bytes; default 16 MiB. A longer call is
 * not sent: the worker could not say which one it refuses.
 * @property {(line: string) => void} [onLog] Takes the worker's log, line by line. Default: the host's own stderr.
 * @property {(event: ClientEvent) => void} [onEvent] Takes what happens beside the calls.
 */
/**
 * What happens beside the calls:
 * - `started`, `ended`: a worker
 * - `late`: a call that the host no longer waits for was answered, and not with "cancelled": it may have been carried out
 * - `progress`: of a call with a `progress_token` of the host's own
 * - `unexpected`: a message that belongs to no call; what it holds is not quoted, but for an error's message
 * @typedef {{ type: "started", pid: number }
 *   | { type: "ended", end: End }
 *   | { type: "late", method: string, error?: WorkerError }
 *   | { type: "progress", progress: Progress }
 *   | { type: "unexpected", reason: string }} ClientEvent
 */
/**
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] Cancels the call in the worker; it then fails with the signal's reason, an AbortError
 * unless the host gave another.
 * @property {number} [timeout] How long to wait for the reply, in milliseconds; then the call is cancelled, and fails
 * with `timeout`. Default: a little more than the worker's own `timeout_ms`, whose error says more.
 */
/**
 * @typedef {object} ProgressOptions
 * @property {(progress: Progress) => void} [onProgress] Takes each `$/progress` of this call.
 */
/**
 * Only methods with a `progress_token` report progress; those without params have every name and none.
 * @template P
 * @typedef {CallOptions & (string extends keyof P ? {} : "progress_token" extends keyof P ? ProgressOptions : {})} OptionsOf
 */
/**
 * Params can be left out where none are required.
 * @template P
 * @typedef {{} extends P ? [params?: P, options?: OptionsOf<P>] : [params: P, options?: OptionsOf<P>]} ArgumentsOf
 */
/**
 * A call without a reply yet, and who waits for it: nobody, if the host has given it up.
 * @typedef {{ method: string, waiting?: { resolve: (result: any) => void, reject: (reason: unknown) => void,
 *   onProgress: ((progress: Progress) => void) | undefined } }} OpenCall
 */
/** A running worker. Many calls may be under way; while there are any, the host's event loop is kept alive. */
export declare class Client {
    #private;
    /**
     * Starts the worker. If that fails, the first call says why.
     * @param {ClientOptions} [options]
     * @throws {WorkerError} `start`: there is no program.
     */
    constructor(options?: ClientOptions);
    /** The process id of the worker that runs, or ran last; none if it could not be started. */
    get pid(): number | undefined;
    /** The end of the worker's log. */
    get log(): string;
    /**
     * Calls a method of the contract. It is never repeated by the client itself.
     * @template {keyof Methods} M
     * @param {M} method
     * @param {ArgumentsOf<Methods[M]["params"]>} rest The params, and how to call.
     * @returns {Promise<Methods[M]["result"]>}
     * @throws {WorkerError} See its `code` and `hint`.
     */
    call<M extends keyof Methods>(method: M, ...rest: ArgumentsOf<Methods[M]["params"]>): Promise<Methods[M]["result"]>;
    /**
     * Ends the worker: closes its stdin and waits while it answers what it has accepted (10 s at most); one that hangs is
     * sent SIGTERM, then SIGKILL. Calls after that fail with `closed`.
     */
    close(): Promise<End>;
    /** So that `await using` ends the worker. */
    [Symbol.asyncDispose](): Promise<void>;
    /**
     * Kills the worker, for one that does not reply any more: what it has on disk survives that. Calls on their way fail
     * with `ended`; with `restart` the next call after that starts another worker.
     */
    kill(): void;
}
