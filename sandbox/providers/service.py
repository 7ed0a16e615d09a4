"""The scripted inference service: an HTTP server on loopback that behaves as its script says, and counts.

Its replies can echo the photo back in an error, as real services do; whatever a test scripts, the service
remembers which calls were created, so that a test can tell a call paid twice from one resumed.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4


@dataclass
class Script:
    """What the service does with each call."""

    mesh: bytes = b""
    polls_until_finished: int = 2
    submit_status: int = 201
    submit_failures: int = 0
    """How many submits answer 503 before one is taken."""
    fails: bool = False
    echo_photo_in_errors: bool = False
    erase_status: int = 204


@dataclass
class Call:
    """One call as the service sees it."""

    id: str
    photo: bytes
    normal_map: bool = False
    polls: int = 0
    erased: bool = False


@dataclass
class Service:
    """A running service; ``close`` stops it."""

    script: Script
    calls: dict[str, Call] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    submits: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()

    def submit(self, key: str, photo: bytes, *, normal_map: bool = False) -> tuple[int, bytes]:
        """A new call, or the one that this key made before."""
        with self.lock:
            self.submits += 1
            if self.script.submit_failures > 0:
                self.script.submit_failures -= 1
                return 503, b"busy"
            if self.script.submit_status >= 400:
                return self.script.submit_status, photo if self.script.echo_photo_in_errors else b"no"
            if key not in self.by_key:
                call = Call(uuid4().hex, photo, normal_map)
                self.calls[call.id] = call
                self.by_key[key] = call.id
            return 201, json.dumps({"id": self.by_key[key]}).encode()

    def poll(self, call: Call) -> tuple[int, bytes]:
        """How the call is doing; each question brings it nearer to its end."""
        call.polls += 1
        state = {"state": "pending", "percent": min(99, 30 * call.polls)}
        if call.polls > self.script.polls_until_finished:
            state = {"state": "failed" if self.script.fails else "finished"}
        return 200, json.dumps(state).encode()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _call(self) -> Call | None:
            return service.calls.get(self.path.split("/")[2])

        def do_POST(self) -> None:
            photo = self.rfile.read(int(self.headers["Content-Length"]))
            wished = self.headers["Normal-Map"] == "yes"
            self._answer(*service.submit(self.headers["Idempotency-Key"], photo, normal_map=wished))

        def do_GET(self) -> None:
            call = self._call()
            if call is None or call.erased:
                self._answer(404)
            elif self.path.endswith("/mesh"):
                self._answer(200, service.script.mesh)
            else:
                self._answer(*service.poll(call))

        def do_DELETE(self) -> None:
            call = self._call()
            if call is not None and service.script.erase_status < 400:
                call.erased = True
            self._answer(service.script.erase_status)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
