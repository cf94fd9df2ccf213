"""The client for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, Mapping, Optional

from . import types
from ._base import TimedOut
from ._client import Client, patience, present
from ._messages import Answer
from ._methods import AsyncMethods
from ._pending import OnProgress


class AsyncWorker(Client, AsyncMethods):
    """A running worker, for the tasks of any loop: `Worker`, awaited.

    A call whose task is cancelled is cancelled in the worker, too.
    """

    async def call(
        self,
        method: str,
        params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
        on_progress: Optional[OnProgress] = None,
    ) -> Any:
        """Any method, by its name. `on_progress` is called in the loop."""
        params = params or {}
        task, call_id = Awaited(on_progress), self._next_id()
        process = self._send(call_id, method, params, task, on_progress is not None)
        try:
            await asyncio.wait([task.answer], timeout=patience(method, params, timeout))
        finally:
            process.give_up(call_id)  # Nothing, where there is a reply.
        if not task.answer.done():
            raise TimedOut("no reply in time: the call was cancelled")
        return task.answer.result().get()

    async def _call(self, method: str, params: Dict[str, Any], **how: Any) -> Any:
        return await self.call(method, present(params), **how)

    async def close(self) -> int:
        """Ends the worker, and returns its exit code: see `Worker.close`."""
        await asyncio.sleep(0)  # A task that was cancelled cancels its call, before nothing is sent any more.
        return await asyncio.to_thread(self._close)

    async def __aenter__(self) -> AsyncWorker:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Awaited:
    """A call that a task waits for."""

    def __init__(self, on_progress: Optional[OnProgress]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_progress = on_progress
        self.answer: asyncio.Future[Answer] = self._loop.create_future()

    def answered(self, answer: Answer) -> None:
        self._in_loop(self._answer, answer)

    def progressed(self, progress: types.Progress) -> None:
        self._in_loop(self._report, progress)

    def _in_loop(self, act: Any, *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(act, *args)
        except RuntimeError:
            pass  # The loop is closed: nobody waits.

    def _answer(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def _report(self, progress: types.Progress) -> None:
        try:
            if self._on_progress and not self.answer.done():
                self._on_progress(progress)
        except Exception as error:
            self.answer.set_exception(error)
