// A host in TypeScript: what it may write, and what the types refuse.

import { Client, WorkerError, type ClientOptions, type Identity, type Methods } from "plexsync-worker";

const options: ClientOptions = { dataDir: "/data", restart: true, onEvent: (event) => event.type === "ended" && event.end.code };
await using client = new Client(options);

const identity: Identity = await client.call("identity.get");
const state: "valid" | "invalid" | "unknown" | "none" | "other_device" = (await client.call("auth.status", { check: false })).token_state;
const names: string[] = (await client.call("server.list")).servers.map((server) => server.name);
const { items } = await client.call("plex.find", { paths: ["/a"] }, { signal: AbortSignal.timeout(1) });
await client.call("plex.request", { path: "/" }, { onProgress: ({ done, total }) => [done, total] });
console.log(identity.device_id, state, names, items[0]?.rating_key);

try {
  await client.call("device.remove", { ids: ["1"], dry_run: false });
} catch (error) {
  if (error instanceof WorkerError && error.is(-32014)) {
    const missing: "server" | "token" = error.data.missing;
    console.log(missing, error.hint);
  }
}

const method: keyof Methods = "plex.scan";
// @ts-expect-error: it is another one
const wrong: keyof Methods = "plex.scam";
// @ts-expect-error: `path` is missing
await client.call("plex.request");
// @ts-expect-error: `path` is no number
await client.call("plex.request", { path: 1 });
// @ts-expect-error: there is no such param
await client.call("identity.reset", { id: "x" });
// @ts-expect-error: it takes no params
await client.call("identity.get", { path: "/" });
// @ts-expect-error: it reports no progress
await client.call("identity.get", {}, { onProgress: () => {} });
// @ts-expect-error: there is no such member
console.log((await client.call("identity.get")).id, method, wrong);
// @ts-expect-error: there is no such option
new Client({ token: "x" });
