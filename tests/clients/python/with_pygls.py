"""pygls: headers, ids that are strings, LSP's goodbye."""

import asyncio

from pygls.client import JsonRPCClient
from pygls.exceptions import JsonRpcException

import task


async def code(call):
    try:
        await call
    except JsonRpcException as error:
        return error.code


async def main():
    client = JsonRPCClient()
    progress = []

    @client.feature("$/progress")
    def _(params):
        progress.append(params)

    await client.start_io(task.worker())
    call = client.protocol.send_request_async
    identity = await call("identity.get")
    unknown = await code(call(task.UNKNOWN))
    answers = await asyncio.gather(*(call("plex.request", task.request(n)) for n in range(task.CALLS)))
    await call("plex.request", task.LISTING)
    slow = asyncio.create_task(code(call("plex.request", task.SLOW, msg_id="slow")))
    await asyncio.sleep(0)  # it goes out
    client.protocol.notify("$/cancelRequest", {"id": "slow"})
    cancelled = await slow
    await call("shutdown")
    client.protocol.notify("exit")
    await client.stop()
    task.tell(
        "pygls",
        device_id=identity.device_id,
        unknown=unknown,
        answered=task.right(answer.body.text for answer in answers),
        progress=progress[-1].done,
        cancelled=cancelled,
        exit=client._server.returncode,
    )


asyncio.run(main())
