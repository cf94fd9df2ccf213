"""python-lsp-jsonrpc: headers, ids that are strings."""

import subprocess
import threading

from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.exceptions import JsonRpcException
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

import task

worker = subprocess.Popen(task.worker(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
progress = []
writer = JsonRpcStreamWriter(worker.stdin)
ids = iter(range(1, 1000))
client = Endpoint({"$/progress": progress.append}, writer.write, lambda: f"call {next(ids)}")
reader = JsonRpcStreamReader(worker.stdout)
reading = threading.Thread(target=reader.listen, args=[client.consume])
reading.start()


def code(call):
    try:
        call.result()
    except JsonRpcException as error:
        return error.code


identity = client.request("identity.get").result()
unknown = code(client.request(task.UNKNOWN))
calls = [client.request("plex.request", task.request(n)) for n in range(task.CALLS)]
answered = task.right(call.result()["body"]["text"] for call in calls)
client.request("plex.request", task.LISTING).result()
# By hand: the library's own way takes no answer to a call that it has cancelled.
slow = client.request("plex.request", task.SLOW)
client.notify("$/cancelRequest", {"id": f"call {next(ids) - 1}"})
cancelled = code(slow)
writer.close()
reading.join()
client.shutdown()
task.tell(
    "python-lsp-jsonrpc",
    device_id=identity["device_id"],
    unknown=unknown,
    answered=answered,
    progress=progress[-1]["done"],
    cancelled=cancelled,
    exit=worker.wait(),
)
