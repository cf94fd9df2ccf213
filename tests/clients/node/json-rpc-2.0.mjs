// json-rpc-2.0: lines, a transport of one's own.

import * as task from "./task.mjs";

const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } = task.require("json-rpc-2.0");
const { worker, ended } = task.start();
const send = (message) => worker.stdin.write(`${JSON.stringify(message)}\n`);
const client = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient(send));
const progress = [];
client.addMethod("$/progress", (params) => void progress.push(params));
task.lines(worker.stdout, (line) => client.receiveAndSend(JSON.parse(line)));

const code = (call) => Promise.resolve(call).then(() => null, (error) => error.code);
const identity = await client.request("identity.get");
const unknown = await code(client.request(task.unknown));
const answers = await Promise.all(task.calls.map((n) => client.request("plex.request", task.request(n))));
await client.request("plex.request", task.listing);
const slow = { jsonrpc: "2.0", id: "slow", method: "plex.request", params: task.slow };
const stopped = client.requestAdvanced(slow);
client.notify("$/cancelRequest", { id: "slow" });
const cancelled = (await stopped).error.code;
worker.stdin.end();
task.tell("json-rpc-2.0", {
  device_id: identity.device_id,
  unknown,
  answered: task.right(answers),
  progress: progress.at(-1).done,
  cancelled,
  exit: await ended,
});
