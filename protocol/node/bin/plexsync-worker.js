#!/usr/bin/env node
// The worker itself, with this command's arguments and streams.

import { spawn } from "node:child_process";

import { programPath } from "../lib/program.js";

try {
  run(programPath());
} catch (error) {
  fail(/** @type {import("../lib/error.js").WorkerError} */ (error));
}

/** @param {string} program */
function run(program) {
  const worker = spawn(program, process.argv.slice(2), { stdio: "inherit" });
  worker.once("error", fail);
  worker.once("exit", (code, signal) => {
    for (const signal of ["SIGTERM", "SIGINT"]) process.removeAllListeners(signal);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
  process.on("SIGTERM", () => worker.kill("SIGTERM"));
  // On a terminal the worker gets it, too: a second one would end it at once.
  process.on("SIGINT", () => process.stdin.isTTY || worker.kill("SIGINT"));
}

/** @param {{ message: string, hint?: string }} error */
function fail({ message, hint }) {
  console.error(`plexsync-worker: ${message}`);
  if (hint) console.error(`hint: ${hint}`);
  process.exitCode = 1;
}
