// What a host may rely on, where the package is installed.
// Usage: node --test, in a folder where `plexsync-worker` is installed and this file lies.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { inspect, promisify } from "node:util";

import { Client, WorkerError, WorkerProcess, programPath } from "plexsync-worker";

const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folder() {
  folders.push(mkdtempSync(join(tmpdir(), "plexsync-")));
  return folders.at(-1);
}

/** A client whose worker has a data folder of its own, and what happened beside its calls. */
function start(options = {}) {
  const events = [];
  const client = new Client({ dataDir: folder(), onEvent: (event) => events.push(event), ...options });
  return { client, events };
}

function odd(habit, options = {}) {
  return start({ program: process.execPath, args: [new URL("odd_worker.mjs", import.meta.url).pathname, habit], ...options });
}

/** A server that answers `/slow` never, and all else with `body`: a text, or what a function makes of the request. */
async function server(body = '"quick"') {
  const http = createServer((request, response) => {
    if (request.url === "/slow") return void http.emit("arrived", once(response, "close"));
    response.setHeader("Content-Type", "application/json").end(typeof body === "string" ? body : body(request));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${http.address().port}`;
  const params = { server: url, token: "", retries: 0 };
  return { http, url, slow: { ...params, path: "/slow" }, quick: { ...params, path: "/quick" } };
}

/** A listing of 250 items, the page that was asked for. */
function page({ url, headers }) {
  const asked = (name) => Number(new URL(url, "http://x").searchParams.get(name) ?? headers[name.toLowerCase()]);
  const [offset, wanted] = [asked("X-Plex-Container-Start"), asked("X-Plex-Container-Size")];
  const size = Math.min(wanted, 250 - offset);
  const Metadata = Array.from({ length: size }, (_, at) => ({ ratingKey: String(offset + at) }));
  return JSON.stringify({ MediaContainer: { offset, size, totalSize: 250, Metadata } });
}

/** Ends in the order in which tests need it: the clients first. */
function end(http) {
  http.closeAllConnections();
  http.close();
}

const failure = (call) => call.then((result) => assert.fail(inspect(result)), (error) => error);

test("the program is the one of the package for this platform", async () => {
  assert.match(programPath(), new RegExp(`node_modules/plexsync-worker-${process.platform}-${process.arch}/plexsync-worker$`));
  const { client } = start();
  const { device_id, origin } = await client.call("identity.get");
  assert.equal(origin, "created");
  assert.equal((await client.call("identity.reset")).previous, device_id);
  assert.deepEqual(await client.close(), { code: 0, signal: null });
});

test("a quick call does not wait for a slow one, and each gets its own answer", async () => {
  const { http, slow, quick } = await server();
  const { client } = start();
  const arrived = once(http, "arrived");
  const pending = client.call("plex.request", slow, { signal: AbortSignal.timeout(60_000) });
  await arrived;
  const paths = Array.from({ length: 20 }, (_, at) => `/quick?${at}`);
  const results = await Promise.all(paths.map((path) => client.call("plex.request", { ...quick, path })));
  assert.deepEqual(results.map(({ url }) => new URL(url).search.slice(1)), paths.map((_, at) => String(at)));
  client.kill();
  assert.equal((await failure(pending)).code, "ended");
  end(http);
});

test("an aborted call ends at Plex, and fails as the signal says", async () => {
  const { http, slow } = await server();
  const { client, events } = start();
  for (const reason of [undefined, null, "no longer needed"]) {
    const controller = new AbortController();
    const arrived = once(http, "arrived");
    const pending = failure(client.call("plex.request", slow, { signal: controller.signal }));
    const [gone] = await arrived;
    controller.abort(reason);
    const error = await pending;
    if (reason === undefined) assert.equal(error.name, "AbortError");
    else assert.equal(error, reason);
    await gone;
  }
  await client.close();
  assert.deepEqual(events.map(({ type }) => type), ["started", "ended"]);
  end(http);
});

test("a call with an aborted signal is not sent", async () => {
  const { http, slow } = await server();
  http.on("arrived", () => assert.fail("it was sent"));
  const { client } = start();
  const error = await failure(client.call("plex.request", slow, { signal: AbortSignal.abort() }));
  assert.equal(error.name, "AbortError");
  await client.close();
  end(http);
});

test("one signal serves many calls, without a warning and without a trace", async () => {
  const warned = mock.fn();
  process.on("warning", warned);
  const { client } = start();
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 40 }, () => client.call("identity.get", {}, { signal })));
  await client.close();
  await new Promise(setImmediate);
  process.off("warning", warned);
  assert.deepEqual(warned.mock.calls.map((call) => call.arguments), []);
});

test("a call that takes too long is cancelled", async () => {
  const { client, events } = odd("late");
  const error = await failure(client.call("auth.logout", {}, { timeout: 1 }));
  assert.equal(error.code, "timeout");
  assert.match(error.hint, /timeout/);
  await client.close();
  // This worker answers only when it is asked to cancel.
  assert.deepEqual(events.map(({ type }) => type), ["started", "late", "ended"]);
});

test("a call that brings its own time has that", async () => {
  const { client } = start({ timeout: 1, plexUrl: "http://127.0.0.1:1", plexToken: "x" });
  const path = "/media/movies/new/Heat.mkv";
  assert.equal((await failure(client.call("plex.request", { path: "/", retries: 0, timeout_ms: 20_000 }))).code, -32010);
  assert.equal((await failure(client.call("plex.scan", { path, wait_ms: 10 }))).code, -32010);
  assert.equal((await failure(client.call("auth.finish"))).code, -32015);
  await client.close();
});

test("progress comes page by page", async () => {
  const { http, quick } = await server(page);
  const { client, events } = start();
  const reports = [];
  const params = { ...quick, all_pages: true };
  const { body } = await client.call("plex.request", params, { onProgress: (report) => reports.push(report) });
  assert.equal(body.MediaContainer.Metadata.length, 250);
  assert.ok(reports.length > 0 && reports.every(({ total }) => total === 250), inspect(reports));
  assert.ok(reports.every(({ done }, at) => at === 0 || done > reports[at - 1].done), inspect(reports));
  await client.call("plex.request", { ...params, progress_token: "mine" });
  await client.close();
  const own = events.filter(({ type }) => type === "progress").map(({ progress }) => progress.token);
  assert.ok(own.length > 0 && own.every((token) => token === "mine"), inspect(events));
  end(http);
});

test("an error has code, data and hint", async () => {
  const { client } = start();
  const nowhere = { server: "http://127.0.0.1:1", token: "", retries: 0 };
  const error = await failure(client.call("plex.request", { ...nowhere, path: "no-slash" }));
  assert.ok(error instanceof WorkerError && error instanceof Error);
  assert.ok(error.is(-32602) && !error.is(-32014), inspect(error));
  assert.equal(error.data.pointer, "/path");
  assert.match(error.hint, /fix the request/);
  const nobody = await failure(client.call("plex.request", { ...nowhere, path: "/" }));
  assert.ok(nobody.is(-32010));
  assert.equal(nobody.data.kind, "connect");
  await client.close();
});

test("a killed worker is started again by the next call, and is the same device", async () => {
  const { http, slow } = await server();
  const { client, events } = start({ restart: true });
  const { device_id } = await client.call("identity.get");
  const arrived = once(http, "arrived");
  const pending = failure(client.call("plex.request", slow));
  await arrived;
  const first = client.pid;
  process.kill(first, "SIGKILL");
  const error = await pending;
  assert.equal(error.code, "ended");
  assert.deepEqual(error.data, { code: null, signal: "SIGKILL" });
  assert.equal((await client.call("identity.get")).device_id, device_id);
  assert.notEqual(client.pid, first);
  await client.close();
  assert.deepEqual(events.map(({ type }) => type), ["started", "ended", "started", "ended"]);
  end(http);
});

test("without `restart` a worker's end is the end", async () => {
  const { client } = odd("dies", { onLog: () => {} });
  for (const method of ["auth.logout", "identity.get"]) {
    const error = await failure(client.call(method));
    assert.equal(error.code, "ended");
    assert.match(error.message, /exit code 3: out of luck/);
  }
  assert.equal((await client.close()).code, 3);
});

test("a title may hold what other readers take for the end of a line", async () => {
  const title = "one\u2028two\u2029three\u0085four";
  const { http, quick } = await server(JSON.stringify({ title, long: "ä".repeat(300_000) }));
  const { client } = start();
  const { body } = await client.call("plex.request", quick);
  assert.equal(body.title, title);
  assert.equal(body.long.length, 300_000);
  await client.close();
  end(http);
});

test("a damaged reply is the error of its call alone", async () => {
  const { client, events } = odd("damaged");
  const [bad, good] = await Promise.all([failure(client.call("auth.logout")), client.call("auth.status")]);
  assert.equal(bad.code, "unreadable");
  assert.equal(good.signed_in, true);
  await client.close();
  assert.deepEqual(events.map(({ type }) => type), ["started", "ended"]);
});

test("what belongs to no call is an event", async () => {
  const { client, events } = odd("babbles");
  await client.call("auth.status");
  await client.close();
  const reasons = events.filter(({ type }) => type === "unexpected").map(({ reason }) => reason);
  assert.deepEqual(reasons, ["no JSON", "no reply to a call of this client", "too long"]);
});

test("an answer that comes too late is an event", async () => {
  const { client, events } = odd("late");
  const controller = new AbortController();
  const pending = failure(client.call("auth.logout", {}, { signal: controller.signal }));
  controller.abort();
  await pending;
  await client.close();
  assert.deepEqual(events.find(({ type }) => type === "late"), { type: "late", method: "auth.logout", error: undefined });
});

test("a call on its way is answered before the worker is closed, and none is taken after", async () => {
  const { http, quick } = await server();
  const { client } = start();
  const pending = client.call("plex.request", quick);
  const closing = client.close();
  assert.equal((await failure(client.call("identity.get"))).code, "closed");
  assert.equal((await pending).status, 200);
  assert.equal((await closing).code, 0);
  assert.equal(await client.close(), await closing);
  end(http);
});

test("a worker that hangs is asked to end, then killed", async () => {
  const log = new EventEmitter();
  const { client } = odd("hangs", { onLog: (line) => log.emit(line) });
  await client.call("auth.status");
  const timers = new Map();
  const clock = mock.method(globalThis, "setTimeout", (run, ms) => timers.set(ms, run));
  const closing = client.close();
  clock.mock.restore();
  const asked = once(log, "asked to end");
  timers.get(15_000)();
  await asked;
  timers.get(20_000)();
  assert.deepEqual(await closing, { code: null, signal: "SIGKILL" });
});

test("`await using` ends the worker", async () => {
  const { client } = start();
  await client.call("identity.get");
  await client[Symbol.asyncDispose]();
  assert.equal((await failure(client.call("identity.get"))).code, "closed");
});

test("a token is in no argument, and nowhere that the client shows", async () => {
  const token = "a-very-secret-token";
  const lines = [];
  const env = { PLEXSYNC_LOG: "trace" };
  const { client } = start({ plexUrl: "http://127.0.0.1:1", plexToken: token, env, onLog: (line) => lines.push(line) });
  const error = await failure(client.call("plex.request", { path: "/", retries: 0 }));
  assert.equal(error.code, -32010);
  const proc = `/proc/${client.pid}/cmdline`;
  const shown = [inspect(client, { depth: 9, showHidden: true }), inspect(error, { depth: 9 })];
  if (existsSync(proc)) shown.push(readFileSync(proc, "utf8"));
  await client.close();
  shown.push(client.log, ...lines);
  assert.ok(lines.length > 0 && !shown.join("\n").includes(token));
});

test("no error holds a token", async () => {
  const token = "a-very-secret-token";
  const call = { path: "/", server: "http://127.0.0.1:1", token, retries: 0 };
  const quiet = { plexToken: token, onLog: () => {} };
  for (const [code, { client }, params, options] of [
    [-32010, start(quiet), call],
    [-32602, start(quiet), { ...call, token: `${token}\n` }],
    [-32602, start(quiet), { ...call, token: [token] }],
    [-32602, start(quiet), { ...call, server: `http://${token}@a` }],
    [-32600, start({ ...quiet, maxMessage: 1000 }), { ...call, body: token.repeat(1000) }],
    ["start", start({ ...quiet, program: "/no/such/program" }), call],
    ["timeout", odd("late", quiet), call, { timeout: 1 }],
    ["unreadable", odd("garbles", quiet), call],
    ["ended", odd("dies", quiet), call],
  ]) {
    const error = await failure(client.call("plex.request", params, options));
    assert.equal(error.code, code, inspect(error));
    await client.close();
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(token), inspect(error));
  }
});

