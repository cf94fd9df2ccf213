"""One line of a conversation, to and from the worker."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping, NamedTuple, Optional

from ._base import CallError, Unreadable, WorkerError
from .errors import BY_CODE


class Answer(NamedTuple):
    """A result, or why there is none."""

    result: Any = None
    error: Optional[WorkerError] = None

    def get(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Incoming(NamedTuple):
    """What the worker said: the answer of a call, or a message that may be anything."""

    call_id: Optional[int]
    answer: Answer
    message: Any


def line(method: str, params: Mapping[str, Any], call_id: Optional[int] = None) -> bytes:
    """A call, or without `call_id` a notification. JSON has no `NaN`: that is a `ValueError`."""
    message = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}
    if call_id is None:
        del message["id"]
    return json.dumps(message, allow_nan=False, default=plain, separators=(",", ":")).encode() + b"\n"


def plain(value: Any) -> Any:
    """Mappings of other kinds are objects, too."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"`{type(value).__name__}` is no value of JSON")


# The worker writes the id before the result, so that a damaged reply is still its call's.
LEADING_ID = re.compile(rb'\{"jsonrpc":"2\.0","id":(\d{1,18}),')


def read(line: bytes) -> Incoming:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        found = LEADING_ID.match(line)
        # The whole text hangs on the error: only its words go on.
        unreadable = Unreadable(f"unreadable reply: {getattr(error, 'msg', None) or error}")
        return Incoming(int(found[1]) if found else None, Answer(error=unreadable), None)
    call_id = message.get("id") if isinstance(message, dict) and "method" not in message else None
    if type(call_id) is not int:
        return Incoming(None, Answer(), message)
    return Incoming(call_id, answer(message), message)


def answer(reply: Mapping[str, Any]) -> Answer:
    if ("result" in reply) == ("error" in reply):
        return Answer(error=Unreadable("unreadable reply: not exactly one of `result` and `error`"))
    if "result" in reply:
        return Answer(reply["result"])
    error = reply["error"]
    try:
        code, message, data = error["code"], error["message"], error.get("data")
    except (AttributeError, KeyError, TypeError):
        return Answer(error=Unreadable("unreadable reply: an `error` without `code` or `message`"))
    known = BY_CODE.get(code)
    return Answer(error=known(message, data) if known else CallError(message, data, code))
