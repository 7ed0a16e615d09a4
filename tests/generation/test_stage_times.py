"""How long a job is expected to take: by what recent jobs took, or else by the provider's card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from generation import stage_times
from generation.models import Attempt, Event, Job
from generation.snapshot import snapshot

pytestmark = pytest.mark.django_db(transaction=True)

Finished = Callable[..., Job]
STAGES = ("begun", "dispatch", "chosen", "inspect", "settle", "deliver", "purge", "over")


@pytest.fixture
def finished(owner) -> Finished:
    """A job that the scripted provider made, whose stages took ``step`` seconds each."""

    def _finished(step: float, *, quality: str = "draft", days: float = 1) -> Job:
        began = timezone.now() - timedelta(days=days)
        job = Job.objects.create(
            owner=owner, created_at=began, due_at=began, deadline_at=began, stage="over", outcome="done",
            quality=quality, provider="scripted",
        )  # fmt: skip
        Attempt.objects.create(job=job, number=1, provider="scripted", state="finished", started_at=began)
        for number, code in enumerate(STAGES):
            Event.objects.create(job=job, code=code, at=began + timedelta(seconds=step * number))
        return job

    return _finished


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def expected(job: Job) -> dict[str, float | None]:
    return {line["code"]: line["usual"] for line in snapshot(job)["timeline"]}


def test_the_card_stands_in_until_enough_was_measured(send, service, finished: Finished) -> None:
    job = send()
    for step in (4, 9):
        finished(step)
    assert expected(job)["built"] == 1  # as the scripted provider's card says
    assert expected(job)["cut_out"] is None
    finished(60, days=8)  # too long ago
    finished(60, quality="high")  # another quality
    cache.clear()
    assert expected(job)["built"] == 1

    finished(5)
    assert expected(job)["built"] == 1  # asked for a moment ago
    cache.clear()
    assert expected(job) == {
        "received": None, "cut_out": 5, "built": 5, "checked": 5, "photo_destroyed": 5, "delivered": None,
        "destroyed": 5,
    }  # fmt: skip


def test_nobody_knows_how_long_while_no_provider_takes_the_job(send, service, finished: Finished) -> None:
    for step in (4, 5, 9):
        finished(step)
    job = send()
    Job.objects.filter(pk=job.pk).update(stage="dispatch", waiting="providers_down", provider="scripted")
    job.refresh_from_db()
    assert expected(job)["built"] is None


def test_those_ahead_in_line_count(client, owner, send, service, finished: Finished) -> None:
    for step in (4, 5, 9):
        finished(step)
    send()
    send()
    third = send()
    assert snapshot(third)["queue_place"] == "3rd"
    assert expected(third)["waited"] == 10  # two cut-outs of 5 s by one engine
    assert stage_times.in_line(third, 3, {}) is None
    client.force_login(owner)
    page = client.get(reverse("generation:job", args=[third.pk])).content.decode()
    assert "3rd in line." in page
    assert "Waiting in line" in page
    assert "<span>~ 5 s</span>" in page

    Event.objects.filter(job=third, code="received").update(at=timezone.now() - timedelta(seconds=7))
    Event.record(third, "begun")
    waited, cut_out = snapshot(third)["timeline"][1:3]
    assert (waited["label"], waited["state"], waited["usual"]) == ("Waited in line", "done", None)
    assert cut_out["began"] == waited["at"]  # the wait is no part of the cut-out
