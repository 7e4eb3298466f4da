"""A tiny HTTPS server that remembers what it executed, as the thing behind the proxy."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import tls


class Upstream:
    """Answers every request with JSON, or for `watch=true` with a stream that a test feeds line by line."""

    def __init__(self, certificates: tls.Certificates) -> None:
        self.executed: list[str] = []
        self.feed: list[str] = []
        self.fed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.executed.append(f"{self.command} {self.path} {body.decode()}".strip())
                if "watch=true" in self.path:
                    self.stream()
                    return
                content = json.dumps({"n": len(outer.executed), "padding": "x" * 200}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                sent = 0
                while True:
                    line = outer.line(sent)
                    sent += 1
                    self.wfile.write(f"{len(line):x}\r\n{line}\r\n".encode())
                    self.wfile.flush()
                    if not line:
                        return

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.cert, certificates.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def line(self, number: int) -> str:
        """The line of that number as soon as it was fed; an empty one when nothing comes."""
        with self.fed:
            self.fed.wait_for(lambda: len(self.feed) > number, timeout=20)
            return self.feed[number] if len(self.feed) > number else ""

    def say(self, line: str) -> None:
        """Feed one line to the stream; an empty one ends it."""
        with self.fed:
            self.feed.append(line)
            self.fed.notify_all()
