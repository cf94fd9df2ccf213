export type End = {
    code: number | null;
    signal: string | null;
    error?: Error;
};
/**
 * How a worker ended: by itself (`code`), by a signal, or never started (`error`).
 * @typedef {{ code: number | null, signal: string | null, error?: Error }} End
 */
/**
 * One worker: lines in, lines out. For hosts that have messages of their own to exchange; the others use `Client`.
 *
 * It does not keep the host's event loop alive unless it is told to `hold` it.
 */
export declare class WorkerProcess {
    #private;
    /** Resolved when it has ended, and everything that it wrote was read. @type {Promise<End>} */
    ended: Promise<End>;
    /**
     * Starts the worker. That it can't be started is how it `ended`.
     * @param {object} options
     * @param {string} options.program
     * @param {string[]} [options.args]
     * @param {{ [name: string]: string | undefined }} [options.env] The whole environment; default the host's own.
     * @param {(line: string) => void} options.onLine Takes each line of stdout.
     * @param {(line: string) => void} options.onLog Takes each line of stderr.
     */
    constructor({ program, args, env, onLine, onLog }: {
        program: string;
        args?: string[];
        env?: {
            [name: string]: string | undefined;
        };
        onLine: (line: string) => void;
        onLog: (line: string) => void;
    });
    /** Its process id; none if it could not be started. */
    get pid(): number | undefined;
    /** The end of its log. */
    get log(): string;
    /**
     * Sends a line. Without effect after the worker's end.
     * @param {string} line
     */
    send(line: string): void;
    /**
     * Whether the host's event loop waits for the worker.
     * @param {boolean} held
     */
    hold(held: boolean): void;
    /** Ends it: closes its stdin, waits while it answers what it has accepted, then sends SIGTERM, then SIGKILL. */
    close(): Promise<End>;
    /** Kills it, for one that does not reply any more: what it has on disk survives that. */
    kill(): void;
}
