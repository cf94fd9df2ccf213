"""One process: its three streams, each with a thread, and the calls that wait for it."""

from __future__ import annotations

import contextlib
import logging
import queue
import subprocess
import threading
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol

from . import types
from ._base import NotStarted, WorkerEnded
from ._messages import Answer, line, read

LOG = logging.getLogger("plexsync_worker")
LEVELS = {b"ERROR": logging.ERROR, b"WARN": logging.WARNING, b"INFO": logging.INFO}
LOG_KEPT = 64 * 1024
"""How much of the log is kept, in bytes, and the longest piece of a line."""
PIPE = 64 * 1024
EXIT = 1.0
"""How long a worker that closed its stdout has to exit (s)."""
LAST_WORDS = 0.2
"""How long the log of a worker that has exited is read (s): what it started may hold the stream."""
DRAIN = 15.0
"""How long a worker answers what it has accepted when its stdin ends: 10 s, and some more."""
DRAIN_ON_SIGNAL = 2.0
"""The same after SIGTERM: 0.8 s, and some more."""


class Caller(Protocol):
    """Who waits for a call. Called in the thread that reads."""

    def answered(self, answer: Answer) -> None: ...

    def progressed(self, progress: types.Progress) -> None: ...


OnMessage = Callable[[Any], Any]


class Process:
    def __init__(self, command: List[str], env: Mapping[str, str], on_message: Optional[OnMessage]) -> None:
        self._popen = start(command, env)
        self._on_message = on_message
        self._lock = threading.Lock()
        # `None` in place of who waits: nobody does any more. In place of all: no reply will come.
        self._calls: Optional[Dict[int, Optional[Caller]]] = {}
        self._input: queue.SimpleQueue[Optional[bytes]] = queue.SimpleQueue()
        self._log = b""
        # A call never waits for a worker that does not read.
        self._thread("calls", self._write)
        self._logs = self._thread("log", self._read_log)
        self._replies = self._thread("replies", self._read)

    def _thread(self, name: str, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, name=f"plexsync-{name}", daemon=True)
        thread.start()
        return thread

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def has_ended(self) -> bool:
        return self._calls is None

    def end(self) -> WorkerEnded:
        return WorkerEnded(self._popen.returncode, self.log())

    def log(self) -> str:
        return self._log.decode(errors="replace")

    def send(self, text: bytes) -> None:
        self._input.put(text)

    def call(self, call_id: int, text: bytes, caller: Caller) -> None:
        with self._lock:
            if self._calls is None:
                raise self.end()
            self._calls[call_id] = caller
            self._input.put(text)

    def cancel(self, call_id: int) -> None:
        """Asks the worker to cancel the call, if it has no reply yet."""
        with self._lock:
            if self._calls and call_id in self._calls:
                self._input.put(line("$/cancelRequest", {"id": call_id}))

    def give_up(self, call_id: int) -> None:
        """Cancels a call whose reply nobody waits for."""
        with self._lock:
            if self._calls and call_id in self._calls:
                self._calls[call_id] = None
        self.cancel(call_id)

    def end_input(self) -> None:
        """Closes stdin, behind what was sent."""
        self._input.put(None)

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._replies.join(DRAIN)

    def close(self) -> int:
        """Ends the worker as a host should: the end of stdin, time to answer, SIGTERM, SIGKILL."""
        self.end_input()
        for patience, hurry in ((DRAIN, self._popen.terminate), (DRAIN_ON_SIGNAL, self._popen.kill)):
            try:
                self._popen.wait(patience)
                break
            except subprocess.TimeoutExpired:
                hurry()
        status = self._popen.wait()
        self._replies.join(DRAIN)
        return status

    def _write(self) -> None:
        assert self._popen.stdin
        # A worker that is gone does not read: its end is told by the end of its replies.
        with contextlib.suppress(OSError), self._popen.stdin as stdin:
            for text in iter(self._input.get, None):
                stdin.write(text)
                stdin.flush()

    def _read(self) -> None:
        assert self._popen.stdout
        with self._popen.stdout as stdout:
            for text in stdout:
                if text.strip():
                    self._hand_over(text)
        self._at_end()

    def _hand_over(self, text: bytes) -> None:
        call_id, answer, message = read(text)
        if call_id is not None and self._take(call_id, answer, whole=text.endswith(b"\n")):
            return
        if isinstance(message, dict) and message.get("method") == "$/progress" and self._report(message):
            return
        if answer.error and message is None:
            LOG.warning("a message of %d bytes that is no JSON", len(text))
        elif self._on_message:
            try:
                self._on_message(message)
            except Exception:
                LOG.exception("`on_message` failed")
        else:
            LOG.warning("a message of %d bytes that belongs to no call", len(text))

    def _take(self, call_id: int, answer: Answer, whole: bool) -> bool:
        if answer.error and not whole:
            return True  # The worker's end cut it off, and is what the call is told.
        with self._lock:
            if not self._calls or call_id not in self._calls:
                return False
            caller = self._calls.pop(call_id)
        if caller:
            caller.answered(answer)
        return True

    def _report(self, message: Any) -> bool:
        progress = message.get("params")
        with self._lock:
            token = progress.get("token") if isinstance(progress, dict) else None
            if not self._calls or type(token) is not int or token not in self._calls:
                return False
            caller = self._calls[token]
        if caller:
            caller.progressed(progress)
        return True

    def _at_end(self) -> None:
        self.end_input()
        try:
            self._popen.wait(EXIT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._logs.join(LAST_WORDS)
        with self._lock:
            calls, self._calls = self._calls or {}, None
        for caller in calls.values():
            if caller:
                caller.answered(Answer(error=self.end()))

    def _read_log(self) -> None:
        assert self._popen.stderr
        with self._popen.stderr as stderr:
            for text in iter(lambda: stderr.readline(LOG_KEPT), b""):
                self._log = (self._log + text)[-LOG_KEPT:]
                level = LEVELS.get(text.split(b" ", 1)[0], logging.DEBUG)
                LOG.log(level, "%s", text.decode(errors="replace").rstrip())


def start(command: List[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    # A host with windows gets no console beside them.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        return subprocess.Popen(
            command, PIPE, stdin=pipe, stdout=pipe, stderr=pipe, env=env, creationflags=flags
        )
    except OSError as error:
        raise NotStarted(
            f"`{command[0]}` can't be started: {error.strerror or error}",
            "`program` has to be a program of this platform that this user may run",
        ) from error
