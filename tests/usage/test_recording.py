"""Each call of a working key is one line, whatever ends it or goes wrong; nobody waits for it to be written."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core.cache import cache
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from accounts import keys, recording
from accounts.models import ApiCall, User
from accounts.recording import Call, Recorder
from generation import direct
from generation.models import Job
from modelmyimage import asgi
from modelmyimage.local.ports import spare_port
from modelmyimage.measuring import Measuring
from tests.api.asgi import Call as Caller
from tests.environment import ROOT
from tests.generation.conftest import photo, service

__all__ = ["service"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """One of this test's own, which is not started; the site hands its lines to it."""
    made = Recorder()
    monkeypatch.setattr(asgi, "application", Measuring(asgi.limited, made))
    return made


def written(recorder: Recorder) -> list[ApiCall]:
    """All lines, once the recorder was stopped."""
    recorder.start()
    recorder.stop()
    return list(ApiCall.objects.order_by("at"))


def line(owner: User) -> ApiCall:
    return Call(owner_id=owner.pk, access_key=uuid4(), endpoint="GET /jobs", status=200).line()


def eventually(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_what_is_recorded_and_what_is_not(recorder: Recorder, owner: User, settings: Any) -> None:
    settings.PROVIDERS = []
    key, secret = keys.make(owner=owner, name="shop", scopes=["read", "generate"])
    now = timezone.now()
    job = Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=asgi.application)  # type: ignore[arg-type]  # its scopes are mappings
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
            mine, body = {"Authorization": f"Bearer {secret}"}, b"no photo at all"
            return [
                await client.get("/jobs?state=done", headers=mine),
                await client.get(f"/jobs/{job.pk}", headers=mine),
                await client.get(f"/jobs/{uuid4()}", headers=mine),
                await client.get("/jobs/glb", headers=mine),
                await client.get("/balance", headers=mine),  # the scope is missing
                await client.post("/jobs", headers={**mine, "Content-Type": "image/jpeg"}, content=body),
                await client.get("/jobs"),
                await client.get("/jobs", headers={"Authorization": f"Bearer {keys.new_secret()}"}),
                await client.get("/nowhere", headers=mine),
                await client.get("/openapi.json", headers=mine),
                await client.get("http://127.0.0.1/verify", headers=mine),
            ]

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [200, 200, 404, 422, 403, 422, 401, 401, 404, 200, 200]
    lines = written(recorder)
    assert [(one.endpoint, one.status, one.job) for one in lines] == [
        ("GET /jobs", 200, None),
        ("GET /jobs/{job_id}", 200, job.pk),
        ("GET /jobs/{job_id}", 404, None),
        ("GET /jobs/{job_id}", 422, None),
        ("GET /balance", 403, None),
        ("POST /jobs", 422, None),
    ]
    assert {(one.owner_id, one.access_key) for one in lines} == {(owner.pk, key.pk)}
    assert [one.bytes_out for one in lines] == [len(answer.content) for answer in answers[:6]]
    assert [one.bytes_in for one in lines] == [0, 0, 0, 0, 0, 15]
    assert all(now <= one.at <= timezone.now() and 0 <= one.ms < 60_000 for one in lines)


