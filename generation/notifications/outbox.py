"""What is told of a job is written down in the transaction of the job's change: none is lost, and none invented."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from generation.models import Delivery, Job, Notification, Webhook
from generation.notifications import delivering
from generation.notifications.messages import TEST, kind_of


def record(job: Job, stage: str) -> None:
    """Write down that the job reached a stage, for whoever wants to hear of it. For use in the change's transaction."""
    kind = kind_of(job, stage)
    if not kind:
        return
    on = Webhook.objects.filter(owner_id=job.owner_id, enabled=True)
    wanting = [webhook for webhook in on if kind in webhook.kinds]
    if not wanting:
        return
    notification, new = Notification.objects.get_or_create(
        job=job, kind=kind, defaults={"owner_id": job.owner_id, "at": timezone.now()}
    )
    if new:
        _deliver(notification, wanting)


@transaction.atomic
def test(webhook: Webhook) -> Delivery:
    """Send a notification of nothing, to this webhook alone."""
    notification = Notification.objects.create(owner_id=webhook.owner_id, kind=TEST, at=timezone.now())
    return _deliver(notification, [webhook])[0]


def _deliver(notification: Notification, webhooks: list[Webhook]) -> list[Delivery]:
    made = Delivery.objects.bulk_create(
        Delivery(webhook=webhook, notification=notification, due_at=notification.at) for webhook in webhooks
    )
    for webhook in webhooks:
        delivering.wake(webhook.pk)
    return made
