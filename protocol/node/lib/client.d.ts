import type { Methods, Progress } from "./contract.js";
import type { ArgumentsOf, ClientOptions } from "./options.js";
import type { End } from "./process.js";
export type OpenCall = {
    method: string;
    waiting?: {
        resolve: (result: any) => void;
        reject: (reason: unknown) => void;
        onProgress: ((progress: Progress) => void) | undefined;
    };
};
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
     * @throws {TypeError} An option has a name that is none, or a value of another type.
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
