// The rules of `protocol/transcripts`, for the hosts in JavaScript: see protocol/README.md.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const PATIENCE = 30_000;

/** What a worker says, in the order in which it comes: `put` it there, `next` waits for it. */
export class Said {
  #messages = [];
  #waiting;

  put(message) {
    if (!this.#waiting) return this.#messages.push(message);
    this.#waiting(message);
    this.#waiting = undefined;
  }

  next() {
    if (this.#messages.length) return this.#messages.shift();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the worker says nothing")), PATIENCE);
      this.#waiting = (message) => resolve(message, clearTimeout(late));
    });
  }

  get rest() {
    return this.#messages;
  }
}

/** Has one conversation: `send` takes a text, `close` tells the worker's exit code. */
export async function replay(file, { send, said, close }) {
  const names = new Map();
  const lines = readFileSync(file, "utf8").split("\n");
  for (const [at, line] of lines.entries()) {
    const [, way, text] = line.match(/^(-->|<--) (.*)$/) ?? [];
    if (way === "-->") send(filledIn(text, names));
    else if (way === "<--") {
      const reply = await said.next();
      if (!fits(JSON.parse(text), reply, names))
        throw new Error(`${file}:${at + 1}: expected ${text}\n got ${JSON.stringify(reply)}`);
    } else if (line && !line.startsWith("#")) throw new Error(`${file}:${at + 1}: neither \`-->\` nor \`<--\` nor \`#\``);
  }
  const code = await close();
  if (code || said.rest.length) throw new Error(`${file}: after the last line ${JSON.stringify(said.rest)}, exit code ${code}`);
  console.log("as written:", file);
}

/** Whether `value` is what `expected` says; a name takes the first value that it meets. */
function fits(expected, value, names) {
  if (typeof expected === "string" && /^\$[a-z_]+$/.test(expected)) {
    if (!names.has(expected)) names.set(expected, value);
    return isDeepStrictEqual(names.get(expected), value);
  }
  if (expected === null || typeof expected !== "object") return expected === value;
  const [keys, others] = [expected, value ?? {}].map((one) => Object.keys(one).sort());
  if (Array.isArray(expected) !== Array.isArray(value) || !isDeepStrictEqual(keys, others)) return false;
  return keys.every((key) => fits(expected[key], value[key], names));
}

/** `text` with the values of its names; one that is no JSON, or names nothing, as it is. */
function filledIn(text, names) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return text.replace(/"(\$[a-z_]+)"/g, (_, name) => {
    if (!names.has(name)) throw new Error(`nothing is named \`${name}\` yet`);
    return JSON.stringify(names.get(name));
  });
}
