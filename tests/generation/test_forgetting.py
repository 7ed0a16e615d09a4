"""What calls are found by is forgotten of all that are old enough, some at a time, and of nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from generation import forgetting
from generation.models import Attempt, Job
from privacy.retention import longest

pytestmark = pytest.mark.django_db


def test_all_that_are_old_are_forgotten_however_many(owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    now = timezone.now()
    old = now - longest("remote_call") - timedelta(hours=1)
    ends = [(old, "over")] * 5 + [(old, "watch"), (now - timedelta(days=1), "over")]
    for at, stage in ends:
        job = Job.objects.create(owner=owner, stage=stage, created_at=at, due_at=at, deadline_at=at)
        Attempt.objects.create(
            job=job, number=1, provider="meshy", remote_id="call", remote={"kind": "task"}, started_at=at, ended_at=at
        )
    forgetting.forget()
    kept = Attempt.objects.exclude(remote_id="")
    assert sorted(kept.values_list("job__stage", flat=True)) == ["over", "watch"]
    assert Attempt.objects.filter(remote__isnull=True).count() == 5
