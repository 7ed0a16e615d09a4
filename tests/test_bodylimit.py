"""The cap on request bodies, at the ASGI interface; ``tests/generation/test_uploads.py`` has it on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from django.urls import reverse

from modelmyimage import bodylimit
from modelmyimage.asgi_types import Receive, Send
from modelmyimage.bodylimit import BodyLimit


async def echo(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Reads the whole body and answers with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(
    body: Iterable[bytes] = (), app: Any = echo, path: str = "/", **headers: str
) -> tuple[int, dict[str, str], bytes, int]:
    """Status, headers, body of the answer, and how many parts of the request had been taken when it was begun."""
    parts = list(body)
    taken = 0
    begun = -1
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken >= len(parts):
            return {"type": "http.disconnect"}
        taken += 1
        return {"type": "http.request", "body": parts[taken - 1], "more_body": taken < len(parts)}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal begun
        begun = taken if begun < 0 else begun
        sent.append(message)

    scope = {
        "type": "http",
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    limited = BodyLimit(app, limit=1_000_000, larger={"/create": 20_100_000}, machines=frozenset({"/hook"}))
    asyncio.run(limited(scope, receive, send))
    start = sent[0]
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], found, b"".join(message.get("body", b"") for message in sent[1:]), begun


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/", 1_000_000, 200),
        ("/", 1_000_001, 413),
        ("/create", 20_100_000, 200),
        ("/create", 20_100_001, 413),
        ("/create/", 1_000_001, 413),
        ("/created", 1_000_001, 413),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_the_cap_is_exact_and_larger_on_named_paths_only(path: str, size: int, status: int, declared: bool) -> None:
    parts = [b"x" * min(900_000, size - at) for at in range(0, size, 900_000)]
    headers = {"content_length": str(size)} if declared else {}
    found, _, body, begun = ask(parts, path=path, **headers)
    assert found == status
    assert status == 413 or body == str(size).encode()
    assert status == 200 or not declared or begun == 0


def test_a_declared_length_is_refused_before_anything_is_read() -> None:
    status, headers, body, begun = ask([b"x"] * 5, path="/create", content_length="31000000", accept="text/html,*/*")
    assert (status, begun) == (413, 0)
    assert headers["content-type"].startswith("text/html")
    assert "31 MB. The limit is 20 MB." in body.decode()
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "script-src" not in headers["content-security-policy"]
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)


def test_a_program_gets_a_problem_document() -> None:
    _, headers, body, _ = ask(path="/create", content_length="20150000", accept="application/json")
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Too large",
        "status": 413,
        "detail": "20.2 MB. The limit is 20 MB.",
        "code": "too_large",
    }


@pytest.mark.parametrize("declared", [True, False])
def test_an_address_for_machines_answers_400_and_not_a_word(*, declared: bool) -> None:
    """The application is not asked: what is not there cannot be signed."""

    async def never(scope: Any, receive: Receive, send: Send) -> None:
        while True:
            await receive()

    headers = {"content_length": "10000000"} if declared else {}
    status, _, body, _ = ask([b"x" * 1_000_000] * 10, app=never, path="/hook", **headers)
    assert (status, body) == (400, b"")
    assert ask([b"x" * 1_000_000], path="/hook")[0] == 200


def test_the_webhook_of_the_site_is_such_an_address() -> None:
    from modelmyimage.asgi import limited

    assert reverse("billing:webhook") in limited.machines


def test_without_a_length_only_the_limit_is_known() -> None:
    status, _, body, _ = ask([b"x" * 600_000] * 3)
    assert status == 413
    assert "<h1>The limit is 1 MB.</h1>" in body.decode()


def test_the_application_sees_no_byte_past_the_cap() -> None:
    seen = 0

    async def counting(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        nonlocal seen
        while True:
            seen += len((await receive())["body"])

    assert ask([b"x" * 300_000] * 10, app=counting)[0] == 413
    assert seen == 900_000


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def early(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await receive()

    with pytest.raises(bodylimit._PastCap):
        ask([b"x" * 600_000] * 3, app=early)


@pytest.mark.parametrize("pause", [0.001, 3600])
def test_a_client_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    """One that says nothing more, and one that goes on for ever byte by byte."""
    monkeypatch.setattr(bodylimit, "DRAIN_SECONDS", 0.2)
    monkeypatch.setattr(bodylimit, "DRAIN_IDLE_SECONDS", 0.05)

    async def main() -> int:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause)
            return {"type": "http.request", "body": b"x", "more_body": True}

        sent: list[Mapping[str, Any]] = []

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "path": "/", "headers": [(b"content-length", b"9000000")]}
        await asyncio.wait_for(BodyLimit(echo, limit=10)(scope, receive, send), 5)
        assert sent[-1] == {"type": "http.response.body"}
        return int(sent[0]["status"])

    assert asyncio.run(main()) == 413


def test_other_kinds_of_connection_pass() -> None:
    passed = []

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    asyncio.run(BodyLimit(app, limit=1)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]  # never called
    assert passed == ["lifespan"]
