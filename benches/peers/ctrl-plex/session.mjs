// For each line on stdin: lists the sections that often, 32 at once, with one client; prints the seconds that it took.
import { createInterface } from "node:readline";
import { PlexServer } from "@ctrl/plex";

const server = new PlexServer(process.argv[2], "token");
for await (const line of createInterface({ input: process.stdin })) {
  let left = Number(line);
  const caller = async () => {
    while (left-- > 0) await server.query("/library/sections");
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: 32 }, caller));
  console.log((performance.now() - begin) / 1000);
}
