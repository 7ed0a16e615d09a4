"""The end of a job: its asset waits for its owner, then everything is destroyed and a receipt says so."""

from __future__ import annotations

from datetime import timedelta

from generation import erasing, leases
from generation.models import Job
from generation.steps import JobFailed, Step, backoff
from privacy import receipts, vault

Stage = Job.Stage
Outcome = Job.Outcome

MARGIN = timedelta(minutes=5)
"""The asset's blob outlives the time its owner was promised by this much, so that a last transfer can end."""
LOOK_AGAIN_SECONDS = 60.0


def deliver(job: Job) -> Step:
    """Wait for the owner; only an acknowledgement, the end of the time, a cancel or a loss ends the wait.

    A transfer that breaks changes nothing: the asset can be asked for again.
    """
    assert job.asset_id is not None
    assert job.asset_expires_at is not None
    now = leases.now(job)
    if job.acknowledged_at:
        job.outcome = Outcome.DONE
        return Step(Stage.PURGE)
    if now >= job.asset_expires_at:
        job.outcome = Outcome.EXPIRED
        return _unsaved(job)
    if not vault.readable(job.asset_id):
        raise JobFailed("key_lost")
    return Step(None, wait=next_look(job))


def next_look(job: Job) -> float:
    """Seconds until an asset that is there is looked at again."""
    assert job.asset_expires_at is not None
    return max(0.0, min(LOOK_AGAIN_SECONDS, (job.asset_expires_at - leases.now(job)).total_seconds()))


def cancel(job: Job) -> Step:
    """End the job at its owner's wish. Before the asset is ready it costs nothing; after, it was delivered work."""
    job.outcome = Outcome.CANCELLED
    job.queue = "default"
    return _unsaved(job) if job.stage == Stage.DELIVER else Step(Stage.SETTLE)


def _unsaved(job: Job) -> Step:
    """The asset goes unsaved. Whoever could have fetched it pays; a direct one, that was not sent whole, does not."""
    return Step(Stage.SETTLE if job.direct else Stage.PURGE)


def purge(job: Job) -> Step:
    """Destroy every blob, have every provider erase its copies, and put both on the receipt."""
    for blob in vault.blobs(job.pk).exclude(state="destroyed"):
        leases.hold(job)
        vault.destroy(blob)
    destroyed = list(vault.blobs(job.pk))  # looked at anew, all at one moment
    if any(blob.state != "destroyed" for blob in destroyed):
        # The store could not confirm; there is no receipt before it does.
        return Step(None, wait=backoff(job.stage_tries, longest=60.0), further=False)
    waiting, attempts = False, list(job.attempts.order_by("number"))
    for attempt in attempts:
        if attempt.erasure is None:
            leases.hold(job)
            waiting |= not erasing.erase(attempt)
    if waiting:
        return Step(None, wait=backoff(job.stage_tries, longest=30.0), further=False)
    receipt = receipts.issue(
        group=job.pk,
        outcome=job.outcome,
        destroyed=destroyed,
        elsewhere=[erasing.line(attempt) for attempt in attempts],
    )
    job.sources = {}
    job.raw_mesh_id = job.asset_id = None
    job.receipt_id = receipt.pk
    job.finished_at = leases.now(job)
    return Step(Stage.OVER)
