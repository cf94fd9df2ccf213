"""A host in Python, with the package `plexsync-worker`. Usage: host.py DATA_DIR; PLEX_URL and PLEX_TOKEN are set."""

import sys

from plexsync_worker import CallError, Worker, WorkerError

try:
    # The package brings the worker, and the environment the server and its token.
    with Worker(data_dir=sys.argv[1]) as worker:
        print("device", worker.identity_get()["device_id"])
        try:
            answer = worker.plex_request(path="/identity")
            print("status", answer["status"], answer["body"]["MediaContainer"]["machineIdentifier"])
            worker.plex_request(path="no-slash")
        except CallError as error:
            print("error", error.code, error.data, error.hint)
except WorkerError as error:
    sys.exit(str(error))
