"""A receiver of POST requests on loopback that fails, hangs and loses answers; prints its port, then a line for each arrival.

How it treats a message follows from the number in its payload and from how often it was asked for it."""
import http.server, json, sys, threading, time

asked, lock = {}, threading.Lock()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Idempotency-Key"] == message["id"]
        number = message["payload"]["number"]
        with lock:
            asked[message["id"]] = times = asked.get(message["id"], 0) + 1
            print("asked", message["id"], flush=True)

        def arrive():
            with lock:
                print("arrived", message["key"], number, message["id"], flush=True)

        what = self.path.strip("/")
        if what == "chaos" and times == 1:
            what = ["fail", "hang", "lose", "busy", "fine"][number % 5]
        if what == "refuse":
            return self.answer(422, b"no such customer")
        if what == "redirect":
            return self.answer(302, Location="/elsewhere")
        if what == "fail":
            return self.answer(500, b"token=ghp_0123456789abcdefghijABCDEFGHIJ012345")
        if what == "busy":
            return self.answer(429, Retry_After="1")
        if what == "busy-long":
            return self.answer(503, Retry_After="1000000")
        if what == "large":
            arrive()
            return self.answer(200, b"x" * 10_000_000)
        arrive()
        if what == "hang":
            time.sleep(3)
        if what in ("hang", "lose"):
            self.close_connection = True
            return self.connection.shutdown(2)
        self.answer(204)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
