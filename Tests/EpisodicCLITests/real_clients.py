"""Runs Claude Code or Codex with a scripted model on loopback and the memory installed, and prints what was seen as one JSON object.

Arguments: claude or codex, its program, the program episodic, an empty folder. Nothing leaves this machine.
"""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

agent, program, episodic, folder = sys.argv[1:5]
home, work, store = (os.path.join(folder, name) for name in ("home", "work", "store"))

FAILING = "cat checkout/redis.log.missing"
FIX = "echo docker start redis"
SHELL = {"claude": ("Bash", "command"), "codex": ("exec_command", "cmd")}[agent]


def shell(command):
    return {"name": SHELL[0], "input": {SHELL[1]: command}}


def recall(text):
    call = {"name": "recall", "input": {"text": text}}
    return {**call, "name": "mcp__episodic__recall"} if agent == "claude" else {**call, "namespace": "mcp__episodic"}


class Model(BaseHTTPRequestHandler):
    """Answers with the turn that the number of results in the conversation asks for."""

    protocol_version = "HTTP/1.1"
    script = []
    requests = []

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.answer(b"{}", "application/json")

    def do_HEAD(self):
        self.answer(b"", "application/json")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if body.get("tools"):
            Model.requests.append(json.dumps(body))
        events = self.codex(body) if "/responses" in self.path else self.claude(body)
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self.answer(text.encode(), "text/event-stream")

    def turn(self, done):
        passed = 0
        for turn in Model.script:
            if isinstance(turn, str) or passed >= done:
                return turn, passed
            passed += len(turn)
        return "Done.", passed

    def claude(self, body):
        messages = body.get("messages", [])
        turn, passed = self.turn(sum(map(results, messages))) if body.get("tools") else ("A title", 0)
        usage = {"input_tokens": 10, "output_tokens": 5}
        message = {"id": f"msg_{len(messages)}", "type": "message", "role": "assistant", "model": "m", "content": [],
                   "stop_reason": None, "stop_sequence": None, "usage": usage}
        yield {"type": "message_start", "message": message}
        blocks = [{"type": "text", "text": turn}] if isinstance(turn, str) else [
            {"type": "tool_use", "id": f"toolu_{os.getpid()}_{passed + i}", **call} for i, call in enumerate(turn)]
        for i, block in enumerate(blocks):
            if block["type"] == "text":
                start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
            else:
                start, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield {"type": "content_block_start", "index": i, "content_block": start}
            yield {"type": "content_block_delta", "index": i, "delta": delta}
            yield {"type": "content_block_stop", "index": i}
        reason = "end_turn" if isinstance(turn, str) else "tool_use"
        yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}
        yield {"type": "message_stop"}

    def codex(self, body):
        items = body.get("input", [])
        turn, passed = self.turn(sum(item.get("type", "").endswith("_output") for item in items))
        response = {"id": f"resp_{len(items)}"}
        yield {"type": "response.created", "response": response}
        if isinstance(turn, str):
            outputs = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": turn}]}]
        else:
            outputs = [{"type": "function_call", "call_id": f"call_{passed + i}", "arguments": json.dumps(call["input"]),
                        **{key: value for key, value in call.items() if key != "input"}} for i, call in enumerate(turn)]
        for i, output in enumerate(outputs):
            yield {"type": "response.output_item.done", "item": {"id": f"item_{len(items)}_{i}", **output}}
        usage = {"input_tokens": 1, "input_tokens_details": None, "output_tokens": 1, "output_tokens_details": None, "total_tokens": 2}
        yield {"type": "response.completed", "response": {**response, "usage": usage}}


def results(message):
    content = message.get("content")
    return sum(block.get("type") == "tool_result" for block in content) if isinstance(content, list) else 0


server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_address[1]}"
environment = {
    "PATH": "/usr/bin:/bin", "HOME": home, "CODEX_HOME": home + "/.codex", "KEY_OF_NOBODY": "x", "IS_SANDBOX": "1",
    "ANTHROPIC_BASE_URL": address, "ANTHROPIC_API_KEY": "none", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}


def run(arguments):
    done = subprocess.run(
        arguments, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
    if done.returncode:
        raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return done.stdout


def ask(prompt, script):
    """One session; returns what the model was asked."""
    Model.script, Model.requests = script, []
    if agent == "claude":
        run([program, "-p", prompt, "--allowedTools", "Bash", "mcp__episodic__recall"])
    else:
        run([program, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox",
             "--dangerously-bypass-hook-trust", prompt])
    return list(Model.requests)


def command(*arguments):
    return run([episodic, *arguments, "--store", store])


def read(name):
    path = os.path.join(home, name)
    return open(path).read() if os.path.exists(path) else None


for path in (home + "/.claude", home + "/.codex", work):
    os.makedirs(path)
subprocess.run(["git", "init", "-q", work], check=True)
settings = {"claude": ".claude/settings.json", "codex": ".codex/config.toml"}[agent]
with open(os.path.join(home, settings), "w") as file:
    if agent == "claude":
        file.write('{\n  "cleanupPeriodDays": 30\n}\n')
    else:
        file.write(f'# mine\nmodel = "m"\nmodel_provider = "local"\n\n[model_providers.local]\nname = "local"\n'
                   f'base_url = "{address}/v1"\nwire_api = "responses"\nenv_key = "KEY_OF_NOBODY"\n')

command("install", agent, "--user")
checked = command("install", agent, "--user", "--check")
ask("make the checkout test pass", [[shell(FAILING)], [shell(FIX)], "Redis was not running."])
second = ask("the checkout test fails again", [[recall("checkout")], "Done."])
if os.environ.get("SHOW_REQUESTS"):
    sys.stderr.write("\n".join(second) + "\n")
episodes = json.loads(command("list", "--json"))["episodes"]
synced = json.loads(command("sync", agent, "--json"))
once_more = json.loads(command("sync", agent, "--json"))
command("install", agent, "--user", "--undo")
hook_log = os.path.join(store, "hook.log")
print(json.dumps({
    "checked": checked.strip().splitlines()[-1],
    "fix_in_prompt": FIX in second[0],
    "failure_in_prompt": FAILING in second[0],
    "recalled": any("ids" in request and FIX in request for request in second[1:]),
    "episodes": [
        {key: episode.get(key) for key in ("status", "context", "domain", "actor")}
        | {"steps": [[step["action"], step.get("success")] for step in episode["steps"]]}
        for episode in episodes
    ],
    "synced": synced,
    "once_more": once_more,
    # The clients add lines of their own, with the folder, whose name may have the word.
    "undone": not any("episodic" in (read(name) or "").replace(folder, "") for name in
                      (settings, ".claude.json", ".codex/hooks.json", ".claude/settings.json")),
    "hook_log": open(hook_log).read() if os.path.exists(hook_log) else "",
}))