test("a file can hold the token", async () => {
  const { http, url } = await server(({ headers }) => JSON.stringify(headers["x-plex-token"]));
  const plexTokenFile = join(folder(), "token");
  writeFileSync(plexTokenFile, "out-of-a-file", { mode: 0o600 });
  const { client } = start({ env: { PLEX_TOKEN: "" }, plexUrl: url, plexTokenFile });
  assert.equal((await client.call("plex.request", { path: "/" })).body, "out-of-a-file");
  await client.close();
  end(http);
});

test("an idle client does not keep its host alive, a call does; the log is the host's", async () => {
  const host = `
    import { Client } from "plexsync-worker";
    const client = new Client({ dataDir: process.argv[1], env: { PLEXSYNC_LOG: "trace" } });
    client.call("identity.get").then(({ origin }) => console.log(origin));`;
  const words = ["--input-type=module", "--eval", host, folder()];
  const options = { cwd: import.meta.dirname ?? new URL(".", import.meta.url).pathname, timeout: 60_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, options);
  assert.equal(stdout, "created\n");
  assert.notEqual(stderr, "");
});

test("a program that can't be started is told by the first call", async () => {
  for (const program of ["/no/such/program", folder(), "no\0name"]) {
    const { client, events } = start({ program, restart: true });
    for (const _ of [1, 2]) {
      const error = await failure(client.call("identity.get"));
      assert.equal(error.code, "start", inspect(error));
      assert.match(error.hint, /executable/);
    }
    assert.ok((await client.close()).error instanceof Error);
    assert.ok(events.every(({ type }) => type === "ended"), inspect(events));
  }
});

