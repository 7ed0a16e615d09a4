"""A provider that fails is left alone and let back by one probe; slots and waits need no worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from redis import RedisError

from billing import ledger
from generation import health, registry, slots
from generation.models import Attempt, Job
from generation.provider import Erased
from privacy.models import Receipt
from sandbox.providers.simulator import Answer
from tests.providers.stands import stands

pytestmark = pytest.mark.django_db(transaction=True)
Stage, Outcome = Job.Stage, Job.Outcome
MESHY = next(stand for stand in stands() if stand.name == "meshy")


def test_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through(start, clock) -> None:
    start(MESHY)
    for _ in range(health.IN_A_ROW - 1):
        health.failed("meshy")
        assert health.admits("meshy")
    health.worked("meshy")
    for _ in range(health.IN_A_ROW):
        assert health.admits("meshy")
        health.failed("meshy")
    assert not health.admits("meshy")
    assert not health.of(registry.card("meshy")).usable
    clock.jump(health.OUT_SECONDS + 1)
    assert health.of(registry.card("meshy")).usable
    assert [health.admits("meshy") for _ in range(5)] == [True, False, False, False, False]
    health.failed("meshy")
    clock.jump(health.OUT_SECONDS + 1)
    assert not health.admits("meshy"), "out for longer the second time"
    clock.jump(health.OUT_SECONDS)
    assert health.admits("meshy")
    health.worked("meshy")
    assert all(health.admits("meshy") for _ in range(5))


def test_probes_are_given_to_one_of_many_who_ask_at_once(start, clock) -> None:
    start(MESHY)
    for _ in range(health.IN_A_ROW):
        health.failed("meshy")
    clock.jump(health.OUT_SECONDS + 1)
    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(lambda _: health.admits("meshy"), range(32))) == 1


def test_new_key_is_a_new_chance(start, settings) -> None:
    start(MESHY)
    health.misconfigured("meshy")
    assert health.of(registry.card("meshy")).misconfigured
    settings.PROVIDER_ENVIRONMENT = {**settings.PROVIDER_ENVIRONMENT, "MESHY_API_KEY": "another"}
    assert health.admits("meshy")


def test_cache_that_is_away_stops_nobody(start, job_for, run, monkeypatch) -> None:
    start(MESHY)

    def away(*_: object, **__: object) -> None:
        raise RedisError

    for name in ("get", "set", "add", "incr", "delete", "delete_many"):
        monkeypatch.setattr(cache, name, away, raising=False)
    assert run(job_for("meshy")).outcome == Outcome.DONE


def test_figures_come_from_the_rows(start, job_for, run, clock) -> None:
    running = start(MESHY)
    for fails in (False, True, False):
        running.behaviour.fails = fails
        run(job_for("meshy"))
    cache.clear()
    found = health.of(registry.card("meshy"))
    assert (found.attempts, found.failures, found.running) == (3, 1, 0)
    assert found.median is not None
    assert found.slowest is not None
    assert 5 <= found.median <= found.slowest < 120
    clock.jump(3700)
    cache.clear()
    assert health.of(registry.card("meshy")).attempts == 0


def test_slots_are_given_out_once(start, job_for, settings) -> None:
    settings.PROVIDER_SLOTS = ["meshy:3"]
    start(MESHY)
    card = registry.card("meshy")
    jobs = [job_for("meshy") for _ in range(12)]

    def take(job: Job) -> bool:
        try:
            attempt = Attempt(job=job, number=1, provider="meshy", started_at=timezone.now())
            return slots.create(card, attempt)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as crowd:
        assert sum(crowd.map(take, jobs)) == 3
    taken = list(Attempt.objects.exclude(slot=None))
    assert sorted(attempt.slot for attempt in taken if attempt.slot is not None) == [0, 1, 2]
    taken[0].end(Attempt.State.FINISHED)
    assert [take(job) for job in jobs if not job.attempts.exists()].count(True) == 1


def test_full_provider_keeps_jobs_waiting_in_order_and_no_worker(start, job_for, run, settings, clock) -> None:
    settings.PROVIDER_SLOTS = ["meshy:1"]
    running = start(MESHY)
    running.behaviour.polls = 1
    first = run(job_for("meshy"), until=Stage.WATCH)
    second, third = job_for("meshy"), job_for("meshy")
    Job.objects.filter(pk=third.pk).update(created_at=second.created_at + timedelta(seconds=1))
    for job in (second, third, second, third):
        run(job, steps=1, ends=False)
        job.refresh_from_db()
        assert (job.stage, job.waiting, job.lease_id) == (Stage.DISPATCH, "provider_busy", None)
    assert len(running.calls) == 1
    run(first)
    run(third, steps=2, ends=False)
    assert not third.attempts.exists(), "the one before it has waited longer"
    run(second, until=Stage.WATCH)
    run(second)
    assert run(third).outcome == Outcome.DONE
    assert len(running.calls) == 3


def test_all_down_the_job_waits_says_so_and_fails_in_the_end_for_free(start, job_for, run, clock) -> None:
    running = start(MESHY)
    for _ in range(health.IN_A_ROW):
        health.failed("meshy")
    running.fail("create", Answer(503), times=None)
    job = run(job_for("meshy"), steps=3, ends=False)
    assert (job.stage, job.waiting) == (Stage.DISPATCH, "providers_down")
    assert job.events.filter(code="providers_down").count() == 1
    run(job, steps=5000)
    assert (job.outcome, job.charged) == (Outcome.FAILED, False)
    assert job.failure in {"no_provider", "provider_unavailable"}
    assert ledger.balance(job.owner).held == 0
    assert len(running.requests) <= 3, "a provider that is out is not asked by every job"


def test_fail_over_after_a_paid_call_erases_it_first_and_costs_no_more(start, job_for, run, settings, clock) -> None:
    running = start(MESHY)
    settings.PROVIDERS = ["meshy", "embedded"]
    running.behaviour.polls = 10**6
    job = job_for("meshy")
    Job.objects.filter(pk=job.pk).update(provider_wish="")
    Attempt.objects.bulk_create(  # the embedded engine has been busy, so the router takes the dearer one
        Attempt(job=job_for("meshy"), number=1, provider="embedded", failure="provider_failed", state="failed",
                started_at=timezone.now(), ended_at=timezone.now()) for _ in range(6)
    )  # fmt: skip
    cache.clear()
    job = run(job, until=Stage.WATCH)
    assert job.provider == "meshy"
    clock.jump(1300)
    job = run(job, until=Stage.INSPECT, steps=1000)
    (call,) = running.calls.values()
    assert call.erased, "before anybody else gets the photo"
    assert job.provider == "embedded"
    job = run(job)
    assert (job.outcome, job.credits) == (Outcome.DONE, 6)
    lines = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert [(line["provider"], line["result"]) for line in lines] == [
        ("meshy", Erased.ERASED.value),
        ("embedded", Erased.NOTHING_KEPT.value),
    ]
    codes = list(job.events.exclude(attempt=0).values_list("code", "provider"))
    assert codes == [
        ("chosen", "meshy"), ("sent", "meshy"), ("provider_too_slow", "meshy"),
        ("chosen", "embedded"), ("finished", "embedded"),
    ]  # fmt: skip


def test_limits_of_the_account_hold_for_jobs_under_way(start, job_for, run, settings) -> None:
    from generation.models import ProcessingLimits

    running = start(MESHY)
    job = job_for("meshy")
    ProcessingLimits.objects.create(owner=job.owner, restrictions={"never": ["meshy"]})
    assert run(job).failure == "restricted"
    assert not running.requests
