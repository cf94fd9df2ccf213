"""mcp: the transport of a client, and a session that asks for MCP."""

import asyncio
import itertools
import os
import tempfile

from mcp import ClientSession, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCNotification, JSONRPCRequest

import task

ENDED = tempfile.NamedTemporaryFile("r+")
# The library tells nobody how the program ended.
SERVER = StdioServerParameters(
    command="sh",
    args=["-c", '"$PLEXSYNC_WORKER"; echo $? >"$ENDED"'],
    env={**os.environ, "ENDED": ENDED.name},
)


async def converse(received, sent):
    progress, waiting, ids = [], {}, itertools.count(1)

    async def read():
        async for message in received:
            message = message.message
            if isinstance(message, JSONRPCNotification):
                progress.append(message.params)
            else:
                waiting.pop(message.id).set_result(message)

    async def send(method, params=None):
        id = next(ids)
        waiting[id] = asyncio.get_running_loop().create_future()
        await sent.send(SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=id, method=method, params=params)))
        return waiting[id]

    reading = asyncio.create_task(read())
    identity = await (await send("identity.get"))
    unknown = await (await send(task.UNKNOWN))
    calls = [await send("plex.request", task.request(n)) for n in range(task.CALLS)]
    answers = [await call for call in calls]
    await (await send("plex.request", task.LISTING))
    slow = await send("plex.request", task.SLOW)
    stop = JSONRPCNotification(jsonrpc="2.0", method="$/cancelRequest", params={"id": next(ids) - 1})
    await sent.send(SessionMessage(stop))
    cancelled = await slow
    reading.cancel()
    return {
        "device_id": identity.result["device_id"],
        "unknown": unknown.error.code,
        "answered": task.right(answer.result["body"]["text"] for answer in answers),
        "progress": progress[-1]["done"],
        "cancelled": cancelled.error.code,
    }


async def main():
    async with stdio_client(SERVER) as (received, sent):
        seen = await converse(received, sent)
    ended = int(ENDED.read())
    async with stdio_client(SERVER) as streams, ClientSession(*streams) as session:
        try:
            await session.initialize()
        except MCPError as error:
            assert error.error.code == -32601, error
        else:
            raise AssertionError("the worker speaks MCP")
    task.tell("mcp", **seen, exit=ended)


asyncio.run(main())
