"""Who may work on a job: a lease taken, renewed and given back by conditional UPDATE, so that one worker does.

A worker that dies keeps its lease until it runs out; a worker that outlives its lease finds on its next write
that the row is no longer its own, and stops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from generation import changes
from generation.models import Job

# What a step may change; the other columns belong to the owner's requests (cancel, acknowledge) and to the tick.
STEP_FIELDS = (
    "stage", "outcome", "failure", "warnings", "provider", "waiting", "queue", "percent", "due_at", "deadline_at",
    "stage_tries", "sources", "raw_mesh_id", "asset_id", "charged", "asset_bytes", "triangles",
    "size_x", "size_y", "size_z", "watertight", "ready_at", "asset_expires_at", "finished_at", "receipt_id",
)  # fmt: skip


MOST_TRIES = 1000
"""Claims are counted up to here; a store may be away for longer than a small number reaches."""


class LostLease(Exception):
    """The lease ran out and somebody else has the job now; what this worker learned must be dropped."""


def _until() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def claim(job_id: UUID) -> Job | None:
    """The job, leased to the caller; ``None`` when it is over, not due, or somebody else's for now."""
    now = timezone.now()
    lease = uuid4()
    claimed = (
        Job.objects.filter(pk=job_id, due_at__lte=now)
        .exclude(stage=Job.Stage.OVER)
        .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
        .update(lease_id=lease, lease_until=now + _until(), stage_tries=Least(F("stage_tries") + 1, MOST_TRIES))
    )
    return Job.objects.get(pk=job_id, lease_id=lease) if claimed else None


def renew(job: Job, *, percent: int | None = None) -> None:
    """Hold on to the job, and tell its owner how far it is. Raises ``LostLease``."""
    values: dict[str, object] = {"lease_until": timezone.now() + _until()}
    if percent is not None:
        job.percent = values["percent"] = percent
    if not Job.objects.filter(pk=job.pk, lease_id=job.lease_id).update(**values):
        raise LostLease
    if percent is not None:
        changes.tell(job.pk)


def renewing(job: Job, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks, with the lease renewed as they pass. Raises ``LostLease``."""
    last = time.monotonic()
    for chunk in chunks:
        yield chunk
        if time.monotonic() - last > settings.LEASE_SECONDS / 4:
            renew(job)
            last = time.monotonic()


@contextmanager
def held(job: Job) -> Iterator[None]:
    """Hold on to the job while something runs that cannot be interrupted: renewed from a thread beside it."""
    ended = threading.Event()

    def hold() -> None:
        try:
            while not ended.wait(settings.LEASE_SECONDS / 3):
                renew(job)
        except LostLease:
            pass  # whoever holds it finds out with its next write
        finally:
            connection.close()

    beside = threading.Thread(target=hold, daemon=True)
    beside.start()
    try:
        yield
    finally:
        ended.set()
        beside.join()


def keep(job: Job) -> None:
    """Save what a step learned and hold on to the job. Raises ``LostLease``."""
    values = {name: getattr(job, name) for name in STEP_FIELDS}
    values["lease_until"] = timezone.now() + _until()
    if not Job.objects.filter(pk=job.pk, lease_id=job.lease_id).update(**values):
        raise LostLease


def go_on(job: Job) -> None:
    """Save what a step learned, hold on to the job, and hear what its owner asked for meanwhile.

    Raises ``LostLease``.
    """
    keep(job)
    present = Job.objects.only("cancel_requested_at", "acknowledged_at").get(pk=job.pk)
    job.cancel_requested_at, job.acknowledged_at = present.cancel_requested_at, present.acknowledged_at


def give_back(job: Job, *, wait: float) -> float:
    """Save what a step learned and end the lease; the job is due again in ``wait`` seconds.

    Returns the seconds really to wait: none when the owner asked for something while the step ran.
    Raises ``LostLease``.
    """
    job.due_at = timezone.now() + timedelta(seconds=wait)
    values = {name: getattr(job, name) for name in STEP_FIELDS}
    values |= {"lease_id": None, "lease_until": None}
    if not Job.objects.filter(pk=job.pk, lease_id=job.lease_id).update(**values):
        raise LostLease
    present = Job.objects.only("cancel_requested_at", "acknowledged_at").get(pk=job.pk)
    if (present.cancel_requested_at, present.acknowledged_at) == (
        job.cancel_requested_at,
        job.acknowledged_at,
    ):
        return wait
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    return 0.0
