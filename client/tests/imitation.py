"""A site in a thread that makes a model of everything at once, and can be told to be unkind."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from tests.conftest import job, used

Answer = tuple[int, dict[str, str], Any]


@dataclass
class Imitation:
    """``jobs`` by idempotency key; ``next`` is what the next requests whose path ends so are told instead."""

    url: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    next: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    scopes: set[str] = field(default_factory=lambda: {"read", "generate"})

    def answer(self, method: str, path: str, headers: Any) -> Answer:
        """What a request is answered."""
        self.asked.append(f"{method} {path}")
        for end, answers in self.next.items():
            if f"{method} {path}".endswith(end) and answers:
                return answers.pop(0)
        parts = path.split("/")[3:]
        match method, parts:
            case "POST", ["jobs"]:
                number = UUID(int=len(self.jobs) + 1)
                new = job("ready", id=str(number), credits={"held": 0, "charged": 1})
                return 201, {}, self.jobs.setdefault(headers["Idempotency-Key"], new)
            case "GET", ["jobs", number, *rest]:
                found = next((each for each in self.jobs.values() if each["id"] == number), None)
                if found is None:
                    return 404, {}, {"code": "not_found", "title": "None."}
                return (200, {}, b"glTF") if rest == ["asset"] else (200, {}, found)
            case "DELETE", ["jobs", number, "asset"]:
                found = next(each for each in self.jobs.values() if each["id"] == number)
                found |= {"state": "done", "over": True}
                return 200, {}, found
            case "POST", ["jobs", _, "cancel"]:
                return self._if("generate", 404, {"code": "not_found", "title": "None."})
            case "GET", ["providers"]:
                return self._if(
                    "read", 200, {"providers": [{"name": "embedded", "label": "Ours", "credits": {"draft": 1}}]}
                )
            case "GET", ["balance"]:
                return self._if("billing:read", 200, {"available": 4, "held": 0})
            case "GET", ["keys"]:
                return self._if("usage:read", 200, {"keys": self.keys})
            case "GET", ["usage"]:
                return self._if("usage:read", 200, used())
        return 404, {}, {"code": "not_found", "title": "None."}

    def _if(self, scope: str, status: int, body: Any) -> Answer:
        if scope in self.scopes:
            return status, {}, body
        return 403, {}, {"code": "scope_missing", "title": "The key may not do this.", "scope": scope}


@contextmanager
def imitation() -> Iterator[Imitation]:
    """One that runs."""
    site = Imitation()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = site.answer(self.command, self.path.partition("?")[0], self.headers)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
