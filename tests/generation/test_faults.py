"""What fails around a job (a store, a provider, a lease, a broker) costs time, never credits, blobs or its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from billing import ledger
from generation import dispatching, intake, leases, pipeline
from generation.models import Attempt, Event, Job
from generation.provider import Brief, Unavailable
from generation.snapshot import snapshot
from privacy import vault
from privacy.models import Blob, Receipt
from sandbox.providers.scripted import Scripted
from tests.generation.conftest import photo
from tests.generation.test_pipeline import acknowledge, check_over

pytestmark = pytest.mark.django_db(transaction=True)
Stage, Outcome = Job.Stage, Job.Outcome


def take_over(job: Job) -> Job:
    """Another worker's claim, as if the present one's lease had run out."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    taken = leases.claim(job.pk)
    assert taken is not None
    return taken


def test_a_provider_whose_erase_is_broken_does_not_keep_a_job_from_ending(send, drive, service, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("words that may echo the photo")

    monkeypatch.setattr(Scripted, "erase", broken)
    job = drive(send(), Stage.DELIVER)
    acknowledge(job)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)
    (elsewhere,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert elsewhere["result"] == "unknown"


@pytest.mark.parametrize("stage", [Stage.DELIVER, Stage.INSPECT])
def test_a_store_that_is_away_for_a_moment_does_not_cost_a_waiting_asset(
    send, drive, service, monkeypatch, stage
) -> None:
    def away(*_: object) -> None:
        raise vault.Unavailable

    job = drive(send(keep_minutes=1440), stage)
    late = timezone.now() - timedelta(seconds=1) if stage == Stage.DELIVER else job.deadline_at
    Job.objects.filter(pk=job.pk).update(deadline_at=late, due_at=job.created_at)
    with monkeypatch.context() as moment:
        moment.setattr(vault, "readable", away)
        moment.setattr(vault, "read", away)
        pipeline.advance(job.pk)
    job.refresh_from_db()
    assert (job.stage, job.outcome) == (stage, "")
    drive(job, Stage.DELIVER)
    acknowledge(job)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)


def test_waiting_in_line_is_not_taken_off_the_time_a_provider_has(send, drive, service) -> None:
    job = send()
    Job.objects.filter(pk=job.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))
    assert drive(job, Stage.DELIVER).stage == Stage.DELIVER
    assert len(service.calls) == 1


@pytest.mark.parametrize("stage", [Stage.PREPARE, Stage.DISPATCH, Stage.COLLECT, Stage.INSPECT])
def test_a_worker_that_outlived_its_lease_leaves_no_blob(send, drive, service, settings, monkeypatch, stage) -> None:
    settings.PROVIDERS = ["embedded"] if stage == Stage.DISPATCH else settings.PROVIDERS
    job = drive(send(), stage)
    sealed = vault.seal
    ours: list[Blob] = []

    def slow(*args: object, **options: object) -> Blob:
        blob = sealed(*args, **options)  # type: ignore[arg-type]  # passed on as they came
        ours.append(blob)
        job.refresh_from_db()
        take_over(job)
        return blob

    with monkeypatch.context() as moment:
        moment.setattr(vault, "seal", slow)
        while not ours:
            Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
            pipeline.advance(job.pk)
    assert Blob.objects.get(pk=ours[0].pk).state == "destroyed"
    Job.objects.filter(pk=job.pk).update(lease_id=None, lease_until=None)
    drive(job, Stage.DELIVER)
    acknowledge(job)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)


def test_a_worker_that_outlived_its_lease_makes_no_paid_call(send, drive, service, monkeypatch) -> None:
    job = drive(send(), Stage.DISPATCH)
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    pipeline.advance(job.pk)  # chooses
    read = vault.read

    def slow(blob_id):
        job.refresh_from_db()
        take_over(job)
        return read(blob_id)

    with monkeypatch.context() as moment:
        moment.setattr(vault, "read", slow)
        pipeline.advance(job.pk)
    assert service.submits == 0
    assert job.attempts.get().state == Attempt.State.CHOSEN


def test_a_blob_that_went_by_itself_does_not_change_how_a_job_ended(send, drive, service, monkeypatch) -> None:
    def gone(_: object) -> None:
        raise vault.Gone

    job = drive(send(), Stage.DELIVER)
    acknowledge(job)
    drive(job, Stage.PURGE)
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    with monkeypatch.context() as moment:
        moment.setattr(vault, "destroy", gone)
        pipeline.advance(job.pk)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)


