"""Whether this process answers (``/livez``), and whether what it needs does (``/readyz``), for load balancers.

Both are answered before Django: a probe has no host name and no TLS. To whoever asks they say as little as whether the
database, the broker, the key store and the object store are there, and they ask those at most once a second, however
often they are asked themselves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Final

import redis
from django.conf import settings
from django.db import connection

from modelmyimage.asgi_types import App, Receive, Scope, Send, answer
from privacy import keystore
from privacy.stores import store

logger = logging.getLogger(__name__)

SECONDS: Final = 2.0
"""How soon each part has to answer."""
FRESH_SECONDS: Final = 1.0
TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
JSON: Final = (b"content-type", b"application/json")


def database() -> None:
    """Raises when the database does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # this thread's own


def broker() -> None:
    """Raises when the broker does not answer."""
    _broker(settings.CELERY_BROKER_URL).ping()


@cache
def _broker(url: str) -> redis.Redis:
    # Kombu's name for a socket, and its options, mean nothing to the client.
    address = url.replace("redis+socket://", "unix://", 1).partition("?")[0]
    return redis.Redis.from_url(address, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)


def object_store() -> None:
    """Raises when the store does not answer; there is no such object."""
    store().exists("readyz")


PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "database": database,
    "broker": broker,
    "key_store": keystore.ping,
    "object_store": object_store,
}


class Parts:
    """How the parts are, as of a second ago at most. A part that hangs holds one thread, however often it is asked."""

    def __init__(self, parts: Mapping[str, Callable[[], None]] = PARTS, *, seconds: float = SECONDS) -> None:
        self.parts = parts
        self.seconds = seconds
        self.pool = ThreadPoolExecutor(max_workers=len(parts), thread_name_prefix="probe")
        self.asked: dict[str, Future[None]] = {}
        self.found: dict[str, bool] = {}
        self.at = -FRESH_SECONDS
        self.lock = asyncio.Lock()

    async def states(self) -> dict[str, bool]:
        """Each part's name, and whether it answered."""
        async with self.lock:
            if time.monotonic() - self.at >= FRESH_SECONDS:
                self.found = await self._ask()
                self.at = time.monotonic()
            return self.found

    async def _ask(self) -> dict[str, bool]:
        for name, ask in self.parts.items():
            before = self.asked.get(name)
            if before is None or before.done():
                self.asked[name] = self.pool.submit(ask)
        waited = [asyncio.wrap_future(future) for future in self.asked.values()]
        for one in waited:
            one.add_done_callback(lambda done: done.cancelled() or done.exception())  # looked at: asyncio is content
        await asyncio.wait(waited, timeout=self.seconds)
        found = {name: future.done() and future.exception() is None for name, future in self.asked.items()}
        for name, well in found.items():
            if well != self.found.get(name, True):
                error = self.asked[name].exception() if self.asked[name].done() else None
                said = "a part answers again" if well else "a part does not answer"
                logger.warning(said, extra={"part": name}, exc_info=error)
        return found


class Probes:
    """ASGI wrapper that answers the two probes."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.parts = Parts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path not in ("/livez", "/readyz"):
            await self.app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"", (b"allow", b"GET, HEAD"))
        elif path == "/livez":
            await answer(send, 200, b"ok", TEXT)
        else:
            states = await self.parts.states()
            ready = all(states.values())
            said = {"ready": ready, "parts": {name: "ok" if well else "down" for name, well in states.items()}}
            await answer(send, 200 if ready else 503, json.dumps(said).encode(), JSON)
