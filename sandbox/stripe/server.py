"""The listening part: HTTP on loopback, calls of the API by key, pages for people, and answers lost on request."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

LARGEST_BODY_BYTES = 1_000_000


@dataclass
class Request:
    """What was sent. Header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def key(self) -> str:
        """The secret key of a call, or an empty string."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key if scheme.lower() == "bearer" else ""


@dataclass
class Answer:
    """What is sent back. ``hang_up``: nothing is, and the connection closes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


How = int | Literal["hang_up_before", "hang_up_after"]


@dataclass
class Fault:
    """What happens to the next calls. A status or "hang_up_before": nothing is done; "hang_up_after": it is done."""

    how: How
    times: int
    method: str
    path: str


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


class Server:
    """A server on 127.0.0.1; ``port`` 0 is a free one. ``respond`` is called in a thread for each connection."""

    def __init__(self, respond: Callable[[Request], Answer], port: int = 0) -> None:
        self._server = _Threads(("127.0.0.1", port), _handler(respond))
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    def start(self) -> None:
        """Answer from now on; until then, who connects waits."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _handler(respond: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 60

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LARGEST_BODY_BYTES:
                self.close_connection = True
                self._send(Answer(413, b"Too large."))
                return
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = respond(Request(self.command, parts.path, parts.query, headers, self.rfile.read(length)))
            if answer.hang_up:
                self.close_connection = True
            else:
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = do_HEAD = _serve

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
