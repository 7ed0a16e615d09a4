"""A TCP line that can be cut, go silent or become slow while it is in use: to one server, or out through a proxy.

What runs over it is not looked at. As a proxy it takes CONNECT, and plain requests with a whole address, to the places
that it was given and to no others, as the filtering proxy of ``deploy/compose`` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from enum import Enum
from urllib.parse import urlsplit

Address = tuple[str, int]
PIECE = 1 << 14


class State(Enum):
    """How the line is."""

    OPEN = "open"
    CUT = "cut"
    """What was open is broken off, and nobody gets through."""
    SILENT = "silent"
    """Connections are taken, and nothing comes over them."""
    SLOW = "slow"
    """Each piece of 16 kB comes late."""


class Line:
    """Listens on a port of 127.0.0.1. ``to``: the one server; ``routes``: ``host:port`` -> who stands for it."""

    def __init__(self, to: Address | None = None, *, routes: Mapping[str, Address] | None = None) -> None:
        self.to = to
        self.routes = dict(routes or {})
        self.state = State.OPEN
        self.late = 0.15
        """Seconds that each piece is late by on a slow line."""
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        listening.wait()

    def become(self, state: State) -> None:
        """Change how the line is; what is open is broken off by a cut, and by the end of a silence."""
        self._loop.call_soon_threadsafe(self._become, state)

    def _become(self, state: State) -> None:
        before, self.state = self.state, state
        if state is State.CUT or before is State.SILENT:
            self._break()

    def close(self) -> None:
        """Listen no more, and break off what is open."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _break(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _run(self, listening: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        self.port: int = server.sockets[0].getsockname()[1]
        listening.set()
        self._loop.run_forever()
        server.close()
        self._break()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._passed(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort() if self.state is State.CUT else writer.close()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.state is State.SILENT:
            await asyncio.sleep(0.05)
        if self.state is State.CUT or writer.is_closing():
            return
        to, head = self.to, b""
        if to is None:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target = head.decode("latin-1").split(" ")[:2]
            to = self.routes.get(target if method == "CONNECT" else urlsplit(target).netloc)
            if to is None:
                writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            if method == "CONNECT":
                head = b""
        there, back = await asyncio.open_connection(*to)
        self._open.add(back)
        try:
            if self.to is None and not head:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back.write(head)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._open.discard(back)
            back.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            while self.state is State.SILENT:
                await asyncio.sleep(0.05)
            if self.state is State.SLOW:
                await asyncio.sleep(self.late)
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
