"""A host in Python's standard library: copy `Worker` into your plugin. Usage: host.py WORKER DATA_DIR"""

import contextlib
import json
import subprocess
import sys
import threading


class WorkerError(Exception):
    """A call that failed; `code` says what to do next, `data` the details."""

    def __init__(self, error):
        super().__init__(f"{error['message']} ({error['code']})")
        self.code, self.data = error["code"], error.get("data")


class Worker:
    """One worker process. Calls may come from several threads: replies are matched by id."""

    def __init__(self, *command, log=sys.stderr):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8")
        self.lock, self.waiting, self.last_id = threading.Lock(), {}, 0
        threading.Thread(target=self._read, daemon=True).start()
        # A pipe that nobody drains fills up; the worker would lose its log.
        threading.Thread(target=lambda: [log.write(line) for line in self.process.stderr], daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            reply = json.loads(line)
            with self.lock:  # nobody waits for a notification, such as `$/progress`
                answered, box = self.waiting.pop(reply.get("id"), (None, None))
            if answered:
                box.append(reply)
                answered.set()
        with self.lock:  # the worker is gone: nobody waits for ever
            for answered, _ in self.waiting.values():
                answered.set()

    def call(self, method, params=None, timeout=60):
        answered, box = threading.Event(), []
        with self.lock:
            self.last_id += 1
            call_id = self.last_id
            self.waiting[call_id] = (answered, box)
            message = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params or {}}
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        if not answered.wait(timeout):
            raise TimeoutError(f"no answer to {method} in {timeout} s")
        if not box:
            raise ConnectionError("the worker has ended")
        if "error" in box[0]:
            raise WorkerError(box[0]["error"])
        return box[0]["result"]

    def close(self):
        """The end of stdin ends the worker; one that hangs is asked, then killed."""
        with contextlib.suppress(BrokenPipeError):  # it may be gone already
            self.process.stdin.close()
        for hurry in (self.process.terminate, self.process.kill):
            try:
                return self.process.wait(timeout=11)
            except subprocess.TimeoutExpired:
                hurry()
        return self.process.wait()


if __name__ == "__main__":
    worker = Worker(sys.argv[1], "--data-dir", sys.argv[2])
    print("device", worker.call("identity.get")["device_id"])
    try:
        answer = worker.call("plex.request", {"path": "/identity"})
        print("status", answer["status"], answer["body"]["MediaContainer"]["machineIdentifier"])
        worker.call("plex.request", {"path": "no-slash"})
    except WorkerError as error:
        print("error", error.code, error.data)
    sys.exit(worker.close())
