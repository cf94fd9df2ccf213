"""For each line on stdin: sends that many requests, 32 at once, over one session; prints the seconds they took."""
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from plexapi.server import PlexServer

server = PlexServer(sys.argv[1], "token")
with ThreadPoolExecutor(32) as pool:
    for line in sys.stdin:
        begin = time.perf_counter()
        list(pool.map(lambda _: server.query("/"), range(int(line))))
        print(time.perf_counter() - begin, flush=True)
