"""Talks to Plex as one device, for ever: starts `plexsync-worker`, and calls it.

    from plexsync_worker import Worker, NotConfigured

    with Worker(data_dir="data", plex_url="http://127.0.0.1:32400") as worker:
        print(worker.identity_get()["device_id"])

`AsyncWorker` is the same for asyncio. `types` has the values of the contract, `errors` all exceptions.
"""

from . import errors, types
from ._client import AsyncWorker, Worker
from ._pending import Pending
from .errors import *  # noqa: F403

__all__ = ["AsyncWorker", "Pending", "Worker", "errors", "types", *errors.__all__]
