"""Talks to Plex as one device, for ever: starts `plexsync-worker`, and calls it.

    from plexsync_worker import Worker, NotConfigured

    with Worker(data_dir="data", plex_url="http://127.0.0.1:32400") as worker:
        print(worker.identity_get()["device_id"])

`AsyncWorker` is the same for asyncio. `types` has the values of the contract, `errors` all exceptions.
"""

from typing import TYPE_CHECKING, Any

from . import errors, types
from ._pending import Pending
from ._sync import Worker
from .errors import *  # noqa: F403

if TYPE_CHECKING:
    from ._aio import AsyncWorker

__all__ = ["AsyncWorker", "Pending", "Worker", "errors", "types", *errors.__all__]


def __getattr__(name: str) -> Any:
    """asyncio takes longer to import than all the rest: only who wants it does."""
    if name == "AsyncWorker":
        from ._aio import AsyncWorker

        return AsyncWorker
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