test("a call that is longer than the worker reads is not sent", async () => {
  const { client } = start({ maxMessage: 1000 });
  const error = await failure(client.call("plex.find", { path: `/${"x".repeat(1000)}` }));
  assert.ok(error.is(-32600));
  assert.match(error.hint, /maxMessage/);
  const line = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "plex.find", params: { path: "" } }).length;
  const fits = await failure(client.call("plex.find", { path: "x".repeat(999 - line) }));
  assert.equal(fits.data.pointer, "/path");
  await client.close();
});

test("an option with a slip in its name is refused: nobody becomes another device by it", async () => {
  for (const options of [{ datadir: folder() }, { dataDir: folder(), plexURL: "http://127.0.0.1" }])
    assert.throws(() => new Client(options), { name: "TypeError", message: /`(datadir|plexURL)` is no option.*dataDir/ });
  const { client } = start();
  await assert.rejects(client.call("identity.get", {}, { timeOut: 1 }), /`timeOut` is no option.*signal/);
  await client.close();
});

test("a folder that is no string makes no device, and null is none given", async () => {
  for (const dataDir of [new URL("file:///tmp/x"), 5, {}])
    assert.throws(() => new Client({ dataDir }), { name: "TypeError", message: /PLEXSYNC_DATA_DIR: expected a string/ });
  const data = folder();
  const { client } = start({ dataDir: null, env: { PLEXSYNC_DATA_DIR: data } });
  assert.equal((await client.call("identity.get")).path, join(data, "device_id.json"));
  await client.close();
});

