"""What happens to a job is written down with it, once, for those who want to hear of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from generation import leases, pipeline
from generation.models import Delivery, Job, Notification, Webhook
from generation.notifications import messages, subscribing
from generation.steps import Step
from tests.generation.notifications.conftest import Receiver, Workers, come_to, make_job

pytestmark = pytest.mark.django_db
Stage = Job.Stage


@pytest.mark.django_db(transaction=True)
def test_a_jobs_whole_way_is_told(
    send: Any, drive: Any, service: Any, webhook: Webhook, workers: Workers, receiver: Receiver, settings: Any
) -> None:
    from generation import ending

    settings.SITE_URL = "https://models.example"
    job = drive(send(), until=Stage.DELIVER)
    ending.acknowledge(job)
    job = drive(job)
    workers.work()
    assert receiver.told() == [(str(job.pk), kind) for kind in ("job.ready", "job.done", "job.destroyed")]
    url = f"https://models.example/api/v1/jobs/{job.pk}"
    data = [json.loads(body)["data"] for _, body in receiver.seen]
    base = {"job": str(job.pk), "url": url}
    assert data == [
        {**base, "state": "ready", "asset": f"{url}/asset"},
        {**base, "state": "done"},
        {**base, "state": "done", "receipt": f"{url}/receipt"},
    ]
    assert {tuple(json.loads(body)) for _, body in receiver.seen} == {("type", "timestamp", "data")}


@pytest.mark.parametrize("outcome", ["failed", "cancelled", "expired"])
def test_how_a_job_ends_is_told(outcome: str, owner: User, webhook: Webhook) -> None:
    job = make_job(owner, stage=Stage.SETTLE)
    come_to(job, Stage.PURGE, outcome)
    come_to(job, Stage.OVER)
    found = list(Notification.objects.order_by("pk"))
    assert [one.kind for one in found] == [f"job.{outcome}", "job.destroyed"]
    assert json.loads(messages.body(found[1]))["data"]["state"] == outcome
    assert {f"job.{one}" for one in Job.Outcome if one} < set(messages.KINDS)


def test_stages_on_the_way_are_nobodys_business(owner: User, webhook: Webhook) -> None:
    job = make_job(owner)
    for stage in (Stage.DISPATCH, Stage.WATCH, Stage.COLLECT, Stage.INSPECT, Stage.SETTLE):
        come_to(job, stage)
    come_to(make_job(owner, direct=True), Stage.DELIVER)  # its model is the answer already
    assert not Notification.objects.exists()


def test_only_who_wants_to_hear_is_told(owner: User, stranger: User, webhook: Webhook) -> None:
    other, _ = subscribing.make(owner=owner, url="https://a.example/", description="", kinds=["job.failed"])
    off, _ = subscribing.make(owner=owner, url="https://b.example/", description="", kinds=list(messages.KINDS))
    subscribing.switch(off, on=False)
    theirs, _ = subscribing.make(owner=stranger, url="https://c.example/", description="", kinds=list(messages.KINDS))
    come_to(make_job(owner), Stage.DELIVER)
    assert [delivery.webhook for delivery in Delivery.objects.all()] == [webhook]
    come_to(make_job(stranger), Stage.DELIVER)
    assert Delivery.objects.get(webhook=theirs).notification.owner == stranger
    assert not other.deliveries.exists()
    webhook.delete()
    come_to(make_job(owner), Stage.DELIVER)
    assert Notification.objects.filter(owner=owner).count() == 1  # nobody listens: nothing is written


def test_a_change_that_is_not_made_is_not_told(owner: User, webhook: Webhook) -> None:
    """A worker whose lease ran out writes neither; a stage that is reached twice is told once."""
    job = make_job(owner, stage=Stage.SETTLE, lease_id=uuid4())
    late = Job.objects.get(pk=job.pk)
    late.lease_id = uuid4()
    with pytest.raises(leases.LostLease):
        pipeline._move(late, Step(Stage.DELIVER))
    assert not Notification.objects.exists()
    pipeline._move(job, Step(Stage.DELIVER))
    come_to(job, Stage.DELIVER)
    assert (Notification.objects.count(), Delivery.objects.count()) == (1, 1)
