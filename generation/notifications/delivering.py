"""Whatever is due to a webhook is brought to it: in order for each job, again and again, until it is taken or given up.

One worker at a time speaks to a webhook: the one that has its lease, taken by conditional UPDATE, by the database's
clock (``generation/leases.py``). So a slow receiver holds up one worker and its own notifications, nobody else's. A
worker that dies between sending and writing that down leaves the lease to run out; the next one sends the same once
more, under the same id.

A failed attempt puts its notification off (``WAITS``), and with it the later ones of the same job; those of other jobs
go on. When a receiver is back after it failed for a while, what waits for it goes at once. A receiver that asked to be
left alone for a time is: what it did not take comes no earlier, nor does whatever else waits for it.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts import security_log
from generation import leases
from generation.models import Delivery, Webhook
from generation.notifications import sending

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
WAITS: Final = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds after each failed attempt; after one more, it is given up: three days in all."""
JITTER: Final = 0.1
FAILING: Final = timedelta(days=5)
"""A webhook that took nothing for so long is switched off when the next notification has to be given up."""
BACK_AFTER: Final = 3
"""Failed attempts in a row after which a success means that the receiver was away and is back."""
AT_ONCE: Final = 100
SECONDS_AT_ONCE: Final = 30.0
COUNTDOWN_SECONDS: Final = 10.0
"""A shorter wait is a delayed message; a longer one is left to the sweep."""
PAUSE_SECONDS: Final = 5.0
"""How long a receiver is left alone that did not answer, whatever else is due to it."""
SWEEP_BATCH: Final = 1000

Waiting = Delivery.State.WAITING
FREE: Final = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
"""Webhooks that nobody speaks to now."""


class LostLease(Exception):
    """The lease ran out, or the webhook is off or gone: what this worker learned must be dropped."""


def next_ones() -> QuerySet[Delivery]:
    """What waits and has nothing of the same job before it that waits for the same webhook."""
    earlier = Delivery.objects.filter(
        state=Waiting,
        webhook=OuterRef("webhook"),
        notification__job=OuterRef("notification__job"),
        notification__lt=OuterRef("notification"),
    )
    return Delivery.objects.filter(~Exists(earlier), state=Waiting)


def deliver(webhook_id: UUID) -> None:
    """Tell the webhook what is due, one after the other, for a while."""
    lease = _claim(webhook_id)
    if lease is None:
        return
    began, answered = time.monotonic(), True
    try:
        for _ in range(AT_ONCE):
            webhook = _held(webhook_id, lease)
            due = next_ones().filter(webhook=webhook, due_at__lte=timezone.now())
            delivery = due.select_related("notification__job").order_by("notification").first()
            if delivery is None:
                break
            answer = sending.send(webhook, delivery.notification)
            _write(webhook, lease, delivery, answer)
            answered = answer.status is not None
            if not answered or time.monotonic() - began > SECONDS_AT_ONCE:
                break
    except LostLease:
        logger.info("webhook taken, switched off or deleted meanwhile", extra={"webhook": str(webhook_id)})
    finally:
        mine = Webhook.objects.filter(pk=webhook_id, lease_id=lease)
        released = mine.update(lease_id=None, lease_until=None, nudged_at=None)
    if released:
        _go_on(webhook_id, pause=0.0 if answered else PAUSE_SECONDS)


def _go_on(webhook_id: UUID, *, pause: float) -> None:
    """Send for what is due soon."""
    soonest = next_ones().filter(webhook=webhook_id, webhook__enabled=True).order_by("due_at").first()
    if soonest is not None:
        wait = max(pause, (soonest.due_at - timezone.now()).total_seconds())
        if wait <= COUNTDOWN_SECONDS:
            _nudge(webhook_id, wait=wait)


def _until() -> Any:
    return leases.in_seconds(settings.LEASE_SECONDS)


def _claim(webhook_id: UUID) -> UUID | None:
    """A lease on the webhook; ``None`` when it is off, gone, or somebody else's for now."""
    lease = uuid4()
    free = Webhook.objects.filter(FREE, pk=webhook_id, enabled=True, owner__is_active=True)
    return lease if free.update(lease_id=lease, lease_until=_until()) else None


