"""The lines of a job's slip: what happens now is said as happening, what is done or to come as done."""

from __future__ import annotations

import pytest
from django.utils import timezone

from generation.models import Job
from generation.snapshot import snapshot

pytestmark = pytest.mark.django_db(transaction=True)


def lines(job: Job) -> list[tuple[str, str]]:
    return [(line["state"], line["label"]) for line in snapshot(job)["timeline"]]


def test_the_present_stage_is_told_as_happening(send) -> None:
    assert lines(send())[:3] == [
        ("done", "Photo received"),
        ("now", "Removing the background"),
        ("next", "Model built"),
    ]


def test_a_waiting_model_is_being_delivered(send, drive, service) -> None:
    job = drive(send(), Job.Stage.DELIVER)
    assert ("now", "Delivering the model") in lines(job)
    cut_out, built = snapshot(job)["timeline"][1:3]
    assert cut_out["began"] < cut_out["at"] == built["began"] < built["at"]
    assert job.events.get(code="begun").at < job.events.get(code="dispatch").at


def test_cancelling_promises_no_model(send, drive, service) -> None:
    job = send()
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    job.refresh_from_db()
    assert lines(job) == [
        ("done", "Photo received"),
        ("now", "Cancelling"),
        ("next", "Photo destroyed"),
        ("next", "Everything destroyed"),
    ]
    over = lines(drive(job))
    assert {state for state, _ in over} == {"done"}
    assert sorted(label for _, label in over) == [
        "Cancelled",
        "Everything destroyed",
        "Photo destroyed",
        "Photo received",
    ]
