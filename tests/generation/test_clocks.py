"""A machine whose clock is five minutes off takes nothing from those that work on it, and is of use all the same."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from generation import leases, pipeline
from generation.models import Job, Webhook
from generation.notifications import delivering
from privacy import erasure
from privacy.models import Erasure

pytestmark = pytest.mark.django_db(transaction=True)
OFF = 300.0


def off(seconds: float) -> time_machine.travel:
    """This process's clock put off; the database's goes on as it is."""
    return time_machine.travel(time.time() + seconds, tick=True)


@pytest.fixture
def job(owner) -> Job:
    now = timezone.now()
    return Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now + timedelta(minutes=20))


def test_a_job_is_not_taken_from_its_worker_by_a_clock_that_is_ahead(job: Job) -> None:
    held = leases.claim(job.pk)
    assert held is not None
    with off(OFF):
        assert leases.claim(job.pk) is None
        assert pipeline.sweep() == 0
    leases.renew(held)


@pytest.mark.parametrize("seconds", [OFF, -OFF])
def test_a_lease_and_a_wait_are_as_long_as_they_should_be(job: Job, seconds: float) -> None:
    with off(seconds):
        held = leases.claim(job.pk)
        assert held is not None
        assert abs((leases.now(held) - timezone.now()).total_seconds() + seconds) < 5
        until = Job.objects.get(pk=job.pk).lease_until
        leases.give_back(held, wait=30)
    assert until is not None
    assert abs((until - timezone.now()).total_seconds() - settings.LEASE_SECONDS) < 5
    job.refresh_from_db()
    assert 20 < (job.due_at - timezone.now()).total_seconds() < 31


def test_a_model_waits_its_whole_time_by_a_clock_that_is_ahead(service, send, drive) -> None:
    ready = drive(send(keep_minutes=10), until=Job.Stage.DELIVER)
    assert ready.asset_expires_at is not None
    with off(11 * 60):
        Job.objects.filter(pk=ready.pk).update(due_at=ready.created_at)
        pipeline.advance(ready.pk)
    ready.refresh_from_db()
    assert ready.stage == Job.Stage.DELIVER


@pytest.mark.parametrize("seconds", [OFF, -OFF])
def test_nor_is_a_webhook(owner, seconds: float) -> None:
    webhook = Webhook.objects.create(owner=owner, url="https://example.com/", kinds=[], created_at=timezone.now())
    with off(seconds):
        assert delivering._claim(webhook.pk)
    webhook.refresh_from_db()
    assert webhook.lease_until is not None
    assert abs((webhook.lease_until - timezone.now()).total_seconds() - settings.LEASE_SECONDS) < 5
    with off(OFF):
        assert delivering._claim(webhook.pk) is None


def test_nor_is_an_erasure(owner) -> None:
    row = erasure.request(owner, grace=timedelta(0))
    Erasure.objects.filter(pk=row.pk).update(lease_id=uuid4(), lease_until=Now() + erasure.LEASE)
    with off(OFF):
        assert erasure.sweep() == 0
        erasure.advance(row.pk)
    row.refresh_from_db()
    assert row.state == Erasure.State.WAITING
    with off(OFF):
        erasure._save(row, tries=0)
    row.refresh_from_db()
    assert row.lease_until is not None
    assert abs((row.lease_until - timezone.now()).total_seconds() - erasure.LEASE.total_seconds()) < 5
