"""Speaks with `episodic mcp` by the client of the package mcp, and prints what it saw as one JSON object.

Arguments: the mode of mcp 2 (auto, legacy or a revision) or "session" for mcp 1, then the program and the store, or the address of
a server of HTTP as that prints it and the file of its token.
"""

import asyncio
import contextlib
import json
import sys

from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

mode, place, detail = sys.argv[1:4]
ATTEMPT = {
    "id": "a",
    "context": "the login test fails",
    "status": "completed",
    "steps": [{"action": "wait for the server", "result": "passed", "success": True}],
}


def structured(result):
    return getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)


def is_error(result):
    return bool(getattr(result, "is_error", None) or getattr(result, "isError", None))


async def converse(client):
    tools = await client.list_tools()
    recorded = await client.call_tool("record", ATTEMPT)
    recalled = await client.call_tool("recall", {"text": "login"})
    refused = await client.call_tool("recall", {"text": "login", "limit": 1000})
    resource = await client.read_resource("episodic://episode/a")
    prompt = await client.get_prompt("postmortem", {"task": "x"})
    stages = []

    async def note(progress, total, message):
        stages.append(message)

    forgotten = await client.call_tool("forget", {"id": "a"}, progress_callback=note)
    return {
        "tools": [tool.name for tool in tools.tools],
        "recorded": structured(recorded)["id"],
        "recalled": structured(recalled)["ids"],
        "refused": is_error(refused),
        "resource": "wait for the server" in resource.contents[0].text,
        "prompt": "record" in prompt.messages[0].content.text,
        "forgotten": not is_error(forgotten),
        "progress": len(stages) > 0,
    }


@contextlib.asynccontextmanager
async def http_streams():
    """The streams of the client for HTTP, with the token in each request."""
    if mode == "session":
        import httpx
    else:
        import httpx2 as httpx
    path = place.removeprefix("unix:")
    options = {"headers": {"Authorization": "Bearer " + open(detail).read().strip()}} if detail else {}
    if path != place:
        options["transport"] = httpx.AsyncHTTPTransport(uds=path)
    url = "http://localhost/mcp" if path != place else place
    async with httpx.AsyncClient(timeout=60, **options) as http:
        async with streamable_http_client(url, http_client=http) as streams:
            yield streams


def transport():
    if place.startswith(("http:", "unix:")):
        return http_streams()
    return stdio_client(StdioServerParameters(command=place, args=["mcp", "--store", detail, "--domain", "web"]))


async def main():
    if mode == "session":
        from mcp import ClientSession

        async with transport() as streams, ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            return await converse(session)
    from mcp import Client

    async with Client(transport(), mode=mode) as client:
        return await converse(client)


print(json.dumps(asyncio.run(main())))
