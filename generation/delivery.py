"""The end of a job: its asset waits for its owner, then everything is destroyed and a receipt says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from generation import leases, registry
from generation.models import Attempt, Job
from generation.provider import Erased, Erasure, Remote, Unavailable
from generation.steps import JobFailed, Step
from privacy import receipts, vault

Stage = Job.Stage
Outcome = Job.Outcome

MARGIN = timedelta(minutes=5)
"""The asset's blob outlives the time its owner was promised by this much, so that a last transfer can end."""
LOOK_AGAIN_SECONDS = 60.0
MAX_ERASE_TRIES = 5


def deliver(job: Job) -> Step:
    """Wait for the owner; only an acknowledgement, the end of the time, a cancel or a loss ends the wait.

    A transfer that breaks changes nothing: the asset can be asked for again.
    """
    assert job.asset_id is not None
    assert job.asset_expires_at is not None
    now = timezone.now()
    if job.acknowledged_at:
        job.outcome = Outcome.DONE
        return Step(Stage.PURGE)
    if now >= job.asset_expires_at:
        job.outcome = Outcome.EXPIRED
        return Step(Stage.PURGE)
    if not vault.readable(job.asset_id):
        raise JobFailed("key_lost")
    left = (job.asset_expires_at - now).total_seconds()
    return Step(None, wait=min(LOOK_AGAIN_SECONDS, left))


def cancel(job: Job) -> Step:
    """End the job at its owner's wish. Before the asset is ready it costs nothing; after, it was delivered work."""
    job.outcome = Outcome.CANCELLED
    job.queue = "default"
    return Step(Stage.PURGE if job.stage == Stage.DELIVER else Stage.SETTLE)


def purge(job: Job) -> Step:
    """Destroy every blob, have every provider erase its copies, and put both on the receipt."""
    for blob in vault.blobs(job.pk).exclude(state="destroyed"):
        leases.renew(job)
        vault.destroy(blob.pk)
    if vault.blobs(job.pk).exclude(state="destroyed").exists():
        # The store could not confirm; there is no receipt before it does.
        return Step(None, wait=min(60.0, 2.0**job.stage_tries), further=False)
    waiting = False
    for attempt in job.attempts.order_by("number"):
        if attempt.erasure is None:
            leases.renew(job)
            waiting |= not _erase(attempt)
    if waiting:
        return Step(None, wait=min(30.0, 2.0**job.stage_tries), further=False)
    receipt = receipts.issue(
        group=job.pk,
        outcome=job.outcome,
        elsewhere=[_elsewhere(attempt) for attempt in job.attempts.order_by("number")],
    )
    job.source_id = job.raw_mesh_id = job.asset_id = None
    job.receipt_id = receipt.pk
    job.finished_at = timezone.now()
    return Step(Stage.OVER)


def _erase(attempt: Attempt) -> bool:
    """Have the provider erase one call, and remember what it said; false when it should be asked again."""
    if attempt.remote is None:
        if attempt.state in (Attempt.State.UNKNOWN, Attempt.State.SUBMITTING):
            safe = attempt.provider in {card.name for card in registry.cards() if card.queue == "engine"}
            outcome = Erasure(Erased.NOTHING_KEPT if safe else Erased.UNKNOWN)
        else:
            outcome = Erasure(Erased.NOTHING_KEPT)
    else:
        try:
            outcome = registry.get(attempt.provider).erase(Remote(**attempt.remote))
        except (Unavailable, KeyError):
            attempt.erase_tries += 1
            if attempt.erase_tries < MAX_ERASE_TRIES:
                attempt.save(update_fields=["erase_tries"])
                return False
            outcome = Erasure(Erased.UNKNOWN)
    attempt.erasure = {"result": outcome.result.value, "at": timezone.now().isoformat(timespec="seconds")}
    if outcome.at:
        attempt.erasure["until"] = outcome.at.isoformat(timespec="seconds")
    attempt.save(update_fields=["erasure", "erase_tries"])
    return True


def _elsewhere(attempt: Attempt) -> dict[str, Any]:
    return {"provider": attempt.provider, "attempt": attempt.number, **(attempt.erasure or {})}
