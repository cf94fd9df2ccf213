"""A worker that behaves as its calls say; what it reads it keeps, for `echo`."""

import json
import signal
import sys

signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else signal.SIG_DFL)
lines = []


def say(text):
    print(text, flush=True)


for line in sys.stdin:
    lines.append(line.strip())
    call = json.loads(line)
    begin = f'{{"jsonrpc":"2.0","id":{call.get("id")},'
    method = call["method"]
    if method == "echo":
        say(f'{begin}"result":{json.dumps(lines)}}}')
    elif method == "damaged":
        say(f'{begin}"result":[1,')
    elif method == "both":
        say(f'{begin}"result":1,"error":{{}}}}')
    elif method == "newer":
        say(f'{begin}"error":{{"code":-32099,"message":"new"}}}}')
    elif method == "noise":
        say("secret\n")
        say('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"whose?"}}')
        say(f'{begin}"result":null}}')
    elif method == "progress":
        say('{"jsonrpc":"2.0","method":"$/progress","params":{"token":"another","done":7,"total":7}}')
        for done in (1, 2):
            token = call["params"]["progress_token"]
            say(json.dumps({"method": "$/progress", "params": {"token": token, "done": done, "total": 2}}))
        say(f'{begin}"result":"done"}}')
    elif method == "die":
        print("WARN last words", file=sys.stderr, flush=True)
        sys.stdout.write(f'{begin}"res')
        sys.exit(3)
while len(sys.argv) > 1:  # It does not end with its stdin.
    signal.pause()
