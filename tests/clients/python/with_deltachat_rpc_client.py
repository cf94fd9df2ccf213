"""deltachat-rpc-client: lines, positional params, no notifications."""

from ast import literal_eval

from deltachat_rpc_client.rpc import JsonRpcError, Rpc

import task


class Client(Rpc):
    def get_system_info(self):
        """The library's proof of life; a method of Delta Chat's own server."""
        return getattr(self, "identity.get")()


def code(call):
    try:
        call()
    except JsonRpcError as error:
        return literal_eval(str(error))["code"]


with Client(rpc_server_path=task.worker(), stderr=None) as client:
    identity = client.get_system_info()
    unknown = code(getattr(client, task.UNKNOWN))
    request = getattr(client, "plex.request")
    calls = [request.future(task.request(n)) for n in range(task.CALLS)]
    answered = task.right(call()["body"]["text"] for call in calls)
task.tell(
    "deltachat-rpc-client",
    device_id=identity["device_id"],
    unknown=unknown,
    answered=answered,
    exit=client.process.wait(),
)
