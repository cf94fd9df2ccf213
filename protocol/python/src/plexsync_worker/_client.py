"""What both clients share: which worker runs, and how a call is sent to it."""

from __future__ import annotations

import os
import threading
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional

from ._base import Closed
from ._messages import line
from ._methods import TIMES
from ._process import Caller, OnMessage, Process
from ._program import StrPath, find
from .errors import InvalidRequest

MARGIN = 5.0
"""How much longer the client waits than the worker takes at most (s)."""
WORKER_TIME = 30.0
"""How long the worker takes for a call that has no time of its own (s)."""
MAX_MESSAGE = 16 * 1024 * 1024


class Setup(NamedTuple):
    command: List[str]
    env: Dict[str, str]
    restart: bool
    max_message: int
    on_message: Optional[OnMessage]

    def start(self) -> Process:
        return Process(self.command, self.env, self.on_message)


class Client:
    """See `Worker`."""

    def __init__(
        self,
        program: Optional[StrPath] = None,
        *,
        args: Iterable[str] = (),
        data_dir: Optional[StrPath] = None,
        plex_url: Optional[str] = None,
        plex_token: Optional[str] = None,
        plex_token_file: Optional[StrPath] = None,
        env: Optional[Mapping[str, str]] = None,
        restart: bool = False,
        max_message: int = MAX_MESSAGE,
        on_message: Optional[OnMessage] = None,
    ) -> None:
        """Starts the worker.

        program: default the one of this package, else `plexsync-worker` of PATH.
        args: for the worker; never a token, which everybody could read.
        data_dir: the folder of the identity.
        plex_url, plex_token, plex_token_file: the Plex server, and the token for it, or a file that
            holds it.
        env: added to the environment, which the worker inherits.
        restart: whether the next call starts another worker when one has ended. Without it every call
            after a worker's end raises `WorkerEnded`.
        max_message: the longest message that the worker reads, in bytes. A longer call is not sent:
            the worker could not say which one it refuses.
        on_message: takes what belongs to no call, as it was read from JSON. It runs in the thread that
            reads, so it must not wait for a call.
        """
        command = [os.fspath(program or find()), *args]
        if max_message != MAX_MESSAGE:
            command += ["--max-message", str(max_message)]
        settings = {
            "PLEXSYNC_DATA_DIR": data_dir,
            "PLEX_URL": plex_url,
            "PLEX_TOKEN": plex_token,
            "PLEX_TOKEN_FILE": plex_token_file,
        }
        inherited = {**os.environ, **(env or {})}
        if plex_token_file is not None and plex_token is None:
            inherited.pop("PLEX_TOKEN", None)  # It is stronger than a file.
        given = {name: os.fspath(value) for name, value in settings.items() if value is not None}
        self._setup = Setup(command, {**inherited, **given}, restart, max_message, on_message)
        self._lock = threading.Lock()
        self._is_closed = False
        self._last_id = 0
        self._process = self._setup.start()

    def __del__(self) -> None:
        process: Optional[Process] = getattr(self, "_process", None)
        if process:
            process.end_input()

    @property
    def pid(self) -> int:
        """The process id of the worker that runs, or ran last."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The end of the worker's log, at most 64 KiB. All of it goes to the logger `plexsync_worker`."""
        return self._process.log()

    def kill(self) -> None:
        """Kills a worker that does not reply any more: what it has on disk survives that.

        Calls on their way raise `WorkerEnded`; with `restart` the next call starts another worker.
        """
        self._process.kill()

    def notify(self, method: str, params: Optional[Mapping[str, Any]] = None) -> None:
        """Sends a notification, which is not answered."""
        self._running().send(line(method, params or {}))

    def send_line(self, text: str) -> None:
        """Sends a line as it is: a batch, another dialect. The reply goes to `on_message`."""
        self._running().send(text.encode() + b"\n")

    def _running(self) -> Process:
        """The worker; another one in place of one that has ended, if the host wants that."""
        with self._lock:
            if self._is_closed:
                raise Closed("the client was closed")
            if self._process.has_ended and self._setup.restart:
                self._process = self._setup.start()
            return self._process

    def _next_id(self) -> int:
        with self._lock:
            self._last_id += 1
            return self._last_id

    def _send(
        self, call_id: int, method: str, params: Mapping[str, Any], caller: Caller, progress: bool
    ) -> Process:
        if progress:
            params = {**params, "progress_token": call_id}
        text = line(method, params, call_id)
        if len(text) > self._setup.max_message:
            limit = f"`{self._setup.max_message}` bytes: raise `max_message`"
            raise InvalidRequest(f"`{method}` is longer than {limit}")
        process = self._running()
        process.call(call_id, text, caller)
        return process

    def _close(self) -> int:
        with self._lock:
            self._is_closed = True
        return self._process.close()


def patience(method: str, params: Mapping[str, Any], timeout: Optional[float]) -> float:
    """How long a call is waited for (s)."""
    if timeout is not None:
        return timeout
    times = TIMES.get(method, {"": int(WORKER_TIME * 1000)})
    given = [params.get(name, default) for name, default in times.items()]
    return sum(time for time in given if isinstance(time, (int, float))) / 1000 + MARGIN


def present(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Params without those that were not given."""
    return {name: value for name, value in params.items() if value is not None}
