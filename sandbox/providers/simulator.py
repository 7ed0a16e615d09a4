"""What the stand-ins for inference services have in common: a server on loopback, a call's life, and faults on order.

A stand-in is a ``Simulator`` whose methods are marked with ``route``; each says of which kind it is (create, poll,
fetch, erase), and gets a ``Request``. Faults are given by kind and come before the route:
``fail("create", Answer(503))`` once, ``fail("poll", Answer(500), times=None)`` until told otherwise. What a service
does with a call is in ``behaviour``; what it did is in ``calls`` and ``requests``, so that a test can count what was
paid for.

Stand-ins use only the standard library and know nothing of the adapters they are for.
"""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

KINDS = ("create", "poll", "fetch", "erase")
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass
class Answer:
    """One HTTP answer. A ``body`` that is no bytes goes out as JSON.

    ``declared``: a Content-Length that is not the body's. ``stream``: send so many bytes of nothing instead.
    """

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    stream: int = 0
    delay: float = 0.0
    """Seconds before it is sent."""
    hang_up: bool = False
    """Close the connection without a word."""


@dataclass
class Request:
    """What a client sent. ``form`` holds the fields of a multipart body: text, or bytes for files."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def form(self) -> dict[str, list[str | bytes]]:
        """The fields of a multipart body, each a list in the order they came."""
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        found: dict[str, list[str | bytes]] = defaultdict(list)
        for part in message.iter_parts():
            name = str(part.get_param("name", "", header="content-disposition"))
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found[name].append(data if part.get_filename() else data.decode())
        return found


Fault = Answer | Callable[[Request], Answer]


@dataclass
class Behaviour:
    """What becomes of a call."""

    mesh: bytes = b""
    polls: int = 2
    """How often a client asks before a call is done."""
    seconds: float | None = None
    """How long a call takes by the clock, instead."""
    fails: bool = False
    """Whether it then fails, as far as this service tells of failures."""
    links_expire: int = 0
    """How many download links are dead before one works."""
    redirect: str = ""
    """An address that downloads are redirected to."""


@dataclass
class Call:
    """One call as the service sees it."""

    id: str
    photos: list[bytes]
    """What was sent, in the order of views, decoded; empty bytes for a view left out."""
    asked: dict[str, Any] = field(default_factory=dict)
    """The parameters that came with it."""
    began: float = field(default_factory=time.monotonic)
    polls: int = 0
    downloads: int = 0
    cancelled: bool = False
    erased: bool = False


def route(method: str, pattern: str, kind: str) -> Callable[[Method], Method]:
    """Mark a method of a ``Simulator`` as the answer to a method and path (a regular expression, matched whole).

    Its groups are passed on as arguments. ``kind`` is one of ``KINDS``, or "" for what no fault is for.
    """

    def mark(function: Method) -> Method:
        function.route = (method, re.compile(pattern), kind)  # type: ignore[attr-defined]  # our own mark
        return function

    return mark


class Simulator:
    """A running stand-in. Use it as a context manager, or ``close`` it."""

    key: ClassVar[str] = "test-key"
    """The only key it accepts; see ``authorised``."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = Behaviour()
        self.calls: dict[str, Call] = {}
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self._faults: dict[str, list[tuple[Fault, int | None]]] = {kind: [] for kind in KINDS}
        self._routes = [
            (*member.route, name) for name in dir(type(self)) if hasattr(member := getattr(type(self), name), "route")
        ]
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme, port = "https" if tls else "http", self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.files = f"{scheme}://localhost:{port}"
        """Where its download links lead: another origin, as with most services, which wants no key."""
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def fail(self, kind: str, fault: Fault, *, times: int | None = 1) -> None:
        """Answer requests of a kind with this, so many times (``None``: always), before anything else happens."""
        self._faults[kind].append((fault, times))

    def mend(self) -> None:
        """Forget all faults."""
        for faults in self._faults.values():
            faults.clear()

    def authorised(self, request: Request) -> bool:
        """Whether the request carries the key; services with another scheme say so here."""
        return request.headers.get("authorization") == f"Bearer {self.key}"

    def unauthorised(self) -> Answer:
        """What a wrong key is answered."""
        return Answer(401, {"message": "bad key"})

    def refusal(self, request: Request) -> Answer:
        """How this service refuses a photo: in its own shape, echoing what it got where services do."""
        return Answer(422, {"detail": request.body.decode(errors="replace")})

    def broken(self) -> Answer:
        """An answer that is not what it should be."""
        return Answer(200, b"<html>upstream error</html>", {"Content-Type": "text/html"})

    def call(self, photos: list[bytes], **asked: Any) -> Call:
        """Take a new call in."""
        made = Call(uuid4().hex, photos, asked)
        with self.lock:
            self.calls[made.id] = made
        return made

    def done(self, call: Call, *, asking: bool = True) -> bool:
        """Whether a call is done; ``asking``: this question counts as a poll."""
        call.polls += asking
        if self.behaviour.seconds is not None:
            return time.monotonic() - call.began >= self.behaviour.seconds
        return call.polls > self.behaviour.polls

    def percent(self, call: Call) -> int:
        """How far a call is that is not done."""
        if self.behaviour.seconds:
            return min(99, int(100 * (time.monotonic() - call.began) / self.behaviour.seconds))
        return min(99, 100 * call.polls // (self.behaviour.polls + 1))

    def file(self, call: Call) -> Answer:
        """The mesh as a download, with the faults that downloads have."""
        call.downloads += 1
        if call.downloads <= self.behaviour.links_expire:
            return Answer(403, b"expired")
        if self.behaviour.redirect:
            return Answer(302, headers={"Location": self.behaviour.redirect})
        return Answer(200, self.behaviour.mesh, {"Content-Type": "model/gltf-binary"})

    def answer(self, request: Request) -> Answer:
        """What a request is answered, faults first."""
        with self.lock:
            self.requests.append(request)
        for method, pattern, kind, name in self._routes:
            found = pattern.fullmatch(request.path)
            if method != request.method or found is None:
                continue
            fault = self._fault(kind)
            if fault is not None:
                return fault(request) if callable(fault) else fault
            if kind in KINDS and kind != "fetch" and not self.authorised(request):
                return self.unauthorised()
            answer = getattr(self, name)(request, *found.groups())
            return answer if isinstance(answer, Answer) else Answer(200, answer)
        return Answer(404, {"message": "no such route"})

    def _fault(self, kind: str) -> Fault | None:
        with self.lock:
            faults = self._faults.get(kind)
            if not faults:
                return None
            fault, times = faults.pop(0)
            if times is None or times > 1:
                faults.insert(0, (fault, None if times is None else times - 1))
            return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else what follows the headers waits for the client's delayed acknowledgement of them.
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else self._chunked()
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                body,
            )
            self._send(simulator.answer(request))

        def _chunked(self) -> bytes:
            body = b""
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            return body

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            if answer.hang_up:
                self.close_connection = True
                return
            plain = isinstance(answer.body, bytes)
            body = answer.body if plain else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = ({} if plain else {"Content-Type": "application/json"}) | answer.headers
            for name, value in headers.items():
                self.send_header(name, value)
            length = answer.stream or len(body) if answer.declared is None else answer.declared
            self.send_header("Content-Length", str(length))
            self.end_headers()
            for _ in range(0, answer.stream, 1 << 20):
                self.wfile.write(bytes(1 << 20))
            self.wfile.write(body)
            if answer.declared is not None:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
