"""Records attempts at a server of HTTP on a Unix socket, and prints the id of each that it has acknowledged.

Arguments: the socket, the id, and how many: of more than one the ids are numbered.
"""

import http.client
import json
import socket
import sys

path, name = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 1
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "record",
}


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)


connection = Connection("localhost", timeout=120)
for number in range(count):
    id = name if count == 1 else f"{name}-{number}"
    steps = [{"action": f"step {step}", "result": "r"} for step in range(50 if count == 1 else 1)]
    arguments = {"id": id, "context": "c", "status": "completed", "steps": steps}
    params = {"name": "record", "arguments": arguments, "_meta": META}
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    try:
        connection.request("POST", "/mcp", json.dumps(message), HEADERS)
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException):
        # The server was asked to end.
        sys.exit(0 if count > 1 else 1)
    if answer["result"]["structuredContent"].get("durable") is not True:
        sys.exit(1)
    print(id, flush=True)