def test_a_store_that_is_away_for_weeks_is_waited_for(send, drive, service, monkeypatch) -> None:
    job = drive(send(), Stage.DELIVER)
    acknowledge(job)
    drive(job, Stage.PURGE)
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at, stage_tries=32767)
    with monkeypatch.context() as moment:
        moment.setattr(vault, "destroy", lambda blob_id: Blob.objects.get(pk=blob_id))
        pipeline.advance(job.pk)
    job.refresh_from_db()
    assert job.lease_id is None
    drive(job)
    check_over(job, Outcome.DONE, charged=1)


def test_the_timeline_has_every_stage_although_a_worker_died(send, drive, service, monkeypatch) -> None:
    job = send()

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as moment:
        moment.setattr(Event, "record", killed)
        with pytest.raises(SystemExit):
            pipeline.advance(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    drive(job, Stage.DELIVER)
    job.refresh_from_db()
    line = next(line for line in snapshot(job)["timeline"] if line["code"] == "cut_out")
    assert line["state"] == "done"


@pytest.mark.parametrize("ends", ["cancelled", "failed"])
def test_no_attempt_is_left_open_when_its_job_is_over(send, drive, service, ends) -> None:
    job = drive(send(), Stage.WATCH)
    changes = {"cancel_requested_at": timezone.now()} if ends == "cancelled" else {"stage_tries": 99}
    Job.objects.filter(pk=job.pk).update(**changes)
    drive(job)
    check_over(job, ends, charged=0)
    attempt = job.attempts.get()
    assert attempt.state not in dispatching.OPEN
    assert attempt.ended_at is not None


def test_a_job_is_taken_in_although_its_first_message_cannot_be_sent(send, drive, service, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as moment:
        moment.setattr(pipeline, "_publish", broken)
        job = send()
    assert vault.readable(job.photos()["front"])
    drive(job, Stage.DELIVER)


def test_the_same_form_twice_with_the_last_credit_is_one_job(owner, service, settings, monkeypatch) -> None:
    settings.GRANT_CREDITS = 1
    key, wishes = uuid4(), intake.Wishes("draft", 60)

    def sent() -> Job:
        upload = vault.seal([photo()], kind="upload", group=uuid4(), limit=20_000_000)
        return intake.receive(owner=owner, uploads={"front": upload.pk}, wishes=wishes, request_key=key)

    price, twins = intake.price, []

    def meanwhile(wishes: intake.Wishes, **others: Any) -> int:
        monkeypatch.setattr(intake, "price", price)
        twins.append(sent())
        return price(wishes, **others)

    monkeypatch.setattr(intake, "price", meanwhile)
    assert sent() == twins[0]
    assert ledger.balance(owner).held == 1
    assert Blob.objects.exclude(state="destroyed").count() == 1


def test_a_late_wish_to_cancel_does_not_undo_a_delivery(send, drive, service) -> None:
    job = drive(send(), Stage.DELIVER)
    Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now(), cancel_requested_at=timezone.now())
    drive(job)
    check_over(job, Outcome.DONE, charged=1)


def test_nothing_is_left_of_a_provider_that_answers_nonsense(send, drive, service, monkeypatch) -> None:
    def nonsense(*_: object, **__: object) -> None:
        raise KeyError("words that may echo the photo")

    monkeypatch.setattr(Scripted, "submit", nonsense)
    job = drive(send())
    check_over(job, Outcome.FAILED, charged=0)
    assert ledger.balance(job.owner).available == django_settings.GRANT_CREDITS
    (elsewhere,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert elsewhere["result"] == "unknown"


def test_a_call_that_was_taken_but_not_answered_is_asked_for_again_not_paid_again(
    send, drive, service, monkeypatch
) -> None:
    submit = Scripted.submit

    def unanswered(self: Scripted, brief: Brief) -> None:
        monkeypatch.setattr(Scripted, "submit", submit)
        submit(self, brief)
        raise Unavailable

    monkeypatch.setattr(Scripted, "submit", unanswered)
    job = drive(send(), Stage.DELIVER)
    assert job.attempts.count() == 2
    assert len(service.calls) == 1


def test_a_bug_in_choosing_the_next_provider_ends_the_job(send, drive, service, monkeypatch) -> None:
    from generation import choosing

    service.script.fails = True
    job = drive(send(), Stage.WATCH)

    def broken(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(choosing, "_may_ask", broken)
    job = drive(job)
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "internal"
