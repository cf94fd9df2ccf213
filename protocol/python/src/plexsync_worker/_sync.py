"""The client for threads."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ._client import Client, patience, present
from ._methods import BegunMethods, Methods
from ._pending import OnProgress, Pending


class Worker(Client, Methods):
    """A running worker, for any number of threads. Methods have the contract's names, with `_` for `.`.

    A call that takes longer than its `timeout` is cancelled, and raises `TimedOut`.
    """

    @property
    def begin(self) -> Begin:
        """The same methods, which do not wait: each returns a `Pending`."""
        return Begin(self)

    def call(
        self,
        method: str,
        params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
        on_progress: Optional[OnProgress] = None,
    ) -> Any:
        """Any method, by its name."""
        return self.begin.call(method, params, timeout=timeout, on_progress=on_progress).result()

    def _call(self, method: str, params: Dict[str, Any], **how: Any) -> Any:
        return self.call(method, present(params), **how)

    def close(self) -> int:
        """Ends the worker, and returns its exit code.

        Its stdin ends, and it answers what it has accepted (10 s at most); else it is terminated.
        """
        return self._close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Begin(BegunMethods):
    """The methods of a `Worker`, which do not wait."""

    def __init__(self, worker: Client) -> None:
        self._worker = worker

    def call(
        self,
        method: str,
        params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
        on_progress: Optional[OnProgress] = None,
    ) -> Pending[Any]:
        """Any method, by its name."""
        params = params or {}
        worker, call_id = self._worker, self._worker._next_id()
        pending: Pending[Any] = Pending(call_id, patience(method, params, timeout), on_progress)
        pending.sent(worker._send(call_id, method, params, pending, on_progress is not None))
        return pending

    def _call(self, method: str, params: Dict[str, Any], **how: Any) -> Pending[Any]:
        return self.call(method, present(params), **how)
