"""What all errors have in common, and those that are not the worker's own."""

from __future__ import annotations

from typing import Any, Optional


class WorkerError(Exception):
    """Everything that this package raises by itself. No text of it holds a token."""

    hint: str = ""
    """What to do next."""


class CallError(WorkerError):
    """The worker's own error. A code that this version does not know is a `CallError` itself."""

    code: int = 0
    hint = "report it: the worker knows a code that its client does not"

    def __init__(self, message: str, data: Any = None, code: Optional[int] = None) -> None:
        super().__init__(message, data, code)
        self.message = message
        self.data = data
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class TimedOut(WorkerError, TimeoutError):
    """There was no reply in time. The call was cancelled."""

    hint = "retry, or give the call more time"


class WorkerEnded(WorkerError):
    """The worker ended before it replied: whether the call was carried out is not known."""

    hint = "retry, or give up; a client with `restart` starts another worker for the next call"

    def __init__(self, status: Optional[int], log: str) -> None:
        super().__init__(status, log)
        self.status = status
        """Its exit code, negative for a signal."""
        self.log = log
        """The end of its log, at most 64 KiB."""

    def __str__(self) -> str:
        lines = self.log.splitlines()
        return f"the worker ended ({self.status})" + (f": {lines[-1]}" if lines else "")


class NotStarted(WorkerError):
    """The worker can't be started."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}"


class Unreadable(WorkerError):
    """The reply is not what the contract says. No value of it is shown."""

    hint = "report it; a body with numbers or nesting beyond Python's can be asked for with parse='text'"


class Closed(WorkerError):
    """The client was closed."""

    hint = "make another client"
