"""Pages that are open cost one look for all of them, hear of every change, and hold no connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.utils import timezone

from generation import events, following
from generation.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def made(owner: Any, **fields: Any) -> Job:
    now = timezone.now()
    usual = {"stage": "watch", "queue": "default", "created_at": now, "due_at": now, "deadline_at": now}
    return Job.objects.create(id=uuid4(), owner=owner, **{**usual, **fields})


async def told(job: Job, shown: list[int]) -> None:
    """Read a job's stream to its end; the percents that it said."""
    async for event in events.stream(job.pk):
        if event.startswith("event:"):
            shown.append(json.loads(event.split("data: ")[1])["percent"])


async def until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many jobs each look asked the database; looks follow each other at once."""
    asked: list[int] = []
    rows = following._rows

    def counted(job_ids: set[Any]) -> Any:
        asked.append(len(job_ids))
        return rows(job_ids)

    monkeypatch.setattr(following, "_rows", counted)
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    return asked


def test_many_pages_are_one_look_and_each_hears_of_its_own_job(owner, looks: list[int], monkeypatch) -> None:
    jobs = [made(owner) for _ in range(5)]
    shown: dict[Any, list[int]] = {job.pk: [] for job in jobs}
    snapshots: list[Any] = []
    show = events._state

    def counted(job_id: Any, how: Any) -> Any:
        snapshots.append(job_id)
        return show(job_id, how)

    monkeypatch.setattr(events, "_state", counted)

    async def play() -> None:
        pages = [asyncio.create_task(told(job, shown[job.pk])) for job in jobs]
        await until(lambda: looks.count(5) > 3)  # all are asked after at once, and nothing is shown meanwhile
        assert len(snapshots) == 5
        change = sync_to_async(Job.objects.filter(pk=jobs[0].pk).update)
        await change(lease_until=timezone.now(), nudged_at=timezone.now())  # nothing to see
        seen = len(looks)
        await until(lambda: len(looks) > seen + 3)
        assert len(snapshots) == 5
        await change(percent=42)
        await until(lambda: shown[jobs[0].pk] == [0, 42])
        assert len(snapshots) == 6
        await sync_to_async(Job.objects.update)(stage="over", outcome="done")
        await asyncio.wait_for(asyncio.gather(*pages), 10)
        await until(lambda: not following._LOOKOUTS[asyncio.get_running_loop()].changes)

    asyncio.run(play())
    assert shown[jobs[1].pk] == [0, 0]
    assert following.LOOKS.submit(lambda: connection.connection).result() is None  # given back with the last page


def test_a_change_between_the_showing_and_the_look_is_not_missed(owner, looks: list[int]) -> None:
    job = made(owner)

    async def play() -> None:
        async with following.following(job.pk) as change:
            seen = following.version(job)
            await sync_to_async(Job.objects.filter(pk=job.pk).update)(percent=7)
            await asyncio.wait_for(change.wait(seen, 60), 5)
            assert change.happened.is_set()
            await sync_to_async(job.delete)()
            await asyncio.wait_for(change.wait(seen, 60), 5)

    asyncio.run(play())


def test_a_database_that_is_away_is_told_to_whoever_waits(owner, looks: list[int], monkeypatch) -> None:
    job = made(owner)

    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseError

    async def play() -> None:
        async with following.following(job.pk) as change:
            monkeypatch.setattr(Job.objects, "filter", away)
            await asyncio.wait_for(change.wait(following.version(job), 60), 5)
            monkeypatch.undo()

    asyncio.run(play())
