"""A host for type checkers alone. They have to refuse what is ignored here, or `--strict` tells that it is not."""

from typing import Optional

from plexsync_worker import AsyncWorker, NotConfigured, Pending, Worker, types


def identity(worker: Worker) -> str:
    origin: types.Origin = worker.identity_get()["origin"]
    pending: Pending[types.ScanResult] = worker.begin.plex_scan(folder="/media")
    folder: Optional[str] = pending.result().get("folder")
    return f"{origin} {folder}"


async def signed_in(worker: AsyncWorker) -> str:
    finished = await worker.auth_finish(on_progress=lambda progress: print(progress["done"]))
    if finished["signed_in"]:
        return finished["account"]["username"]
    return finished["expires_at"]


def refused(worker: Worker) -> None:
    worker.plex_request()  # type: ignore[call-arg]
    worker.plex_request(path=1)  # type: ignore[arg-type]
    worker.plex_request(path="/", parse="yaml")  # type: ignore[arg-type]
    worker.identity_get()["id"]  # type: ignore[typeddict-item]
    try:
        worker.server_choose(server="Attic")
    except NotConfigured as error:
        print(error.data["missing"] == "server", error.data["mising"])  # type: ignore[typeddict-item]
