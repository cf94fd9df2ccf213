"""Has the conversations of `protocol/transcripts` with a worker, through the host's own pipes.

Usage: replay.py WORKER FILE...; `/slow` of the Plex at PLEX_URL never answers. What the files mean: protocol/README.md.
"""

import json
import queue
import re
import sys
import tempfile

from host import Worker

NAME = re.compile(r"\$[a-z_]+")


class Listening(Worker):
    """A worker whose every message is kept, in the order in which they come."""

    def _read(self):
        for line in self.process.stdout:
            said.put(json.loads(line))
        said.put(None)


def is_name(value):
    return isinstance(value, str) and NAME.fullmatch(value)


def fits(expected, value, names):
    """Whether `value` is what `expected` says; a name takes the first value that it meets."""
    if is_name(expected):
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
    """`text` with the values of its names; one that is no JSON, or names nothing, as it is."""
    try:
        json.loads(text)
    except ValueError:
        return text
    return re.sub(r'"(\$[a-z_]+)"', lambda found: json.dumps(names[found[1]]), text)


def replay(file, worker):
    names = {}
    for number, line in enumerate(open(file, encoding="utf-8"), 1):
        way, _, text = line.rstrip("\n").partition(" ")
        if way == "-->":
            worker.process.stdin.write(filled_in(text, names) + "\n")
            worker.process.stdin.flush()
        elif way == "<--":
            reply = said.get(timeout=30)
            if not fits(json.loads(text), reply, names):
                return f"{file}:{number}: expected {text}\n got {json.dumps(reply)}\n with {names}"
        elif way and not way.startswith("#"):
            return f"{file}:{number}: neither `-->` nor `<--` nor `#`"
    code, more = worker.close(), said.get(timeout=30)
    return f"{file}: after the last line {more}, exit code {code}" if code or more else None


for file in sys.argv[2:]:
    said = queue.Queue()
    with tempfile.TemporaryDirectory() as folder:
        worker = Listening(sys.argv[1], "--data-dir", folder)
        try:
            if difference := replay(file, worker):
                sys.exit(difference)
        finally:
            worker.process.kill()
    print("as written:", file)
