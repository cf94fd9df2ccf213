import { accessSync, closeSync, constants, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

import { WorkerError } from "./error.js";

const NAME = "plexsync-worker";
const FILE = process.platform === "win32" ? `${NAME}.exe` : NAME;
const PACKAGE = `${NAME}-${process.platform}-${process.arch}`;

/**
 * Where the worker's program is: in the package for this platform, else in `PATH`.
 * @returns {string}
 * @throws {WorkerError} `start`: it is in neither.
 */
export function programPath() {
  const found = packaged() ?? inPath();
  if (found) return found;
  throw new WorkerError("start", `there is neither a package \`${PACKAGE}\` nor a program \`${FILE}\` in PATH`, {
    hint: `install \`${PACKAGE}\` (\`--omit=optional\` leaves it out), or say in \`program\` where the worker is`,
  });
}

function packaged() {
  try {
    return createRequire(import.meta.url).resolve(`${PACKAGE}/${FILE}`);
  } catch {
    return undefined; // not installed
  }
}

function inPath() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, FILE)).find(isProgram);
}

/**
 * A script is none: npm puts one of this name in `PATH`, which would look for the program here again.
 * @param {string} path
 */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    const start = Buffer.alloc(2);
    const file = openSync(path, "r");
    try {
      return readSync(file, start) === 2 && start.toString() !== "#!";
    } finally {
      closeSync(file);
    }
  } catch {
    return false; // not there, or a folder
  }
}
