"""A client at the ASGI interface itself, which can go away at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One request, and what came back. ``go_away`` is one of the places at which the client breaks off, or empty:

    ``in body``, ``after body``, ``at start`` (of the answer), ``at <n>`` (bytes of it).
    """

    path: str
    body: bytes
    headers: dict[str, str]
    go_away: str = ""
    method: str = "POST"
    after: float = 0.0
    """Seconds to wait before going away, where that is ``after body``."""
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    received: bytes = b""
    ended: bool = False

    def make(self) -> Call:
        """The whole exchange."""
        asyncio.run(self._make())
        return self

    async def _make(self) -> None:
        from modelmyimage.asgi import application

        self.gone = asyncio.Event()
        self.parts = [self.body[start : start + 10_000] for start in range(0, len(self.body), 10_000)] or [b""]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": self.method, "scheme": "http",
            "path": self.path, "raw_path": self.path.encode(), "query_string": b"", "root_path": "",
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [(b"host", b"127.0.0.1")]
            + [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
        }  # fmt: skip
        await application(scope, self._receive, self._send)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # a server's loop goes on, too
            await asyncio.wait(others)

    async def _receive(self) -> Mapping[str, Any]:
        if self.parts:
            if self.go_away == "in body" and len(self.parts) == 1:
                return {"type": "http.disconnect"}
            part = self.parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self.parts)}
        if self.go_away == "after body":
            await asyncio.sleep(self.after)
            return {"type": "http.disconnect"}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answered = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            if self.go_away == "at start":
                await self._leave()
            return
        self.received += message.get("body", b"")
        if self.go_away.startswith("at ") and len(self.received) >= int(self.go_away.removeprefix("at ")):
            await self._leave()
        self.ended = not message.get("more_body", False)

    async def _leave(self) -> None:
        """Nothing is read any more: the server can only notice that we are gone."""
        self.gone.set()
        await asyncio.Event().wait()
