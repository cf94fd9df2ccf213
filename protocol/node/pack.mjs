// Makes the files that npm installs: of the package for hosts, and of one package for each platform.
// Usage: node pack.mjs PROGRAM PLATFORM [PROGRAM PLATFORM]... OUT; PLATFORM is Node's name, as linux-x64 or win32-x64.
//
// PLEXSYNC_LICENSES names the terms of what the program is made of, which go with it.
//
// The package for hosts names the platforms that are packed with it, and no others: a name that is not published yet
// could be published by anybody.

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PROJECT = join(HERE, "../..");
const MAIN = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
const PLATFORM = /^(linux|win32|darwin|freebsd)-(x64|arm64|arm)$/;

process.umask(0o022);
const out = resolve(process.argv.at(-1));
const programs = pairs(process.argv.slice(2, -1));
const work = mkdtempSync(join(tmpdir(), "plexsync-npm-"));
try {
  mkdirSync(out, { recursive: true });
  pack(main(programs.map(({ platform }) => nameFor(platform))));
  for (const program of programs) pack(forPlatform(program));
} finally {
  rmSync(work, { recursive: true });
}

function pairs(words) {
  const usage = "usage: node pack.mjs PROGRAM PLATFORM [PROGRAM PLATFORM]... OUT";
  if (words.length === 0 || words.length % 2) throw new Error(usage);
  return words.flatMap((program, at) => (at % 2 ? [] : [{ program, platform: checked(words[at + 1]) }]));
}

function checked(platform) {
  if (!PLATFORM.test(platform)) throw new Error(`\`${platform}\` is no platform: expected one of Node's, as linux-x64`);
  return platform;
}

function nameFor(platform) {
  return `${MAIN.name}-${platform}`;
}

/** The package for hosts. */
function main(platforms) {
  const folder = begun(MAIN.name, {
    ...MAIN,
    files: [...MAIN.files, "LICENSE*"],
    optionalDependencies: Object.fromEntries(platforms.map((name) => [name, MAIN.version])),
  });
  for (const name of [...MAIN.files, "README.md"]) cpSync(join(HERE, name), join(folder, name), { recursive: true });
  return folder;
}

/** A package with the program alone. No `libc`: the one for Linux is static, and runs beside any. */
function forPlatform({ program, platform }) {
  const [os, cpu] = platform.split("-");
  const name = nameFor(platform);
  const folder = begun(name, {
    name,
    version: MAIN.version,
    description: `The program of \`${MAIN.name}\` for ${platform}: install that`,
    license: MAIN.license,
    os: [os],
    cpu: [cpu],
    preferUnplugged: true,
  });
  const file = join(folder, os === "win32" ? `${MAIN.name}.exe` : MAIN.name);
  copyFileSync(program, file);
  chmodSync(file, 0o755);
  const licenses = process.env.PLEXSYNC_LICENSES;
  if (licenses) copyFileSync(licenses, join(folder, basename(licenses)));
  return folder;
}

function begun(name, manifest) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const license of readdirSync(PROJECT).filter((file) => file.startsWith("LICENSE"))) {
    copyFileSync(join(PROJECT, license), join(folder, license));
  }
  return folder;
}

/** `npm pack` gives every file the same old time, but leaves its mode: the same inputs make the same bytes. */
function pack(folder) {
  const words = ["pack", "--ignore-scripts", "--silent", "--pack-destination", out];
  const name = execFileSync("npm", words, { cwd: folder, encoding: "utf8", shell: process.platform === "win32" });
  console.log(join(out, name.trim()));
}