def _held(webhook_id: UUID, lease: UUID) -> Webhook:
    """The webhook as it is now, with its lease renewed. Raises ``LostLease``."""
    mine = Webhook.objects.filter(pk=webhook_id, lease_id=lease, enabled=True)
    if not mine.update(lease_until=_until()):
        raise LostLease
    webhook = mine.select_related("owner").first()
    if webhook is None:
        raise LostLease
    return webhook


@transaction.atomic
def _write(webhook: Webhook, lease: UUID, delivery: Delivery, answer: sending.Answer) -> None:
    """Write down how an attempt went. Raises ``LostLease``."""
    now = timezone.now()
    tried = {
        "attempts": F("attempts") + 1,
        "tried_at": now,
        "status": answer.status,
        "failure": answer.failure,
        "milliseconds": answer.milliseconds,
    }
    mine = Webhook.objects.filter(pk=webhook.pk, lease_id=lease)
    row = Delivery.objects.filter(pk=delivery.pk)
    if not answer.failure:
        if not mine.update(failures=0, failing_since=None):
            raise LostLease
        row.update(**tried, state=Delivery.State.DELIVERED, delivered_at=now)
        if webhook.failures >= BACK_AFTER:
            webhook.deliveries.filter(state=Waiting, due_at__gt=now).update(due_at=now)
        return
    since = webhook.failing_since or now
    if not mine.update(failures=F("failures") + 1, failing_since=since):
        raise LostLease
    last = delivery.attempts >= len(WAITS)
    if last:
        row.update(**tried, state=Delivery.State.GIVEN_UP)
    else:
        row.update(**tried, due_at=now + _wait(delivery.attempts))
    left_alone = now + answer.asked
    webhook.deliveries.filter(state=Waiting, due_at__lt=left_alone).update(due_at=left_alone)
    if answer.failure == "gone":
        _switch_off(webhook, Webhook.Why.GONE)
    elif last and now - since >= FAILING:
        _switch_off(webhook, Webhook.Why.FAILING)


def _wait(attempts: int) -> timedelta:
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # so that not all come back at the same moment
    return timedelta(seconds=WAITS[attempts] * spread)


def _switch_off(webhook: Webhook, why: Webhook.Why) -> None:
    """Call it no more, and tell its owner by mail; what waits goes out if it is switched on again."""
    if Webhook.objects.filter(pk=webhook.pk, enabled=True).update(enabled=False, off_because=why):
        security_log.write(owner=webhook.owner, code=f"webhook_{why}", subject=webhook.name[:60], number=webhook.pk)


def wake(webhook_id: UUID) -> None:
    """Look at the webhook once the present transaction is committed."""
    transaction.on_commit(lambda: _nudge(webhook_id), robust=True)


def _nudge(webhook_id: UUID, *, wait: float = 0.0) -> None:
    Webhook.objects.filter(pk=webhook_id).update(nudged_at=timezone.now() + timedelta(seconds=wait))
    _publish(webhook_id, wait=wait)


def _publish(webhook_id: UUID, *, wait: float = 0.0) -> bool:
    """Hand a message to the broker; false when it is down."""
    from generation import tasks

    try:
        tasks.deliver.apply_async([str(webhook_id)], queue="webhooks", countdown=wait or None, retry=False)
    except OperationalError:
        logger.warning("broker down; the sweep will wake the webhook", extra={"webhook": str(webhook_id)})
        return False
    return True


def sweep() -> int:
    """Send for every webhook with something due that no message is under way for; returns how many."""
    now = timezone.now()
    stale = now - timedelta(seconds=settings.RENUDGE_SECONDS)
    due = next_ones().filter(webhook=OuterRef("pk"), due_at__lte=now)
    found = Webhook.objects.filter(Exists(due), FREE, enabled=True, owner__is_active=True).filter(
        Q(nudged_at__isnull=True) | Q(nudged_at__lt=stale)
    )
    ids = list(found.values_list("pk", flat=True)[:SWEEP_BATCH])
    Webhook.objects.filter(pk__in=ids).update(nudged_at=now)
    for webhook_id in ids:
        if not _publish(webhook_id):
            break  # the broker is down: the next sweep is soon enough
    return len(ids)
