import type { ErrorData } from "./contract.js";
export type ClientCode = "start" | "ended" | "timeout" | "unreadable" | "closed";
/** Why a call has no result. Neither its text nor its members hold a token. */
export declare class WorkerError extends Error {
    /** The contract's number, if the worker replied with an error; else the client's own word. */
    code: number | ClientCode;
    /** The details; `is` tells their type. */
    data: unknown;
    /** What to do about it. */
    hint: string | undefined;
    /**
     * @param {number | ClientCode} code
     * @param {string} message
     * @param {{ data?: unknown, hint?: string, cause?: unknown }} [more]
     */
    constructor(code: number | ClientCode, message: string, { data, hint, cause }?: {
        data?: unknown;
        hint?: string;
        cause?: unknown;
    });
    /**
     * Whether this is the contract's error with that number: its data then has the type that belongs to it.
     * @template {keyof ErrorData} C
     * @param {C} code
     * @returns {this is WorkerError & { code: C, data: ErrorData[C] }}
     */
    is<C extends keyof ErrorData>(code: C): this is WorkerError & {
        code: C;
        data: ErrorData[C];
    };
}
