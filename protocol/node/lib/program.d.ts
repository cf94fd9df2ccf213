/**
 * Where the worker's program is: in the package for this platform, else in `PATH`.
 * @returns {string}
 * @throws {WorkerError} `start`: it is in neither.
 */
export declare function programPath(): string;
