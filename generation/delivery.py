"""The end of a job: its asset waits for its owner, then everything is destroyed and a receipt says so."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone

from generation import leases, registry
from generation.models import Attempt, Job
from generation.provider import Erased, Erasure, Remote
from generation.steps import JobFailed, Step, backoff
from privacy import receipts, vault

logger = logging.getLogger(__name__)

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
        return Step(None, wait=backoff(job.stage_tries, longest=60.0), further=False)
    waiting = False
    for attempt in job.attempts.order_by("number"):
        if attempt.erasure is None:
            leases.renew(job)
            waiting |= not _erase(attempt)
    if waiting:
        return Step(None, wait=backoff(job.stage_tries, longest=30.0), further=False)
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
    """Have the provider erase one call, and remember what it said; false when it should be asked again.

    An attempt that its job did not wait for ends here.
    """
    if attempt.remote is None:
        outcome = _by_the_card(attempt)
    else:
        try:
            outcome = registry.get(attempt.provider).erase(Remote(**attempt.remote))
        except Exception as error:
            # Its time-out, its bug or our own: the job must end, and its receipt says what nobody knows.
            logger.warning("erasing failed", extra={"attempt": attempt.number}, exc_info=error)
            attempt.erase_tries += 1
            if attempt.erase_tries < MAX_ERASE_TRIES:
                attempt.save(update_fields=["erase_tries"])
                return False
            outcome = Erasure(Erased.UNKNOWN)
    attempt.erasure = {"result": outcome.result.value, "at": timezone.now().isoformat(timespec="seconds")}
    if outcome.at:
        attempt.erasure["until"] = outcome.at.isoformat(timespec="seconds")
    if attempt.ended_at is None:
        died = attempt.state == Attempt.State.SUBMITTING
        attempt.state = Attempt.State.UNKNOWN if died else Attempt.State.FAILED
        attempt.failure = attempt.job.failure or attempt.job.outcome
        attempt.ended_at = timezone.now()
    attempt.save(update_fields=["erasure", "erase_tries", "state", "failure", "ended_at"])
    return True


def _by_the_card(attempt: Attempt) -> Erasure:
    """What can be said of a call that left no id to erase it by: a provider that refused the photo has seen it."""
    if attempt.state == Attempt.State.CHOSEN:
        return Erasure(Erased.NOTHING_KEPT)  # nothing was sent
    card = next((card for card in registry.cards() if card.name == attempt.provider), None)
    if card is not None and not card.hosts:
        return Erasure(Erased.NOTHING_KEPT)  # it ran here
    if card is None or card.keeps is None or attempt.state != Attempt.State.FAILED:
        return Erasure(Erased.UNKNOWN)
    if not card.keeps:
        return Erasure(Erased.NOTHING_KEPT)
    return Erasure(Erased.EXPIRES, at=(attempt.ended_at or timezone.now()) + card.keeps)


def _elsewhere(attempt: Attempt) -> dict[str, Any]:
    return {"provider": attempt.provider, "attempt": attempt.number, **(attempt.erasure or {})}
