"""How long jobs take, as people are told: measured where enough was, and otherwise what the card says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from generation import durations
from generation.models import Attempt, Job

pytestmark = pytest.mark.django_db


def done(owner: User, seconds: Iterable[float], *, quality: str = "standard", state: str = "finished", ago: int = 1):
    """Jobs that took so long, that many days ago."""
    began = timezone.now() - timedelta(days=ago)
    for taken in seconds:
        job = Job.objects.create(
            owner=owner, request_key=uuid4(), quality=quality, stage="over", outcome="done", created_at=began,
            due_at=began, deadline_at=began, ready_at=began + timedelta(seconds=taken),
        )  # fmt: skip
        Attempt.objects.create(job=job, number=1, provider="embedded", state=state, started_at=began, ended_at=began)


def test_the_middle_of_what_was_measured_lately(owner: User) -> None:
    done(owner, [8, 9, 9.6, 10, 11, 12, 300])  # one that waited says little of the next
    done(owner, [1] * 9, ago=8)
    done(owner, [1] * 9, state="failed")
    done(owner, [60, 61, 62, 63], quality="high")  # too few
    assert durations.measured() == {("embedded", "standard"): (9, 12)}


def test_the_page_says_what_was_measured_and_else_what_the_card_says(owner: User) -> None:
    cache.delete("jobs:usual")
    client = Client()
    client.force_login(owner)
    before = client.get(reverse("generation:create")).content.decode()
    assert "usually" not in before.split("<template")[0]
    done(owner, [8, 8, 9, 12, 12])
    done(owner, [150, 170, 200, 230, 250], quality="high")
    cache.delete("jobs:usual")
    page = client.get(reverse("generation:create")).content.decode()
    assert 'data-usually-standard="8 12"' in page
    assert 'data-time="standard">usually 8–12\u00a0s<' in page
    assert 'data-time="high">usually 3–4\u00a0min<' in page
    assert 'data-time="draft">about' in page
    cache.delete("jobs:usual")