def test_a_caller_that_goes_away(
    recorder: Recorder, owner: User, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before there is an answer: 499, with the job that was begun for it."""
    monkeypatch.setattr(direct, "SECONDS", 30.0)
    _key, secret = keys.make(owner=owner, name="shop", scopes=["generate"])
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "image/jpeg"}
    Caller("/api/v1/generate", photo(), headers, go_away="after body", after=0.5).make()
    (found,) = written(recorder)
    assert (found.endpoint, found.status, found.bytes_out) == ("POST /generate", recording.WENT_AWAY, 0)
    assert found.bytes_in == len(photo())
    assert found.job == Job.objects.get().pk


def test_a_batch_is_not_waited_for(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a few lines are, for a moment."""
    monkeypatch.setattr(recording, "EVERY_SECONDS", 0.05)
    recorder = Recorder()
    recorder.start()
    recorder.add(line(owner))
    eventually(lambda: ApiCall.objects.count() == 1)
    monkeypatch.setattr(recording, "EVERY_SECONDS", 3600.0)
    time.sleep(0.3)  # the wait that had begun is over
    recorder.add(line(owner))
    time.sleep(0.1)
    assert ApiCall.objects.count() == 1
    for _ in range(recording.BATCH):
        recorder.add(line(owner))
    eventually(lambda: ApiCall.objects.count() == recording.BATCH + 2)
    recorder.stop()


def test_while_the_database_is_away_lines_wait_up_to_a_number(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A batch whose fate was unknown counts once; what did not fit is counted."""
    monkeypatch.setattr(recording, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(recording, "MOST", 8)
    insert, tries, back = recording._insert, [], threading.Event()

    def away(batch: list[ApiCall]) -> None:
        tries.append(len(batch))
        if len(tries) == 2:
            insert(batch)  # the answer was lost, not the rows
        if not back.is_set():
            raise OperationalError("gone")
        insert(batch)

    monkeypatch.setattr(recording, "_insert", away)
    recorder = Recorder()
    for _ in range(11):
        recorder.add(line(owner))
    recorder.start()
    eventually(lambda: len(tries) > 4)
    assert ApiCall.objects.count() == 8
    back.set()
    with caplog.at_level(logging.ERROR, "accounts.recording"):
        recorder.stop()
    assert ApiCall.objects.count() == 8
    assert [record.count for record in caplog.records] == [3]  # type: ignore[attr-defined]


def test_a_database_that_stays_away_does_not_hold_up_the_end(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(batch: list[ApiCall]) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(recording, "_insert", away)
    monkeypatch.setattr(recording, "LAST_SECONDS", 0.2)
    recorder = Recorder()
    recorder.add(line(owner))
    recorder.start()
    began = time.monotonic()
    with caplog.at_level(logging.ERROR, "accounts.recording"):
        recorder.stop()
    assert time.monotonic() - began < 2
    assert [record.count for record in caplog.records] == [1]  # type: ignore[attr-defined]


def test_lines_of_an_account_that_is_gone_take_no_others_along(owner: User, stranger: User) -> None:
    recorder = Recorder()
    for one in (owner, stranger, owner):
        recorder.add(line(one))
    stranger.delete()
    with pytest.raises(IntegrityError):
        ApiCall.objects.bulk_create(list(recorder._waiting))
    assert [one.owner_id for one in written(recorder)] == [owner.pk, owner.pk]


def test_a_batch_that_nobody_takes_stops_no_other(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording, "BATCH", 2)
    recorder = Recorder()
    for number in range(6):
        recorder.add(line(owner))
        if number == 2:
            recorder._waiting[-1].job = "glb"  # no database takes it
    with caplog.at_level(logging.ERROR, "accounts.recording"):
        assert len(written(recorder)) == 4
    assert [getattr(record, "count", None) for record in caplog.records] == [None, 2]


def test_a_clean_stop_loses_nothing(owner: User) -> None:
    """A real server, told to stop the moment the last of many answers is there and one still streams."""
    _key, secret = keys.make(owner=owner, name="shop", scopes=["read", "billing:read"])
    now = timezone.now()
    job = Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now)
    port = spare_port()
    name = connection.settings_dict["NAME"]
    database = f"sqlite:///{name}" if connection.vendor == "sqlite" else os.environ["DATABASE_URL"]
    if connection.vendor != "sqlite":
        database = database.rpartition("/")[0] + f"/{name}"
    server = subprocess.Popen(
        [sys.executable, "-m", "modelmyimage.web"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database, "PORT": str(port), "HOST": "127.0.0.1"},
    )
    try:
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", headers={"Authorization": f"Bearer {secret}"}, timeout=30
        )
        eventually(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        with client.stream("GET", f"/jobs/{job.pk}/events") as stream:
            assert next(stream.iter_lines())
            for _ in range(150):
                assert client.get("/balance").status_code == 200
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) in (0, -signal.SIGTERM)
    finally:
        server.kill()
    found = list(ApiCall.objects.values_list("endpoint", "status"))
    assert found.count(("GET /balance", 200)) == 150
    assert found.count(("GET /jobs/{job_id}/events", 200)) == 1
    assert len(found) == 151
