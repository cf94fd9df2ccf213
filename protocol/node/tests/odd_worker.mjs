// A worker that does what the real one never does; its only argument says what.

const [, , habit] = process.argv;
const say = (text) => process.stdout.write(`${text}\n`);
const reply = (id, rest = '"result":{"signed_in":true}') => say(`{"jsonrpc":"2.0","id":${id},${rest}}`);

const answer = {
  damaged: ({ id, method }) => reply(id, method === "auth.logout" ? '"result":{"a":}' : undefined),
  garbles: ({ id }) => reply(id, '"result":{"a":}'),
  babbles({ id }) {
    say("");
    say("no JSON");
    reply(77);
    say('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"too long"}}');
    reply(id);
  },
  // Answers the call before as soon as it is cancelled: too late for both.
  late: ({ method, params }) => method === "$/cancelRequest" && reply(params.id),
  dies({ id }) {
    process.stdout.write(`{"jsonrpc":"2.0","id":${id},"resu`);
    process.stderr.write("out of luck", () => process.exit(3));
  },
  hangs: ({ id }) => reply(id),
}[habit];

if (habit === "hangs") {
  setInterval(() => {}, 1000);
  process.on("SIGTERM", () => process.stderr.write("asked to end\n"));
}
let text = "";
process.stdin.on("data", (chunk) => {
  const lines = (text + chunk).split("\n");
  text = lines.pop();
  for (const line of lines) answer(JSON.parse(line));
});
