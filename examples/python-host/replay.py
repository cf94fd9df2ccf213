"""Has the conversations of `protocol/transcripts` with a worker, through both clients of `plexsync-worker`.

Usage: replay.py FILE...; `/slow` of the Plex at PLEX_URL never answers. What the files mean: protocol/README.md.
What a client can say it says as a call of its own; the rest, such as another dialect, goes as it is.
"""

import asyncio
import contextlib
import inspect
import json
import queue
import re
import sys
import tempfile

from plexsync_worker import AsyncWorker, CallError, Worker

NAME = re.compile(r"\$[a-z_]+")


def fits(expected, value, names):
    """Whether `value` is what `expected` says; a name takes the first value that it meets."""
    if isinstance(expected, str) and NAME.fullmatch(expected):
        return same(names.setdefault(expected, value), value)
    if type(expected) is not type(value):
        return False
    if isinstance(value, dict):
        return expected.keys() == value.keys() and all(fits(expected[key], value[key], names) for key in value)
    if isinstance(value, list):
        return len(expected) == len(value) and all(map(fits, expected, value, [names] * len(value)))
    return expected == value


def same(one, other):
    """Python takes `1` and `True` for the same, JSON does not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def filled_in(text, names):
    """`text` with the values of its names, and as JSON; one that is no JSON as it is."""
    with contextlib.suppress(ValueError):
        json.loads(text)
        text = re.sub(r'"(\$[a-z_]+)"', lambda found: json.dumps(names[found[1]]), text)
        return text, json.loads(text)
    return text, None


class Host:
    """What the lines of a transcript are for a client; `calls` has those on their way."""

    def __init__(self, client, folder):
        self.said, self.calls = queue.SimpleQueue(), {}
        self.worker = client(data_dir=folder, on_message=self.said.put)

    def send(self, text, message):
        is_call = isinstance(message, dict) and message.get("jsonrpc") == "2.0" and "method" in message
        if not is_call or not isinstance(message.get("id", ""), (str, int)):
            return self.worker.send_line(text)
        method, params = message["method"], message.get("params", {})
        if "id" in message:
            self.calls[message["id"]] = self.begin(method, params)
        elif method == "$/cancelRequest":
            self.calls[params["id"]].cancel()
        else:
            self.worker.notify(method, params)

    def begin(self, name, params):
        """The method that has the types, if it knows such params."""
        calls = self.calling()
        method = getattr(calls, name.replace(".", "_"), None)
        try:
            inspect.signature(method).bind(**params)
        except TypeError:
            return calls.call(name, params)
        return method(**params)

    async def reply(self, expected):
        """The reply to the call that has this id, or what is said beside the calls."""
        call_id = expected.get("id") if isinstance(expected, dict) else None
        call = self.calls.pop(call_id, None)
        if call is None:
            return await asyncio.to_thread(self.said.get, timeout=30)
        try:
            reply = {"result": await self.result(call)}
        except CallError as error:
            reply = {"error": {"code": error.code, "message": error.message}}
            if error.data is not None:
                reply["error"]["data"] = error.data
        except asyncio.CancelledError:
            reply = {"error": {"code": -32800, "message": "the task was cancelled"}}
        return {"jsonrpc": "2.0", "id": call_id, **reply}


class Threads(Host):
    def __init__(self, folder):
        super().__init__(Worker, folder)

    def calling(self):
        return self.worker.begin

    async def result(self, pending):
        return pending.result()

    async def close(self):
        return self.worker.close()


class Tasks(Host):
    def __init__(self, folder):
        super().__init__(AsyncWorker, folder)

    def calling(self):
        return self.worker

    def begin(self, name, params):
        return asyncio.ensure_future(super().begin(name, params))

    async def result(self, task):
        return await task

    async def close(self):
        return await self.worker.close()


async def replay(file, host):
    names = {}
    for number, line in enumerate(open(file, encoding="utf-8"), 1):
        way, _, text = line.rstrip("\n").partition(" ")
        if way == "-->":
            host.send(*filled_in(text, names))
            await asyncio.sleep(0)  # A task sends when its turn comes.
        elif way == "<--":
            expected = json.loads(text)
            reply = await host.reply(expected)
            if not fits(expected, reply, names):
                return f"{file}:{number}: expected {text}\n got {json.dumps(reply)}\n with {names}"
        elif way and not way.startswith("#"):
            return f"{file}:{number}: neither `-->` nor `<--` nor `#`"
    code = await host.close()
    if code or host.calls or not host.said.empty():
        return f"{file}: after the last line {list(host.calls)}, exit code {code}"


for file in sys.argv[1:]:
    for kind in (Threads, Tasks):
        with tempfile.TemporaryDirectory() as folder:
            if difference := asyncio.run(replay(file, kind(folder))):
                sys.exit(difference)
    print("as written:", file)
