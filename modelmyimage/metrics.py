"""Figures for Prometheus: at ``/metrics`` for whoever shows the token, and at a port of its own on a private network.

Nobody without ``METRICS_TOKEN`` gets anything at the site's own address: without the variable there is no such page.
The port (``METRICS_HOST``, ``METRICS_PORT``) asks for the token, too, where one is set. The web server's answer has
the state of the whole site as well (``state_metrics.py``); a worker's has what that worker counted.

Where several processes share one answer (web servers on one machine, a worker's children), each writes what it counts
to a file in ``PROMETHEUS_MULTIPROC_DIR``, and whichever is asked adds all of them up.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.db import close_old_connections
from django.utils.crypto import constant_time_compare

from modelmyimage.asgi_types import App, Receive, Scope, Send, answer, header
from observe import meters

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PATH: Final = "/metrics"
TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def admits(authorization: str) -> bool:
    """Whether the header shows the token. Where none is set, nobody can show it."""
    scheme, _, shown = authorization.partition(" ")
    wanted: str = settings.METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and constant_time_compare(shown.strip(), wanted)


def text(*, state: bool) -> bytes:
    """The figures in Prometheus's text format: what was counted and, if wanted, the state of the site."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    found: CollectorRegistry = meters.registry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        found = CollectorRegistry()
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    parts: list[Any] = [found]
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    parts.append(own)
    if state:
        from modelmyimage.state_metrics import State  # half of the site: a start need not wait for it

        tables = CollectorRegistry()
        tables.register(State())
        parts.append(tables)
    try:
        return b"".join(generate_latest(part) for part in parts)
    finally:
        close_old_connections()


class Metrics:
    """ASGI wrapper that answers ``/metrics``; one question at a time."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on: without a token set there is no such page."""
        if scope["type"] != "http" or scope["path"] != PATH or not settings.METRICS_TOKEN:
            await self.app(scope, receive, send)
        elif not admits(header(scope, b"authorization")):
            await answer(send, 401, b"", (b"www-authenticate", b"Bearer"))
        elif scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"", (b"allow", b"GET, HEAD"))
        else:
            found = await asyncio.get_running_loop().run_in_executor(self.pool, lambda: text(state=True))
            await answer(send, 200, found, (b"content-type", TYPE.encode()))


def listen(*, state: bool, forks: bool = False) -> int:
    """Answer at the port from a thread, where one is set; the port. Raises ``OSError`` where it is taken.

    ``forks``: this process has children that count, and none of them has begun to.
    """
    if forks and not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _share_with_children()
    server = make_server(settings.METRICS_HOST, settings.METRICS_PORT, _page(state), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server.server_port


def _share_with_children() -> None:
    folder, owner = tempfile.mkdtemp(prefix="mmi-metrics-"), os.getpid()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)


def _page(state: bool) -> Any:
    def page(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            start("404 Not Found", [])
            return [b""]
        if settings.METRICS_TOKEN and not admits(environ.get("HTTP_AUTHORIZATION", "")):
            start("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
            return [b""]
        found = text(state=state)
        start("200 OK", [("Content-Type", TYPE), ("Content-Length", str(len(found)))])
        return [found]

    return page


class _Quiet(WSGIRequestHandler):
    """One question at a time, for a few seconds at most, and no access log."""

    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
