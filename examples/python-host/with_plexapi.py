"""python-plexapi as the worker's device. Usage: with_plexapi.py DATA_DIR; PLEX_URL and PLEX_TOKEN are set."""

import os
import sys

from plexsync_worker import Worker

with Worker(data_dir=sys.argv[1]) as worker:
    headers = worker.identity_get()["headers"]

# plexapi makes an identifier of its own when it is imported: this has to be there before.
os.environ["PLEXAPI_HEADER_IDENTIFIER"] = headers["X-Plex-Client-Identifier"]
import plexapi  # noqa: E402

# In place: the library's modules hold this very dict.
plexapi.BASE_HEADERS.update(headers)
from plexapi.server import PlexServer  # noqa: E402

server = PlexServer(os.environ["PLEX_URL"], os.environ["PLEX_TOKEN"])
print("device", headers["X-Plex-Client-Identifier"], "at", server.friendlyName)
for section in server.library.sections():
    print("library", section.title)
