"""What every client does, and what it says of it. README.md beside this folder tells it in words."""

import importlib.metadata
import json
import os

CALLS = 100
TEXTS = [f"{n} Amélie 映画 🎬\u2028" for n in range(CALLS)]
UNKNOWN = "no.such.method"
SLOW = {"path": "/slow"}
LISTING = {"path": "/library/sections/1/all", "all_pages": True, "progress_token": "news"}


def request(n):
    return {"path": f"/text/{n}", "query": {"text": TEXTS[n]}}


def right(texts):
    """How many of the answers are those to their own call."""
    return sum(got == text for got, text in zip(texts, TEXTS, strict=True))


def worker():
    return os.environ["PLEXSYNC_WORKER"]


def tell(package, **seen):
    print(json.dumps({"version": importlib.metadata.version(package), **seen}))
