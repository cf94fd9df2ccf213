// jayson: JSON-RPC 2.0 and 1.0, a transport of one's own, no notifications. Usage: jayson.mjs 2.0|1.0

import * as task from "./task.mjs";

const Client = task.require("jayson/lib/client/browser");
const { worker, ended } = task.start();
const version = Number.parseInt(process.argv[2]);
const waiting = new Map();
const client = new Client((text, take) => {
  const { id } = JSON.parse(text);
  if (id == null) take(); // nothing comes
  else waiting.set(id, take);
  worker.stdin.write(`${text}\n`);
}, { version });
task.lines(worker.stdout, (line) => waiting.get(JSON.parse(line).id)(null, line));

/** In 1.0 params are a list, and an error is a string that ends with the code. */
const call = (method, params = {}, id = undefined) =>
  new Promise((resolve, reject) => {
    client.request(method, version === 1 ? [params] : params, id, (_, error, result) => {
      if (error) reject(error.code ?? Number(error.match(/\((-\d+)\)$/)[1]));
      else resolve(result);
    });
  });

const identity = await call("identity.get");
const unknown = await call(task.unknown).catch((code) => code);
const answers = await Promise.all(task.calls.map((n) => call("plex.request", task.request(n))));
const slow = call("plex.request", task.slow, "slow").catch((code) => code);
await call("$/cancelRequest", { id: "slow" }, null);
const cancelled = await slow;
worker.stdin.end();
task.tell("jayson", {
  device_id: identity.device_id,
  unknown,
  answered: task.right(answers),
  cancelled,
  exit: await ended,
});
