// What every client does, and what it says of it. README.md beside this folder tells it in words.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// Its packages are in the folder that NODE_MODULES names.
export const require = createRequire(join(process.env.NODE_MODULES, "anything"));
export const calls = Array.from({ length: 100 }, (_, n) => n);
export const unknown = "no.such.method";
export const slow = { path: "/slow" };
export const listing = { path: "/library/sections/1/all", all_pages: true, progress_token: "news" };
const text = (n) => `${n} Amélie 映画 🎬\u2028`;

export const request = (n) => ({ path: `/text/${n}`, query: { text: text(n) } });

/** How many of the answers are those to their own call. */
export const right = (results) => results.filter(({ body }, n) => body.text === text(n)).length;

/** Starts a worker; `ended` is its exit code. */
export function start() {
  const worker = spawn(process.env.PLEXSYNC_WORKER, { stdio: ["pipe", "pipe", "inherit"] });
  return { worker, ended: new Promise((resolve) => worker.once("close", resolve)) };
}

/** Not with `readline`, which takes U+2028 for the end of a line. */
export function lines(stream, take) {
  let rest = "";
  stream.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    lines.forEach(take);
  });
}

export function tell(name, seen) {
  const text = readFileSync(join(process.env.NODE_MODULES, name, "package.json"), "utf8");
  console.log(JSON.stringify({ version: JSON.parse(text).version, ...seen }));
}
