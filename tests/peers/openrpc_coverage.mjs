// The worker, asked by OpenRPC's own tools: its document is one by their meta-schema, and every result that they call
// up is what the document says. Usage: node openrpc_coverage.mjs WORKER DATA_DIR; PLEX_URL is a Plex that answers.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseOpenRPCDocument } from "@open-rpc/schema-utils-js";
import coverage from "@open-rpc/test-coverage/build/coverage.js";
import EmptyReporter from "@open-rpc/test-coverage/build/reporters/emptyReporter.js";
import ExamplesRule from "@open-rpc/test-coverage/build/rules/examples-rule.js";
import JsonSchemaFakerRule from "@open-rpc/test-coverage/build/rules/json-schema-faker-rule.js";

const [, , command, dataDir] = process.argv;
const worker = spawn(command, ["--data-dir", dataDir], { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map();
let lastId = 0;
createInterface({ input: worker.stdout }).on("line", (line) => {
  const { id, ...outcome } = JSON.parse(line);
  waiting.get(id)?.(outcome);
});

/** What the tool hands over, by the worker's pipes in place of HTTP. */
function transport(_url, method, params) {
  const id = ++lastId;
  const named = Array.isArray(params) ? {} : params;
  worker.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method, params: named }) + "\n");
  return new Promise((resolve) => waiting.set(id, resolve));
}

const served = (await transport("", "rpc.discover", {})).result;
const openrpcDocument = await parseOpenRPCDocument(structuredClone(served));
const codes = new Map(openrpcDocument.methods.map(({ name, errors = [] }) => [name, errors.map(({ code }) => code)]));

/** The document with changes to each method. */
function changed(change) {
  const copy = structuredClone(openrpcDocument);
  copy.methods.forEach(change);
  return copy;
}

/** The tool takes an example's params by their place among the method's, whatever their names are. */
const inPlace = changed((method) => {
  for (const example of method.examples ?? []) {
    const given = (name) => example.params.find((param) => param.name === name) ?? { name, value: undefined };
    example.params = method.params.map(({ name }) => given(name));
  }
});
/** It makes params up only where there are no examples. */
const withoutExamples = changed((method) => delete method.examples);

// Stash's own speak in Stash's envelope.
const skip = ["RPCRunner.Run", "RPCRunner.Stop"];
const cover = (document, rule, only) =>
  coverage.default({ openrpcDocument: document, transport, reporters: [new EmptyReporter.default()], rules: [rule], skip, only });
const calls = [
  ...(await cover(inPlace, new ExamplesRule.default(), [])),
  ...(await cover(withoutExamples, new JsonSchemaFakerRule.default(), ["identity.get", "identity.reset", "rpc.discover"])),
];
worker.stdin.end();

// A param that was made up may be refused, with a code that the document has for the method.
const fine = (call) => (call.error ? codes.get(call.methodName).includes(call.error.code) : call.valid);
const wrong = calls.filter((call) => !fine(call));
for (const { methodName, params, reason, error, requestError } of wrong) {
  console.log(methodName, JSON.stringify(params), reason, error, requestError);
}
const answered = new Set(calls.filter((call) => call.valid && !call.error).map((call) => call.methodName));
console.log(`${calls.length} calls, ${wrong.length} wrong, results of: ${[...answered].sort().join(" ")}`);
process.exitCode = wrong.length > 0 || calls.length === 0 ? 1 : 0;
