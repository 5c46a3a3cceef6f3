"""Speaks with `episodic mcp` by the client of the package mcp, and prints what it saw as one JSON object.

Arguments: the mode of mcp 2 (auto, legacy or a revision) or "session" for mcp 1, the program, the store.
"""

import asyncio
import json
import sys

from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client

mode, program, store = sys.argv[1:4]
server = StdioServerParameters(command=program, args=["mcp", "--store", store, "--domain", "web"])
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
    return {
        "tools": [tool.name for tool in tools.tools],
        "recorded": structured(recorded)["id"],
        "recalled": structured(recalled)["ids"],
        "refused": is_error(refused),
        "resource": "wait for the server" in resource.contents[0].text,
        "prompt": "record" in prompt.messages[0].content.text,
    }


async def main():
    if mode == "session":
        from mcp import ClientSession

        async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
            await session.initialize()
            return await converse(session)
    from mcp import Client

    async with Client(stdio_client(server), mode=mode) as client:
        return await converse(client)


print(json.dumps(asyncio.run(main())))
