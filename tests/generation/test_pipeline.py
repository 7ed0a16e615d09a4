"""The state machine: every way a job can end, with its credits settled, its blobs destroyed and its receipt true."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone
from PIL import Image

from billing import ledger
from generation import pipeline
from generation.models import Attempt, Job
from generation.options import JobOptions
from privacy import receipts, vault
from privacy import tasks as privacy_tasks
from privacy.models import Blob, Receipt
from tests.generation.conftest import photo

pytestmark = pytest.mark.django_db(transaction=True)
Stage, Outcome = Job.Stage, Job.Outcome


def check_over(job: Job, outcome: str, charged: int) -> None:
    """What must hold for every job that is over, however it ended."""
    job.refresh_from_db()
    assert (job.stage, job.outcome) == (Stage.OVER, outcome)
    assert set(vault.blobs(job.pk).values_list("state", flat=True)) == {"destroyed"}
    balance = ledger.balance(job.owner)
    assert balance.held == 0
    assert balance.available == django_settings.GRANT_CREDITS - charged
    assert ledger.verify() == []
    receipt = Receipt.objects.get(group=job.pk)
    assert job.receipt_id == receipt.pk
    assert receipts.verify(receipt.document).ok
    listed = receipt.document["receipt"]["destroyed"]
    assert len(listed) == vault.blobs(job.pk).count()


def test_cutting_out_is_told_as_it_goes(send, service, monkeypatch) -> None:
    from generation import leases

    told: list[int] = []
    renew = leases.renew

    def listening(job: Job, *, percent: int | None = None) -> None:
        if percent is not None:
            told.append(percent)
        renew(job, percent=percent)

    job = send()
    monkeypatch.setattr(leases, "renew", listening)
    pipeline.advance(job.pk)
    assert len(told) >= 3
    assert told == sorted(told)
    assert told[-1] == 20


def acknowledge(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now())


def test_embedded_engine_end_to_end(send, drive) -> None:
    job = send()
    assert ledger.balance(job.owner).held == job.credits
    job = drive(job, Stage.DELIVER)
    assert job.triangles
    assert job.watertight
    assert job.asset_bytes == len(b"".join(vault.read(job.asset_id)))
    open_kinds = vault.blobs(job.pk).exclude(state="destroyed").values_list("kind", flat=True)
    assert list(open_kinds) == ["asset"]
    acknowledge(job)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)


def test_remote_provider_gets_only_the_cut_out_and_is_told_to_erase(send, drive, service) -> None:
    job = drive(send(), Stage.DELIVER)
    (call,) = service.calls.values()
    assert call.photo.startswith(b"\x89PNG")
    assert service.submits == 1
    assert not call.erased
    acknowledge(job)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)
    assert call.erased
    (elsewhere,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert elsewhere["provider"] == "scripted"
    assert elsewhere["result"] == "erased"


def test_nobody_fetches_it(send, drive, service) -> None:
    job = drive(send(keep_minutes=10), Stage.DELIVER)
    Job.objects.filter(pk=job.pk).update(asset_expires_at=timezone.now())
    drive(job)
    check_over(job, Outcome.EXPIRED, charged=1)


@pytest.mark.parametrize("stage", [Stage.PREPARE, Stage.DISPATCH, Stage.WATCH, Stage.COLLECT, Stage.INSPECT])
def test_cancel_before_it_is_ready_costs_nothing(send, drive, service, stage) -> None:
    job = drive(send(), stage)
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    drive(job)
    check_over(job, Outcome.CANCELLED, charged=0)
    assert all(call.erased for call in service.calls.values())


def test_cancel_while_it_waits_destroys_it(send, drive, service) -> None:
    job = drive(send(), Stage.DELIVER)
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    drive(job)
    check_over(job, Outcome.CANCELLED, charged=1)


def test_provider_that_fails(send, drive, service) -> None:
    service.script.fails = True
    job = drive(send())
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "provider_failed"


def test_provider_that_is_busy_is_asked_again(send, drive, service) -> None:
    service.script.submit_failures = 2
    job = drive(send(), Stage.DELIVER)
    assert job.attempts.count() == 3
    assert len(service.calls) == 1


def test_provider_that_stays_away(send, drive, service) -> None:
    service.close()
    job = drive(send())
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "provider_unavailable"


def test_failing_over_to_another_provider(send, drive, service, settings) -> None:
    settings.PROVIDERS = ["sandbox.providers.scripted:Scripted", "embedded"]
    service.script.submit_status = 422
    job = drive(send(), Stage.DELIVER)
    assert list(job.attempts.order_by("number").values_list("provider", flat=True)) == ["scripted", "embedded"]


def test_options_go_only_where_they_are_honoured(send, drive, service, settings) -> None:
    drive(send(options=JobOptions(normal_map=True)), Stage.DELIVER)
    drive(send(), Stage.DELIVER)
    assert [call.normal_map for call in service.calls.values()] == [True, False]

    settings.PROVIDERS = ["sandbox.providers.scripted:Scripted", "embedded"]
    job = drive(send(options=JobOptions(normal_map=True, back="mirrored")), Stage.DELIVER)
    assert list(job.attempts.values_list("provider", flat=True)) == ["embedded"]
    assert len(service.calls) == 2


def test_everything_is_kept_if_its_owner_says_so(send, drive, service) -> None:
    table = Image.open(io.BytesIO(photo())).resize((640, 320), box=(0, 0, 40, 20))
    orange = Image.open(io.BytesIO(photo())).crop((50, 50, 270, 270))
    table.paste(orange, (30, 50))
    table.paste(orange.resize((150, 150)), (460, 90))
    two = io.BytesIO()
    table.save(two, "PNG")
    widths = []
    for options in (JobOptions(keep_all=True), JobOptions()):
        job = drive(send(two.getvalue(), options=options), Stage.DELIVER)
        widths.append(Image.open(io.BytesIO(list(service.calls.values())[-1].photo)).width)
    assert widths[0] > 400 > 250 > widths[1]
    assert "others_left_out" in job.warnings


def test_mesh_that_is_none(send, drive, service) -> None:
    service.script.mesh = b"glTF but not really"
    job = drive(send())
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "bad_mesh"


def test_provider_that_never_finishes(send, drive, service) -> None:
    service.script.polls_until_finished = 10**9
    job = drive(send(), Stage.WATCH)
    Job.objects.filter(pk=job.pk).update(deadline_at=timezone.now())
    drive(job)
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "provider_too_slow"
    assert all(call.erased for call in service.calls.values())


def test_provider_that_does_not_erase_is_named_as_unknown(send, drive, service) -> None:
    service.script.erase_status = 503
    job = drive(send(), Stage.DELIVER)
    acknowledge(job)
    drive(job)
    check_over(job, Outcome.DONE, charged=1)
    (elsewhere,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert elsewhere["result"] == "unknown"


def test_blank_photo_is_refused_without_cost(send, drive) -> None:
    blank = io.BytesIO()
    Image.new("RGB", (300, 300), (200, 200, 200)).save(blank, "JPEG")
    job = drive(send(blank.getvalue()))
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "no_subject"


@pytest.mark.parametrize("stage", [Stage.PREPARE, Stage.DISPATCH, Stage.INSPECT, Stage.DELIVER])
def test_losing_the_key_store_fails_the_job_and_returns_its_credits(send, drive, service, stage) -> None:
    job = drive(send(), stage)
    redis.from_url(django_settings.KEYSTORE_URL).flushall()
    drive(job)
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "key_lost"


def test_unexpected_error_is_tried_again_then_given_up(send, drive, service, monkeypatch) -> None:
    def broken(_: Job) -> None:
        raise RuntimeError("words that may echo the photo")

    monkeypatch.setitem(pipeline.STAGES, Stage.COLLECT, broken)
    job = drive(send())
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "provider_failed"


def test_provider_with_a_bug_is_passed_over(send, drive, service, settings, monkeypatch) -> None:
    from sandbox.providers.scripted import Scripted

    def broken(*_: object) -> None:
        raise KeyError("words that may echo the photo")

    settings.PROVIDERS = ["sandbox.providers.scripted:Scripted", "embedded"]
    monkeypatch.setattr(Scripted, "poll", broken)
    job = drive(send(), Stage.DELIVER)
    assert list(job.attempts.order_by("number").values_list("provider", "failure")) == [
        ("scripted", "provider_failed"),
        ("embedded", ""),
    ]


@pytest.mark.parametrize(
    ("keeps", "said"), [(timedelta(0), "nothing_kept"), (timedelta(days=3), "expires"), (None, "swept")]
)
def test_provider_that_refused_the_photo_has_seen_it(send, drive, service, monkeypatch, keeps, said) -> None:
    from dataclasses import replace

    from sandbox.providers.scripted import Scripted

    monkeypatch.setattr(Scripted, "card", replace(Scripted.card, keeps=keeps))
    service.script.submit_status = 422
    job = drive(send())
    check_over(job, Outcome.FAILED, charged=0)
    (elsewhere,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert elsewhere["result"] == said
    assert ("until" in elsewhere) == (said == "expires")


def test_process_that_died_inside_an_unsafe_call_does_not_pay_twice(send, drive, service, settings) -> None:
    settings.PROVIDERS = ["sandbox.providers.scripted:ScriptedUnsafe"]
    job = drive(send(), Stage.DISPATCH)
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    pipeline.advance(job.pk)  # chooses
    assert job.attempts.update(state=Attempt.State.SUBMITTING) == 1
    drive(job)
    check_over(job, Outcome.FAILED, charged=0)
    assert job.failure == "provider_unknown"
    assert service.submits == 0
    (elsewhere,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert elsewhere["result"] == "unknown"


def test_process_that_died_inside_a_safe_call_resumes_the_same_one(send, drive, service) -> None:
    job = drive(send(), Stage.DISPATCH)
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    pipeline.advance(job.pk)
    attempt = job.attempts.get()
    service.submit(str(attempt.key), b"the call that the dead process made")
    job.attempts.update(state=Attempt.State.SUBMITTING)
    drive(job, Stage.DELIVER)
    assert len(service.calls) == 1


def test_stray_of_a_dead_worker_is_destroyed(send, drive, service) -> None:
    job = drive(send(), Stage.INSPECT)
    stray = vault.seal([b"sealed, never written down"], kind="asset", group=job.pk, limit=100)
    Job.objects.filter(pk=job.pk).update(stage_tries=1)
    drive(job, Stage.DELIVER)
    assert Blob.objects.get(pk=stray.pk).state == "destroyed"


def test_only_one_worker_has_a_job(send, service) -> None:
    from generation import leases

    job = send()
    assert leases.claim(job.pk) is not None
    assert leases.claim(job.pk) is None


def test_worker_that_outlived_its_lease_changes_nothing(send, service) -> None:
    from generation import leases

    job = send()
    first = leases.claim(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    second = leases.claim(job.pk)
    assert first is not None
    assert second is not None
    first.stage = Stage.OVER
    with pytest.raises(leases.LostLease):
        leases.give_back(first, wait=0)
    job.refresh_from_db()
    assert job.stage == Stage.PREPARE


def test_request_made_during_a_step_is_not_slept_through(send, drive, service) -> None:
    from generation import leases

    job = drive(send(), Stage.DELIVER)
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    held = leases.claim(job.pk)
    assert held
    Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now())
    assert leases.give_back(held, wait=60) == 0


def test_sweep_wakes_what_was_dropped_and_only_that(send, service, monkeypatch) -> None:
    job = send()
    sent: list[str] = []

    def publish(job: Job, *, queue: str) -> bool:
        sent.append(str(job.pk))
        return True

    monkeypatch.setattr(pipeline, "_publish", publish)
    assert pipeline.sweep() == 0, "its message is under way"
    Job.objects.filter(pk=job.pk).update(nudged_at=timezone.now() - timedelta(seconds=31))
    assert pipeline.sweep() == 1
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now() + timedelta(seconds=60))
    assert pipeline.sweep() == 0
    assert sent == [str(job.pk)]


def test_a_sweep_goes_on_until_none_is_left_or_the_broker_is_down(owner, monkeypatch) -> None:
    now = timezone.now()
    Job.objects.bulk_create(
        Job(owner=owner, stage=Stage.DELIVER, created_at=now, due_at=now - timedelta(seconds=n), deadline_at=now)
        for n in range(7)
    )
    sent: list[Job] = []
    refused = 4

    def publish(job: Job, *, queue: str) -> bool:
        sent.append(job)
        return len(sent) != refused

    monkeypatch.setattr(pipeline, "SWEEP_BATCH", 3)
    monkeypatch.setattr(pipeline, "_publish", publish)
    assert pipeline.sweep() == 3, "the first of the second batch was not taken"
    assert len(sent) == 4
    Job.objects.update(nudged_at=None)
    sent.clear()
    refused = 0
    assert pipeline.sweep() == 7
    assert len({job.pk for job in sent}) == 7
    assert pipeline.sweep() == 0
    Job.objects.update(nudged_at=None)
    monkeypatch.setattr(pipeline, "SWEEP_BUDGET_SECONDS", -1.0)
    assert pipeline.sweep() == 3, "what is left over is the next one's"


def test_jobs_already_begun_go_before_new_ones(send, drive, service) -> None:
    from modelmyimage.celery import app

    new, begun = send(), drive(send(), Stage.DISPATCH)
    for job in (new, begun):
        pipeline._publish(job, queue="order")
    with app.connection_for_read() as connection, connection.SimpleQueue("order", no_ack=True) as queue:
        order = [queue.get(timeout=5).payload[0][0] for _ in range(2)]
    assert order == [str(begun.pk), str(new.pk)]


def test_same_form_twice_is_one_job(owner, service) -> None:
    from uuid import uuid4

    from generation import intake

    key, wishes = uuid4(), intake.Wishes("draft", 60)
    jobs = set()
    for _ in range(2):
        upload = vault.seal([photo()], kind="upload", group=uuid4(), limit=20_000_000)
        jobs.add(intake.receive(owner=owner, uploads={"front": upload.pk}, wishes=wishes, request_key=key).pk)
    assert len(jobs) == 1
    assert Blob.objects.exclude(state="destroyed").count() == 1


def test_too_few_credits_leaves_nothing(owner, service, settings) -> None:
    from uuid import uuid4

    from generation import intake

    settings.GRANT_CREDITS = 0
    upload = vault.seal([photo()], kind="upload", group=uuid4(), limit=20_000_000)
    with pytest.raises(intake.NotAccepted) as refused:
        intake.receive(
            owner=owner, uploads={"front": upload.pk}, wishes=intake.Wishes("draft", 60), request_key=uuid4()
        )
    assert refused.value.code == "insufficient_credits"
    assert not Blob.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("data", [b"", b"not a picture", b"%PDF-1.7", b"\xff\xd8\xff\xe0 cut short"])
def test_refused_photo_leaves_no_row_and_no_blob(owner, service, data) -> None:
    from uuid import uuid4

    from generation import intake

    upload = vault.seal([data], kind="upload", group=uuid4(), limit=20_000_000)
    with pytest.raises(intake.NotAccepted) as refused:
        intake.receive(
            owner=owner, uploads={"front": upload.pk}, wishes=intake.Wishes("draft", 60), request_key=uuid4()
        )
    assert refused.value.message
    assert not Blob.objects.exists()
    assert not Job.objects.exists()


def test_what_is_to_be_destroyed_waits_behind_no_generation(send) -> None:
    from modelmyimage.celery import app

    jobs = {stage: send() for stage in (Stage.WATCH, Stage.DELIVER, Stage.PURGE)}
    for stage, job in jobs.items():
        Job.objects.filter(pk=job.pk).update(stage=stage, queue="engine")
        job.refresh_from_db()
    with app.connection_for_read() as connection:
        for name in ("privacy", "default", "engine"):
            connection.SimpleQueue(name, no_ack=True).clear()
        for job in jobs.values():
            pipeline.wake(job)
            pipeline.enqueue(job)
        privacy_tasks.sweep.delay()
        took = {
            name: _taken(connection, name, count) for name, count in (("privacy", 5), ("default", 1), ("engine", 1))
        }
    ending = [str(jobs[stage].pk) for stage in (Stage.DELIVER, Stage.PURGE)]
    assert sorted(took["privacy"]) == sorted([*ending, *ending, "privacy.tasks.sweep"])
    assert took["default"] == took["engine"] == [str(jobs[Stage.WATCH].pk)]


def _taken(connection, name: str, count: int) -> list[str]:
    """So many messages of a queue: the first argument of each, or its task where it has none."""
    with connection.SimpleQueue(name, no_ack=True) as queue:
        messages = [queue.get(timeout=10) for _ in range(count)]
    return [(message.payload[0] or [message.headers["task"]])[0] for message in messages]
