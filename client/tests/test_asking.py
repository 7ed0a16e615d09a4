"""What is sent, what is tried again and when, and what answers become: of both clients, by one script of answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import modelmyimage
from modelmyimage import AsyncClient, Client
from tests.conftest import ADDRESS, KEY, MUG, Script, job, problem, used

ID = job()["id"]
Do = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def do(request: pytest.FixtureRequest, script: Script, naps: list[float]) -> Do:
    """``do("jobs.get", …)`` calls the method of a client, and collects what it iterates over."""

    def sync(name: str, *words: Any, patience: float = 300, most: int | None = None, **more: Any) -> Any:
        with Client(ADDRESS, KEY, patience=patience, transport=httpx.MockTransport(script)) as client:
            found = _method(client, name)(*words, **more)
            return _taken(found, most) if hasattr(found, "__next__") else found

    async def later(name: str, *words: Any, patience: float = 300, most: int | None = None, **more: Any) -> Any:
        transport = httpx.MockTransport(script.later)
        async with AsyncClient(ADDRESS, KEY, patience=patience, transport=transport) as client:
            found = _method(client, name)(*words, **more)
            if not hasattr(found, "__anext__"):
                return await found
            taken = []
            async for each in found:
                taken.append(each)
                if len(taken) == most:
                    break
            return taken

    return sync if request.param == "sync" else lambda *words, **more: asyncio.run(later(*words, **more))


def _method(client: Any, name: str) -> Any:
    for part in name.split("."):
        client = getattr(client, part)
    return client


def _taken(found: Any, most: int | None) -> list[Any]:
    taken = []
    for each in found:
        taken.append(each)
        if len(taken) == most:
            break
    return taken


def stream(*events: str, end: Exception | None = None, kind: str = "text/event-stream") -> httpx.Response:
    """A body that comes in small pieces, and may break off."""

    class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Any:
            data = "".join(events).encode()
            yield from (data[at : at + 7] for at in range(0, len(data), 7))
            if end:
                raise end

        async def __aiter__(self) -> Any:
            for piece in self:
                yield piece

    return httpx.Response(200, headers={"Content-Type": kind}, stream=Pieces())


def state(**more: Any) -> str:
    return f"event: state\ndata: {json.dumps(job(**more))}\n\n"


def test_a_photo_is_sent_without_its_name_and_once(do: Do, script: Script, naps: list[float], tmp_path: Path) -> None:
    photo = tmp_path / "my secret holiday.jpg"
    photo.write_bytes(MUG.read_bytes())
    script.replies = [
        httpx.ReadError("gone"), problem(503, "nobody", retry_after="60"), httpx.Response(201, json=job())
    ]  # fmt: skip
    made = do("jobs.create", photo, quality="draft", texture=False, print_size_mm=90)
    assert (made.id, made.credits.held, made.created_at.year) == (ID, 1, 2026)
    assert len({each.headers["Idempotency-Key"] for each in script.requests}) == 1
    assert naps[1] == 60
    sent = script.requests[-1]
    assert sent.headers["Authorization"] == f"Bearer {KEY}"
    assert b"secret" not in sent.content
    for field, value in (("quality", "draft"), ("texture", "false"), ("print_size_mm", "90")):
        assert f'name="{field}"\r\n\r\n{value}\r\n'.encode() in sent.content


def test_two_photos_have_two_idempotency_keys(do: Do, script: Script) -> None:
    script.replies = [httpx.Response(201, json=job())] * 2
    do("jobs.create", MUG)
    do("jobs.create", MUG)
    assert len({each.headers["Idempotency-Key"] for each in script.requests}) == 2


def test_other_sides(do: Do, script: Script) -> None:
    script.replies = [httpx.Response(201, json=job())]
    do("jobs.create", MUG, left=MUG.read_bytes(), behind=MUG, right=str(MUG))
    for name in ("image", "image_left", "image_back", "image_right"):
        assert f'name="{name}"; filename="photo"'.encode() in script.requests[0].content


def test_what_is_no_photo_is_not_sent(do: Do, script: Script, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("private")
    for source in (tmp_path / "notes.txt", tmp_path / "missing.jpg", b"\xff\xd8\xff\xe0", b""):
        with pytest.raises(modelmyimage.NotAPhoto):
            do("jobs.create", source)
    assert script.requests == []


@pytest.mark.parametrize("status", [429, 503])
def test_later_means_later(do: Do, script: Script, naps: list[float], status: int) -> None:
    wait = problem(status, "later", retry_after="7")
    script.replies = [wait, wait, httpx.Response(200, json=job())]
    assert do("jobs.get", ID).id == ID
    assert naps == [7, 7]


def test_patience_ends(do: Do, script: Script, naps: list[float]) -> None:
    script.replies = [problem(429, "too_many_requests", retry_after="20")] * 9
    with pytest.raises(modelmyimage.TooMany) as reached:
        do("jobs.get", ID, patience=50)
    assert (naps, reached.value.retry_after, reached.value.code) == ([20, 20], 20, "too_many_requests")


@pytest.mark.parametrize("reply", [httpx.ConnectError("no"), httpx.ReadTimeout("no"), problem(502, "internal")])
def test_faults_are_tried_four_times(do: Do, script: Script, naps: list[float], reply: Any) -> None:
    script.replies = [reply] * 9
    with pytest.raises((modelmyimage.NotConnected, modelmyimage.SiteFault)):
        do("balance")
    assert len(script.requests) == 4
    assert len(naps) == 3
    assert naps == sorted(naps)
    assert all(0.4 < seconds < 5 for seconds in naps)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "Refused"), (401, "KeyRefused"), (402, "NoCredits"), (403, "NotAllowed"), (404, "NotFound"),
     (409, "Conflict"), (410, "Gone"), (422, "Refused"), (418, "ApiError")],
)  # fmt: skip
def test_other_problems_are_said_at_once(do: Do, script: Script, status: int, kind: str) -> None:
    script.replies = [problem(status, "such", errors={"quality": ["Wrong."]})]
    with pytest.raises(modelmyimage.ApiError) as raised:
        do("jobs.get", ID)
    error = raised.value
    assert type(error).__name__ == kind
    assert (error.code, error.todo, error.request_id, error.errors) == (
        "such",
        "Do that.",
        "r1",
        {"quality": ["Wrong."]},
    )
    assert str(error) == "It is so. Do that. (request r1)"


def test_a_redirect_is_not_followed(do: Do, script: Script) -> None:
    script.replies = [httpx.Response(301, headers={"Location": "https://elsewhere.example/"})]
    with pytest.raises(modelmyimage.ApiError, match="elsewhere"):
        do("balance")
    assert [request.url.host for request in script.requests] == ["models.example"]


def test_answers_that_are_none(do: Do, script: Script) -> None:
    for body in (
        b"<html>",
        b"[]",
        b'{"available": "many", "held": 0}',
        b'{"held": 0}',
        b'{"available": true, "held": 0}',
    ):
        script.replies = [httpx.Response(200, content=body)]
        with pytest.raises(modelmyimage.Unreadable):
            do("balance")
    with pytest.raises(modelmyimage.Unreadable):
        do("jobs.get", "../balance")


def test_pages_are_asked_for_as_they_are_wanted(do: Do, script: Script) -> None:
    pages = [{"jobs": [job(), job()], "next": "x y"}, {"jobs": [job()], "next": None}]
    script.replies = [httpx.Response(200, json=page) for page in pages]
    assert len(do("jobs.list", state="running")) == 3
    assert [dict(each.url.params).get("cursor") for each in script.requests] == [None, "x y"]
    script.replies = [httpx.Response(200, json=pages[0])]
    assert len(do("jobs.list", most=2)) == 2
    line = {"id": 1, "at": "2026-01-31T12:00:00Z", "what": "spent", "credits": -1, "moved": 1, "balance": 4}
    script.replies = [httpx.Response(200, json={"lines": [line], "next": None})]
    assert do("ledger", only="spent")[0].credits == -1


def test_usage(do: Do, script: Script) -> None:
    script.replies = [httpx.Response(200, json=used())]
    found = do("usage", "2026-01-01", "2026-01-31", by="day")
    assert (found.begin.month, found.rows[0].calls.calls, found.rows[0].jobs, found.total.jobs.credits) == (
        1,
        7,
        None,
        3,
    )
    assert dict(script.requests[0].url.params) == {"from": "2026-01-01", "to": "2026-01-31", "by": "day"}


def test_waiting(do: Do, script: Script, naps: list[float]) -> None:
    script.replies = [httpx.Response(200, json=job(state)) for state in ("running", "running", "ready")]
    assert do("jobs.wait", ID).state == "ready"
    assert script.requests[0].url.params["wait"] == "30"
    script.replies = [httpx.Response(200, json=job())]
    with pytest.raises(modelmyimage.TimedOut) as raised:
        do("jobs.wait", ID, timeout=0)
    assert raised.value.job.id == ID


def test_a_stream_is_taken_up_where_it_broke(do: Do, script: Script, naps: list[float]) -> None:
    script.replies = [
        stream("retry: 1500\n\n", "id: 4\r\n" + state(percent=20), ": here\n\n", state(percent=20),
               end=httpx.ReadError("gone")),
        stream(state(percent=20), state(state="ready", percent=100)),
        stream("event: other\ndata: 1\n\n", state(state="done")),
    ]  # fmt: skip
    seen = do("jobs.events", ID)
    assert [(each.state, each.percent) for each in seen] == [("running", 20), ("ready", 100), ("done", 10)]
    assert [each.headers.get("Last-Event-ID") for each in script.requests] == [None, "4", "4"]
    assert naps == [1.5, 2.0]


def test_a_stream_that_never_says_anything_is_no_stream(do: Do, script: Script, naps: list[float]) -> None:
    script.replies = [stream(end=httpx.ReadError("gone")) for _ in range(9)]
    with pytest.raises(modelmyimage.NotConnected):
        do("jobs.events", ID)
    assert len(script.requests) == 4


def test_where_there_are_no_streams_it_asks(do: Do, script: Script, naps: list[float]) -> None:
    script.replies = [
        stream("", kind="text/html"),
        *(httpx.Response(200, json=job(each)) for each in ("running", "done")),
    ]
    assert [each.state for each in do("jobs.events", ID)] == ["running", "done"]


def test_a_model_is_there_whole_or_not_at_all(do: Do, script: Script, naps: list[float], tmp_path: Path) -> None:
    target = tmp_path / "model.glb"
    target.write_bytes(b"before")
    script.replies = [stream("glTF and", end=httpx.ReadError("gone")) for _ in range(4)]
    with pytest.raises(modelmyimage.NotConnected):
        do("jobs.asset", ID, target)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("model.glb", b"before")]
    script.replies = [stream("glTF and", end=httpx.ReadError("gone")), stream("glTF and more")]
    assert do("jobs.asset", ID, target) == target
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("model.glb", b"glTF and more")]


def test_generate_fetches_and_then_destroys(do: Do, script: Script, tmp_path: Path) -> None:
    def destroy(request: httpx.Request) -> httpx.Response:
        assert (tmp_path / "model.glb").read_bytes() == b"glTF"
        return httpx.Response(200, json=job("done", credits={"held": 0, "charged": 1}))

    ready = httpx.Response(200, json=job("ready"))
    script.replies = [httpx.Response(201, json=job()), ready, stream("glTF"), destroy]
    assert do("generate", MUG, tmp_path / "model.glb").credits.charged == 1
    assert [each.method for each in script.requests] == ["POST", "GET", "GET", "DELETE"]


def test_generate_says_why_there_is_no_model(do: Do, script: Script, tmp_path: Path) -> None:
    failure = {"code": "no_object", "message": "There is nothing to see."}
    script.replies = [httpx.Response(201, json=job()), httpx.Response(200, json=job("failed", failure=failure))]
    with pytest.raises(modelmyimage.JobEnded, match="nothing to see") as raised:
        do("generate", MUG, tmp_path / "model.glb")
    assert raised.value.job.failure == modelmyimage.Said("no_object", "There is nothing to see.")
