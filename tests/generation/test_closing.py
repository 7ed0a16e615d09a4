"""An erasure while jobs run: each is cancelled by the pipeline, its credits come back, its bytes and copies go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.models import Transaction
from generation import closing, pipeline
from generation.models import Attempt, Event, Job
from privacy import erasure
from privacy.models import Blob, Erasure, Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(settings, tmp_path) -> None:
    settings.STORE_URL = f"file://{tmp_path}/blobs"


def look(row: Erasure) -> Erasure:
    """The workers come by once more."""
    Erasure.objects.filter(pk=row.pk).update(due_at=timezone.now())
    erasure.advance(row.pk)
    row.refresh_from_db()
    return row


def test_jobs_that_run_and_models_that_wait(owner: User, send, drive, service) -> None:
    service.script.polls_until_finished = 1000
    running = drive(send(), until="watch")
    assert Attempt.objects.get().state == "running"
    service.script.polls_until_finished = 0
    waiting = drive(send(), until="deliver")
    cost = waiting.credits
    assert closing.loses(owner) == [
        "1 job runs and is cancelled.", "1 model waits to be saved and is destroyed.",
    ]  # fmt: skip
    before = ledger.balance(owner)
    assert before.held == running.credits

    row = look(erasure.request(owner, grace=timedelta(0)))
    assert row.state == "running"
    assert row.due_at <= timezone.now() + timedelta(seconds=5.0)
    assert all(job.cancel_requested_at for job in Job.objects.all())
    assert Job.objects.count() == 2
    for job in (running, waiting):
        drive(job)
    assert (Job.objects.get(pk=running.pk).outcome, Job.objects.get(pk=waiting.pk).outcome) == ("cancelled",) * 2
    now = ledger.balance(owner)
    assert (now.available, now.held) == (before.available + running.credits, 0)
    assert Transaction.objects.get(kind="capture").credits == cost

    assert look(row).state == "done"
    for model in (Job, Attempt, Event, Blob):
        assert not model._default_manager.exists()
    said = Receipt.objects.get().document["receipt"]  # of two jobs and an erasure, the last alone is left
    assert {line["table"]: line["rows"] for line in said["destroyed"]} | {"generation.Event": 0, "privacy.Blob": 0} == {
        "generation.Job": 2, "generation.Attempt": 2, "generation.Event": 0, "privacy.Blob": 0, "privacy.Receipt": 2,
        "generation.JobSum": 1,
    }  # fmt: skip
    (copies,) = said["elsewhere"]
    assert copies["provider"] == "scripted"
    assert (copies["result"], copies["calls"]) == ("erased", 2)
    assert all(call.erased for call in service.calls.values())
    assert ledger.verify() == []


def test_a_job_whose_owner_has_the_file_already_just_ends(owner: User, send, drive, service) -> None:
    job = drive(send(), until="deliver")
    Job.objects.update(acknowledged_at=timezone.now())
    row = look(erasure.request(owner, grace=timedelta(0)))
    drive(job)
    assert Job.objects.get().outcome == "done"
    assert look(row).state == "done"


def test_a_job_is_not_woken_again_and_again(owner: User, send, drive, service, monkeypatch) -> None:
    drive(send(), until="deliver")
    woken: list[Job] = []
    monkeypatch.setattr(pipeline, "wake", woken.append)
    row = look(erasure.request(owner, grace=timedelta(0)))
    look(row)
    assert len(woken) == 1
