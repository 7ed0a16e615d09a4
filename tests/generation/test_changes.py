"""Whoever waits for a job hears of its changes, of no other's, and of none that was not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings as django_settings
from django.db import transaction
from pytest_django.fixtures import Settings

from generation import changes
from generation.models import Event, Job

NEVER = 60.0
"""Seconds that no test waits: whoever comes back earlier was told."""


@pytest.fixture
def _only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.05)  # not used by whoever is told
    monkeypatch.setattr(changes, "RARELY_SECONDS", NEVER)
    changes._listener.cache_clear()  # the next one to wait begins to listen


async def _listening(change: changes.Change) -> None:
    """Come back once this process listens, of which everybody who waits is told."""
    assert await asyncio.wait_for(change.wait(NEVER), 20)


@pytest.mark.usefixtures("_only_told")
@pytest.mark.django_db(transaction=True)
def test_a_change_is_told_to_whoever_waits_for_that_job() -> None:
    async def wait() -> None:
        mine, other = uuid4(), uuid4()
        with changes.of(other) as first:
            await _listening(first)
        with changes.of(mine) as change, changes.of(mine) as again, changes.of(other) as unrelated:
            await asyncio.to_thread(changes.tell, mine)
            assert await asyncio.wait_for(change.wait(NEVER), 20)
            assert await asyncio.wait_for(again.wait(NEVER), 20)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(unrelated.wait(NEVER), 0.5)

            # Whatever was told while nobody could hear it: everybody looks.
            server = redis.Redis.from_url(django_settings.CACHES["default"]["LOCATION"])
            assert await asyncio.to_thread(server.client_kill_filter, _type="pubsub")
            for each in (change, again, unrelated):
                await _listening(each)

    asyncio.run(wait())


@pytest.mark.usefixtures("_only_told")
@pytest.mark.django_db(transaction=True)
def test_who_waits_for_the_end_is_not_told_of_each_step() -> None:
    async def wait() -> None:
        job = uuid4()
        with changes.of(job) as first:
            await _listening(first)
        with changes.of(job) as each, changes.of(job, progress=False) as end:
            await asyncio.to_thread(changes.tell, job, progress=True)
            assert await asyncio.wait_for(each.wait(NEVER), 20)
            assert await end.wait(0.1) is False
            await asyncio.to_thread(changes.tell, job)
            assert await asyncio.wait_for(end.wait(NEVER), 20)

    asyncio.run(wait())


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[UUID] = []
    monkeypatch.setattr(changes, "_publish", lambda job_id, _channel: told.append(job_id))
    dropped, kept = uuid4(), uuid4()
    with transaction.atomic():
        changes.tell(dropped)
        transaction.set_rollback(True)
    with transaction.atomic():
        changes.tell(kept)
        assert told == []
    assert told == [kept]


@pytest.mark.django_db
def test_without_the_server_nobody_fails_and_everybody_looks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {**django_settings.CACHES["default"], "LOCATION": "unix:///nowhere/cache.sock"}
    settings.CACHES = {"default": away}
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.05)
    job = uuid4()
    changes._publish(job)

    async def wait() -> bool:
        with changes.of(job) as change:
            return await change.wait(NEVER)

    assert asyncio.run(wait()) is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("service")
def test_each_stage_that_a_job_reaches_is_told(send: Callable[..., Job], drive: Callable[..., Job]) -> None:
    server = redis.Redis.from_url(django_settings.CACHES["default"]["LOCATION"])
    with server.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(changes.CHANNEL, changes.PROGRESS)
        for _ in range(2):
            heard.get_message(timeout=5)
        job = drive(send(), until=Job.Stage.DELIVER)
        stages = Event.objects.filter(job=job, code__in=Job.Stage.values).count()
        told = {changes.CHANNEL: 0, changes.PROGRESS: 0}
        while message := heard.get_message(timeout=0.2):
            told[message["channel"].decode()] += message["data"] == job.pk.bytes
    assert sum(told.values()) >= stages >= 4
    assert told[changes.CHANNEL] == 1, "who waits for the model looks once: it is ready"