test("a host can exchange lines of its own", async () => {
  const lines = [];
  const worker = new WorkerProcess({
    program: programPath(),
    args: ["--data-dir", folder()],
    onLine: (line) => lines.push(JSON.parse(line)),
    onLog: () => {},
  });
  worker.send('{"id":0,"method":"identity.get","params":[{}]}');
  assert.equal((await worker.close()).code, 0);
  assert.equal(lines[0].error, null);
});

test("the command is the worker", () => {
  const options = { encoding: "utf8", stdio: "pipe" };
  assert.match(execFileSync("npx", ["--no-install", "plexsync-worker", "--version"], options), /^plexsync-worker \d/);
  const command = (words, input) => execFileSync("node_modules/.bin/plexsync-worker", words, { ...options, input });
  const reply = JSON.parse(command(["--data-dir", folder()], '{"jsonrpc":"2.0","id":1,"method":"identity.get"}\n'));
  assert.equal(reply.result.origin, "created");
  assert.throws(() => command(["--no-such-option"]), ({ status }) => status === 2);
});

test("a signal to the command ends the worker as one to the worker does", async () => {
  const command = spawn("node_modules/.bin/plexsync-worker", ["--data-dir", folder()]);
  command.stdin.write('{"jsonrpc":"2.0","id":1,"method":"identity.get"}\n');
  await once(command.stdout, "data");
  command.kill("SIGTERM");
  assert.deepEqual(await once(command, "close"), [0, null]);
});
