"""A home of its own for every test, a site that says what it is told to say, and the running one."""

from __future__ import annotations

import os
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "client" / "src"
PHOTOS = ROOT.parent / "shared" / "data" / "photos"
MUG = ROOT / "static" / "samples" / "mug.jpg"
ADDRESS = "https://models.example"


def made_up_key(letter: str = "a") -> str:
    """A key that no site knows, with the right check digits."""
    body = "mmi_" + letter * 43
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits += (string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit]
    return body + digits


KEY = made_up_key()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of whoever runs the tests is read or written."""
    found = tmp_path_factory.mktemp("home")
    for name in ("HOME", "APPDATA", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(found))
    for name in ("MMI_URL", "MMI_KEY"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time does not pass; how long it should have."""
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("modelmyimage.sync.time.sleep", slept.append)
    monkeypatch.setattr("modelmyimage.aio.asyncio.sleep", nap)
    return slept


Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Script:
    """Answers, in order, and the requests that they were given to."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer, for a client that waits."""
        request.read()
        return self._next(request)

    async def later(self, request: httpx.Request) -> httpx.Response:
        """The next answer, for asyncio."""
        await request.aread()
        return self._next(request)

    def _next(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if not isinstance(reply, httpx.Response):
            return reply(request)
        if not reply.is_closed:  # a stream
            return reply
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)


@pytest.fixture
def script() -> Script:
    return Script()


def job(state: str = "running", **more: Any) -> dict[str, Any]:
    """A job as the site describes it, with a member that this version does not know."""
    over = more.pop("over", state not in ("running", "ready"))
    return {
        "id": "7e57ab1e-0000-4000-8000-000000000001", "state": state, "over": over, "percent": 10, "unheard_of": 1,
        "created_at": "2026-01-31T12:00:00.000+00:00", "credits": {"held": 1, "charged": 0}, "failure": None, **more,
    }  # fmt: skip


def used() -> dict[str, Any]:
    """Usage as the site describes it."""
    calls, jobs = {"calls": 7, "bytes_in": 4096, "median_ms": 20, "p95_ms": None}, {"jobs": 2, "done": 1, "credits": 3}
    rows = [{"name": "2026-01-30", "label": "30 January", "calls": calls, "jobs": None}]
    return {
        "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "by": "day", "rows": rows,
        "total": {"calls": calls, "jobs": jobs},
    }  # fmt: skip


def problem(status: int, code: str, *, retry_after: str = "", **more: Any) -> httpx.Response:
    """A problem as the site describes it."""
    said = {
        "title": "No",
        "status": status,
        "code": code,
        "detail": "It is so.",
        "todo": "Do that.",
        "request_id": "r1",
    }
    headers = {"Retry-After": retry_after} if retry_after else {}
    return httpx.Response(status, json={**said, **more}, headers=headers)


@dataclass(frozen=True)
class Site:
    """The running site, and a key that may do everything there."""

    url: str
    key: str


@pytest.fixture(scope="session")
def site() -> Site:
    if not os.environ.get("MMI_TEST_URL"):
        pytest.skip("MMI_TEST_URL names no running site")
    return Site(os.environ["MMI_TEST_URL"], os.environ["MMI_TEST_KEY"])


@pytest.fixture
def logged_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("MMI_URL", site.url)
    monkeypatch.setenv("MMI_KEY", site.key)
    return site
