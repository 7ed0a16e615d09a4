"""A question at the ASGI interface, counting switched on, and a job to watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from observe import meters
from tests.generation.conftest import _seen, drive, send, service  # noqa: F401  # fixtures

TOKEN = "a-token-for-tests-alone"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


async def asked(path: str, *, app: Any = None, method: str = "GET", **headers: str) -> Answer:
    """The whole exchange with the site, or with another ASGI application."""
    if app is None:
        from modelmyimage.asgi import application as app
    given = {"host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    parts = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        if parts:
            return parts.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def keep(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:]))


def ask(path: str, **options: Any) -> Answer:
    """``asked``, waited for."""
    return asyncio.run(asked(path, **options))


@pytest.fixture
def counting(settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Counting is on, from nothing; called, it gives what ``/metrics`` says."""
    fresh = meters._Switch()
    fresh.on = True
    monkeypatch.setattr(meters, "_switch", fresh)
    settings.METRICS_TOKEN = TOKEN

    def figures() -> str:
        answer = ask("/metrics", authorization=f"Bearer {TOKEN}")
        assert answer.status == 200
        return answer.body.decode()

    return figures
