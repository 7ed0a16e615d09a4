"""The sweep: whatever should be gone and is not, goes now; what should be in the log comes in; old notes go."""

import time
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from privacy import erasure, heads, log, tallies, vault
from privacy.models import Blob, Erasure, Receipt
from privacy.requests import forgetting, mailing, reminding
from privacy.retention import longest

# Less than the time between two sweeps; what is left over is the next one's.
BUDGET_SECONDS = 4.0


@shared_task
def sweep() -> int:
    """Destroy blobs that are overdue, whose write was interrupted, or whose destruction a store's failure broke off.

    A row whose object is gone already is closed by the same step. Returns how many were tried; those that could not be
    destroyed keep their rows and are tried again by the next sweep.
    """
    until = time.monotonic() + BUDGET_SECONDS
    tried = 0
    for blob_id in Blob.objects.due(timezone.now()).order_by("expires_at").values_list("pk", flat=True)[:500]:
        if time.monotonic() > until:
            break
        try:
            vault.destroy(blob_id)
        except vault.Gone:
            continue
        tried += 1
    return tried


@shared_task
def forget() -> int:
    """Drop requests long over, rows of blobs that are on no receipt, and old certificates; how many of the last two.

    What is dropped was counted before."""
    forgetting.forget()
    now = timezone.now()
    old = Erasure.objects.filter(done_at__lt=now - longest("certificate"))
    Receipt.objects.filter(group__in=old.values("pk")).delete()
    # An account that went by another way, such as an operator's, needs no erasing any more.
    dropped = old.delete()[0] + Erasure.objects.filter(account=None, done_at=None).delete()[0]
    tallies.run(now)
    return dropped + tallies.forget_strays(now)


@shared_task
def sweep_erasures() -> int:
    """Send for each erasure that is due; how many."""
    return erasure.sweep()


@shared_task
def erase(erasure_id: str) -> None:
    """Take an erasure on as far as it goes."""
    erasure.advance(UUID(erasure_id))


@shared_task(name="privacy.tasks.mail_request")
def mail_request(step_id: int) -> None:
    """Send one letter about a request."""
    mailing.send(step_id)


@shared_task(name="privacy.tasks.tend_requests")
def tend_requests() -> None:
    """Send letters whose message was lost or which no mail server took, and remind operators of what is due."""
    mailing.sweep()
    reminding.remind()


@shared_task
def tend_log() -> int:
    """Append the receipts that are not in the log yet, then sign a head if it is time; returns how many were appended.

    Raises ``heads.Forked`` where the log contradicts its last head: docs/operations.md says what to do.
    """
    until = time.monotonic() + BUDGET_SECONDS
    appended = 0
    while time.monotonic() < until:
        count = log.append_waiting()
        appended += count
        if count < log.BATCH:
            break
    heads.publish_due(timezone.now())
    return appended
