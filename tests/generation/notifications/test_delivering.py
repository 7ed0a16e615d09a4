"""Deliveries: in order for each job, again until they are taken or given up, by whichever worker lives."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django.utils.http import http_date
from kombu.exceptions import OperationalError

from accounts import security_log
from accounts.models import SecurityEvent, User
from generation import tasks
from generation.models import Delivery, Job, Webhook
from generation.notifications import delivering, outbox, sending, subscribing
from tests.generation.notifications.conftest import Receiver, Workers, come_to, make_job

pytestmark = pytest.mark.django_db
Stage, State = Job.Stage, Delivery.State
HOUR = timedelta(hours=1)


def test_a_receiver_that_was_down_for_an_hour(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver
) -> None:
    """Everything that happened meanwhile comes once it is back: in order for each job, each once by its id."""
    receiver.stop()
    jobs = [make_job(owner, stage=Stage.SETTLE) for _ in range(4)]
    began = timezone.now()
    for job in jobs[:3]:
        come_to(job, Stage.DELIVER)
        workers.pass_time(timedelta(minutes=5))
    for job in jobs[:3]:
        come_to(job, Stage.PURGE, "done")
        workers.pass_time(timedelta(minutes=5))
    for job in jobs:
        come_to(job, Stage.OVER, job.outcome or "failed")
    workers.pass_time(began + HOUR - timezone.now())
    assert Delivery.objects.filter(state=State.WAITING).count() == 10
    assert receiver.seen == []
    webhook.refresh_from_db()
    assert webhook.failures > 4
    assert webhook.failing_since is not None

    receiver.start()
    back = timezone.now()
    workers.pass_time(2 * HOUR)
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
    by_job = defaultdict(list)
    for job_id, kind in receiver.told():
        by_job[job_id].append(kind)
    whole = ["job.ready", "job.done", "job.destroyed"]
    assert by_job == {str(job.pk): whole for job in jobs[:3]} | {str(jobs[3].pk): whole[2:]}
    assert len(set(receiver.ids())) == len(receiver.ids()) == 10
    taken = [one.delivered_at for one in Delivery.objects.order_by("delivered_at") if one.delivered_at]
    assert taken[-1] - taken[0] < timedelta(minutes=1)  # the first that is taken lets all the others go
    assert taken[0] - back < 2 * HOUR
    assert Webhook.objects.filter(pk=webhook.pk, failures=0, failing_since=None).exists()


def test_one_that_is_not_taken_holds_up_its_own_job_alone(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver
) -> None:
    one, two = make_job(owner), make_job(owner)
    receiver.answers = lambda message: 500 if message["type"] == "job.ready" else 200
    come_to(one, Stage.DELIVER)
    come_to(two, Stage.DELIVER)
    come_to(one, Stage.PURGE, "done")
    receiver.answers = lambda message: 500 if message["data"]["job"] == str(one.pk) else 200
    workers.work()
    assert receiver.told() == [(str(one.pk), "job.ready"), (str(two.pk), "job.ready")]
    receiver.always(200)
    workers.pass_time(timedelta(minutes=1), step=timedelta(seconds=6))
    assert receiver.told()[2:] == [(str(one.pk), "job.ready"), (str(one.pk), "job.done")]


def test_waits_grow_and_end(owner: User, webhook: Webhook, workers: Workers, receiver: Receiver) -> None:
    """Ten attempts in three days; then it is given up, and what came after it goes on."""
    job = make_job(owner)
    come_to(job, Stage.DELIVER)
    come_to(job, Stage.PURGE, "done")
    receiver.answers = lambda message: 500 if message["type"] == "job.ready" else 200
    first = webhook.deliveries.order_by("notification")[0]
    tried: list[datetime] = []
    for _ in range(40):
        workers.work()
        first.refresh_from_db()
        if first.tried_at and first.tried_at not in tried:
            tried.append(first.tried_at)
        if first.state != State.WAITING:
            break
        workers.clock.ahead += max(timedelta(seconds=1), first.due_at - timezone.now())
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(tried)]
    assert (len(tried), first.attempts, first.state, first.status, first.failure) == (10, 10, "given_up", 500, "status")
    for waited, meant in zip(waits, delivering.WAITS, strict=True):
        assert meant * 0.9 <= waited <= meant * 1.1 + 2
    assert len({round(waited / meant, 3) for waited, meant in zip(waits, delivering.WAITS, strict=True)}) > 3
    assert len(set(receiver.ids()[:10])) == 1
    workers.work()
    assert receiver.told()[-1] == (str(job.pk), "job.done")
    assert not SecurityEvent.objects.filter(code="webhook_failing").exists()  # not five days yet

    receiver.always(200)
    assert subscribing.send_again(webhook) == 1
    workers.work()
    first.refresh_from_db()
    assert (first.state, first.attempts, receiver.ids()[-1]) == ("delivered", 1, first.notification.message_id)


@pytest.mark.parametrize(
    ("status", "said", "minutes"),
    [
        (503, "2700", 45),
        (429, "date", 45),
        (429, "999999999", 24 * 60),  # no longer than a day
        (503, "7", 0),  # never before our own time
        (503, "-5", 0),
        (503, "soon", 0),
        (503, "9" * 5000, 0),
        (503, "Mon, 01 Jan 1990 00:00:00 GMT", 0),
        (500, "2700", 0),  # it means something with these two alone
    ],
)
def test_a_receiver_that_asks_for_time_has_it(
    status: int, said: str, minutes: int, owner: User, webhook: Webhook, workers: Workers, receiver: Receiver
) -> None:
    """What it did not take waits for so long, and so does what else waits for it."""
    asked, first, other = timedelta(minutes=minutes), make_job(owner), make_job(owner)
    come_to(other, Stage.DELIVER)
    receiver.always(status)
    receiver.retry_after = http_date((timezone.now() + asked).timestamp() + 1) if said == "date" else said
    Delivery.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    come_to(first, Stage.DELIVER)
    began = timezone.now()
    workers.work()
    assert receiver.told() == [(str(first.pk), "job.ready")]
    rest = sorted(due - began for due in Delivery.objects.values_list("due_at", flat=True))
    if minutes:
        assert timedelta(0) <= rest[0] - asked <= rest[1] - asked < timedelta(seconds=10)
        workers.pass_time(asked - timedelta(minutes=1), step=(asked - timedelta(minutes=1)) / 20)
        assert len(receiver.seen) == 1
        receiver.always(204)
        workers.pass_time(timedelta(minutes=3))
        assert [job for job, _ in receiver.told()[1:]] == [str(job.pk) for job in (other, first)]
    else:
        assert rest[0] < timedelta(seconds=10) < rest[1] <= timedelta(minutes=1)


def test_a_worker_that_dies_after_sending_sends_once_more_under_the_same_id(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver
) -> None:
    come_to(make_job(owner), Stage.DELIVER)
    delivery = webhook.deliveries.get()
    assert delivering._claim(webhook.pk)
    assert sending.send(webhook, delivery.notification).failure == ""
    # Here it is killed: nothing is written down, and its lease stays.
    workers.work()
    assert len(receiver.seen) == 1
    workers.lease_runs_out()
    workers.work()
    assert len(receiver.seen) == 2
    assert len(set(receiver.ids())) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("delivered", 1)
    workers.pass_time(HOUR)
    assert len(receiver.seen) == 2


def test_a_worker_that_is_too_slow_writes_nothing(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one speaks to a webhook nobody else does; once its lease ran out another may, and the first finds out."""
    come_to(make_job(owner), Stage.DELIVER)
    send = sending.send
    late = False

    def slowly(*args: Any) -> sending.Answer:
        nonlocal late
        first, late = not late, True
        if first:
            delivering.deliver(webhook.pk)  # a second worker: the lease is taken
            assert receiver.seen == []
            workers.lease_runs_out()
            delivering.deliver(webhook.pk)
            assert len(receiver.seen) == 1
            return sending.Answer(500, "status", 1)
        return send(*args)

    monkeypatch.setattr(sending, "send", slowly)
    workers.work()
    delivery = webhook.deliveries.get()
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 1, 204)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.lease_id) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_the_broker_may_lose_every_message(
    owner: User, webhook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **options: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(tasks.deliver, "apply_async", down)
        come_to(make_job(owner), Stage.DELIVER)
        delivering.sweep()
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda args, **options: sent.append({"args": args, **options}))
    tasks.sweep_webhooks()
    assert sent == []  # one is thought to be under way
    Webhook.objects.update(nudged_at=timezone.now() - timedelta(minutes=1))
    tasks.sweep_webhooks()
    tasks.sweep_webhooks()
    assert [(one["args"], one["queue"]) for one in sent] == [([str(webhook.pk)], "webhooks")]
    tasks.deliver(sent[0]["args"][0])
    assert len(receiver.seen) == 1
    Webhook.objects.update(nudged_at=None)
    tasks.sweep_webhooks()
    assert len(sent) == 1  # nothing is due


