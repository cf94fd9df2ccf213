"""Why a call has no result. Made by `generate.py` from the contract."""

from __future__ import annotations

from typing import Dict, Type

from . import types
from ._base import CallError, Closed, NotStarted, TimedOut, Unreadable, WorkerEnded, WorkerError


class ParseError(CallError):
    """Invalid JSON."""

    code = -32700
    hint = "fix the request"


class InvalidRequest(CallError):
    """Invalid request."""

    code = -32600
    hint = "fix the request"


class MethodNotFound(CallError):
    """Method not found."""

    code = -32601
    hint = "fix the request"


class InvalidParams(CallError):
    """Invalid params. `data` is `types.InvalidParams`."""

    code = -32602
    hint = "fix the request: data.pointer says where, data.reason why"
    data: types.InvalidParams


class InternalError(CallError):
    """Internal error."""

    code = -32603
    hint = "report it: the worker has a bug"


class Overloaded(CallError):
    """Overloaded."""

    code = -32000
    hint = "wait, then retry"


class IdentityUnavailable(CallError):
    """Identity unavailable. `data` is `types.IdentityUnavailable`."""

    code = -32001
    hint = "show data.path and data.reason to the user; nothing was sent to Plex, nothing was written"
    data: types.IdentityUnavailable


class IdentityChanged(CallError):
    """Identity changed. `data` is `types.IdentityChanged`."""

    code = -32002
    hint = "decide again with data.device_id"
    data: types.IdentityChanged


class PlexUnreachable(CallError):
    """Plex unreachable. `data` is `types.PlexUnreachable`."""

    code = -32010
    hint = "data.kind says what failed: retry later, or correct the configuration"
    data: types.PlexUnreachable


class PlexTimeout(CallError):
    """Plex timeout. `data` is `types.PlexTimeout`."""

    code = -32011
    hint = "data.phase says what it was waiting for: retry later, or raise timeout_ms"
    data: types.PlexTimeout


class AnswerTooLarge(CallError):
    """Answer too large. `data` is `types.AnswerTooLarge`."""

    code = -32012
    hint = "raise max_bytes or ask for less"
    data: types.AnswerTooLarge


class RefusedByPlex(CallError):
    """Refused by plex. `data` is `types.RefusedByPlex`."""

    code = -32013
    hint = "show data.message to the user; data.status 401: sign in again or correct the token"
    data: types.RefusedByPlex


class NotConfigured(CallError):
    """Not configured. `data` is `types.NotConfigured`."""

    code = -32014
    hint = "configure what data.missing names, or send it with the call"
    data: types.NotConfigured


class SignInIncomplete(CallError):
    """Sign-in not completed. `data` is `types.SignInIncomplete`."""

    code = -32015
    hint = "begin again with auth.start"
    data: types.SignInIncomplete


class Cancelled(CallError):
    """Cancelled."""

    code = -32800
    hint = "nothing: the call was cancelled or the worker stopped"


BY_CODE: Dict[int, Type[CallError]] = {
    -32700: ParseError,
    -32600: InvalidRequest,
    -32601: MethodNotFound,
    -32602: InvalidParams,
    -32603: InternalError,
    -32000: Overloaded,
    -32001: IdentityUnavailable,
    -32002: IdentityChanged,
    -32010: PlexUnreachable,
    -32011: PlexTimeout,
    -32012: AnswerTooLarge,
    -32013: RefusedByPlex,
    -32014: NotConfigured,
    -32015: SignInIncomplete,
    -32800: Cancelled,
}
"""The class of each code."""

__all__ = [
    "AnswerTooLarge",
    "CallError",
    "Cancelled",
    "Closed",
    "IdentityChanged",
    "IdentityUnavailable",
    "InternalError",
    "InvalidParams",
    "InvalidRequest",
    "MethodNotFound",
    "NotConfigured",
    "NotStarted",
    "Overloaded",
    "ParseError",
    "PlexTimeout",
    "PlexUnreachable",
    "RefusedByPlex",
    "SignInIncomplete",
    "TimedOut",
    "Unreadable",
    "WorkerEnded",
    "WorkerError",
]
