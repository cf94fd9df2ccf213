"""A call on its way, for threads."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar, Union

from . import types
from ._base import TimedOut
from ._messages import Answer

if TYPE_CHECKING:
    from ._process import Process

T = TypeVar("T")
OnProgress = Callable[[types.Progress], Any]


class Pending(Generic[T]):
    """A call on its way: wait for its `result`, or `cancel` it, from any thread.

    One that nobody waits for goes on to its end.
    """

    def __init__(self, call_id: int, patience: float, on_progress: Optional[OnProgress]) -> None:
        self._id = call_id
        self._deadline = time.monotonic() + patience
        self._on_progress = on_progress
        self._news: queue.SimpleQueue[Union[Answer, types.Progress]] = queue.SimpleQueue()
        self._waits = threading.Lock()
        self._answer: Optional[Answer] = None
        self._process: Optional[Process] = None

    def sent(self, process: Process) -> None:
        self._process = process

    def answered(self, answer: Answer) -> None:
        self._news.put(answer)

    def progressed(self, progress: types.Progress) -> None:
        self._news.put(progress)

    def cancel(self) -> None:
        """Asks the worker to cancel the call: its result is then `Cancelled`, unless it was faster."""
        if self._process:
            self._process.cancel(self._id)

    def result(self) -> T:
        """Waits for the result, and reports progress meanwhile.

        After the time of the call, and after any exception, such as Ctrl-C, it is cancelled.
        """
        with self._waits:
            try:
                while self._answer is None:
                    self._wait()
            finally:
                if self._answer is None and self._process:
                    self._process.give_up(self._id)
            result: T = self._answer.get()
            return result

    def _wait(self) -> None:
        left = min(max(self._deadline - time.monotonic(), 0), threading.TIMEOUT_MAX)
        try:
            news = self._news.get(timeout=left)
        except queue.Empty:
            if self._process:
                self._process.give_up(self._id)
            self._answer = Answer(error=TimedOut("no reply in time: the call was cancelled"))
            return
        if isinstance(news, Answer):
            self._answer = news
        elif self._on_progress:
            self._on_progress(news)