def test_five_days_of_nothing_switch_it_off(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver
) -> None:
    receiver.stop()
    come_to(make_job(owner), Stage.DELIVER)
    workers.pass_time(timedelta(days=4), step=HOUR)
    assert webhook.deliveries.get().state == State.GIVEN_UP
    come_to(make_job(owner), Stage.DELIVER)
    workers.pass_time(timedelta(days=2), step=HOUR)
    webhook.refresh_from_db()
    assert webhook.enabled
    workers.pass_time(timedelta(days=2), step=HOUR)
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.off_because) == (False, "failing")
    come_to(make_job(owner), Stage.DELIVER)
    assert webhook.deliveries.count() == 2
    SecurityEvent.objects.update(at=timezone.now())
    security_log.send()
    told = mail.outbox[-1]
    assert (told.to, told.subject) == ([owner.email], "Webhook switched off, as it takes nothing any more: shop")
    assert "/account/webhooks" in str(told.body)

    receiver.start()
    subscribing.switch(webhook, on=True)
    subscribing.send_again(webhook)
    workers.work()
    assert len(receiver.seen) == 2
    webhook.refresh_from_db()
    assert (webhook.off_because, webhook.failing_since) == ("", None)


def test_410_switches_it_off_at_once(owner: User, webhook: Webhook, workers: Workers, receiver: Receiver) -> None:
    job = make_job(owner)
    come_to(job, Stage.DELIVER)
    come_to(job, Stage.PURGE, "done")
    receiver.always(410)
    workers.pass_time(HOUR)
    assert len(receiver.seen) == 1
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.off_because) == (False, "gone")
    assert SecurityEvent.objects.filter(code="webhook_gone").count() == 1
    receiver.always(200)
    subscribing.switch(webhook, on=True)
    workers.work()
    assert [kind for _, kind in receiver.told()] == ["job.ready", "job.ready", "job.done"]


def test_switched_off_deleted_or_nobodys_is_told_nothing(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver
) -> None:
    for undo in (
        lambda: Webhook.objects.update(enabled=False),
        lambda: User.objects.update(is_active=False),
        lambda: webhook.delete(),
    ):
        outbox.test(Webhook.objects.get())
        undo()
        workers.pass_time(timedelta(minutes=3))
        assert receiver.seen == []
        Webhook.objects.update(enabled=True)
        User.objects.update(is_active=True)
        if Webhook.objects.exists():
            workers.pass_time(timedelta(minutes=3))
            assert len(receiver.seen) == 1
            receiver.seen.clear()


def test_two_jobs_that_come_while_it_speaks_are_not_forgotten(
    owner: User, webhook: Webhook, workers: Workers, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn ends after so many; the next goes on from there."""
    monkeypatch.setattr(delivering, "AT_ONCE", 2)
    for _ in range(5):
        outbox.test(webhook)
    workers.work()
    assert len(receiver.seen) == 5
    assert Webhook.objects.get().lease_id is None
