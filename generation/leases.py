"""Who may work on a job: a lease taken, renewed and given back by conditional UPDATE, so that one worker does.

A worker that dies keeps its lease until it runs out; a worker that outlives its lease finds on its next write
that the row is no longer its own, and stops. The time is the database's, for everybody: a machine whose own clock is
wrong would take jobs from those that work on them, and have paid calls given up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from django.db.models.functions import Least, Now
from django.utils import timezone

from generation import changes
from generation.models import Job
from privacy import returning

# What a step may change; the other columns belong to the owner's requests (cancel, acknowledge) and to the tick.
STEP_FIELDS = (
    "stage", "outcome", "failure", "warnings", "provider", "waiting", "queue", "percent", "due_at", "deadline_at",
    "stage_tries", "sources", "raw_mesh_id", "asset_id", "charged", "asset_bytes", "triangles",
    "size_x", "size_y", "size_z", "watertight", "ready_at", "asset_expires_at", "finished_at", "receipt_id",
)  # fmt: skip
ASKED_FIELDS = ("cancel_requested_at", "acknowledged_at")
"""What the owner asks for meanwhile."""

AWAY = (OperationalError, InterfaceError)
"""How a database that cannot be asked shows."""
AWAY_SECONDS = 0.5
COUNTDOWN_SECONDS = 10.0
"""A shorter wait is a delayed message, sent by whoever gives the job back; a longer one is left to the tick."""
TELLING_SECONDS = 0.25
"""How far a job is, is written down so often at most: nobody sees more of it."""
MOST_TRIES = 1000
"""Claims are counted up to here; a store may be away for longer than a small number reaches."""


class LostLease(Exception):
    """The lease ran out and somebody else has the job now; what this worker learned must be dropped."""


def in_seconds(seconds: float) -> Any:
    """The database's time in so many seconds, as an expression to save or to compare with."""
    return Now() + timedelta(seconds=seconds)


def now(job: Job) -> datetime:
    """What time it is by the database's clock, for a job that was claimed."""
    return timezone.now() + job.clock


def _until() -> Any:
    return in_seconds(settings.LEASE_SECONDS)


def claim(job_id: UUID) -> Job | None:
    """The job, leased to the caller; ``None`` when it is over, not due, or somebody else's for now."""
    claimed = returning.updated(
        Job.objects.due().filter(pk=job_id),
        lease_id=uuid4(),
        lease_until=_until(),
        stage_tries=Least(F("stage_tries") + 1, MOST_TRIES),
    )
    if not claimed:
        return None
    [job] = claimed
    assert job.lease_until is not None
    job.renewed = job.told = time.monotonic()
    job.kept = _fields(job)
    job.clock = job.lease_until - timedelta(seconds=settings.LEASE_SECONDS) - timezone.now()
    return job


def renew(job: Job, *, percent: int | None = None) -> None:
    """Hold on to the job, and tell its owner how far it is. Raises ``LostLease``.

    Steps that follow each other faster than ``TELLING_SECONDS`` are told with the next one, or with the next save.
    """
    values: dict[str, object] = {"lease_until": _until()}
    began = time.monotonic()
    if percent is not None:
        job.percent = values["percent"] = percent
        if began - job.told < TELLING_SECONDS:
            return
    if not Job.objects.filter(pk=job.pk, lease_id=job.lease_id).update(**values):
        raise LostLease
    job.renewed = began
    if percent is not None:
        job.told = began
        changes.tell(job.pk, progress=True)


def hold(job: Job) -> None:
    """Hold on to the job between pieces of a step that may be many: renewed before it is old. Raises ``LostLease``."""
    if time.monotonic() - job.renewed > settings.LEASE_SECONDS / 4:
        renew(job)


def renewing(job: Job, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks, with the lease renewed as they pass. Raises ``LostLease``."""
    for chunk in chunks:
        yield chunk
        hold(job)


@contextmanager
def held(job: Job) -> Iterator[None]:
    """Hold on to the job while something runs that cannot be interrupted: renewed from a thread beside it."""
    ended = threading.Event()

    def hold() -> None:
        try:
            while not ended.wait(settings.LEASE_SECONDS / 3):
                insisting(lambda: renew(job))
        except (LostLease, *AWAY):
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


def insisting(write: Callable[[], None]) -> None:
    """Write to a database that was away meanwhile, or still is: for as long as a lease lasts, and no longer.

    A connection that broke while nobody used it shows only now. For what cannot be had twice: a call that is paid for.
    ``write`` must do no harm when it is repeated.
    """
    until = time.monotonic() + settings.LEASE_SECONDS
    while True:
        try:
            return write()
        except AWAY:
            if time.monotonic() > until or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(AWAY_SECONDS)


def keep(job: Job) -> None:
    """Save what a step learned and hold on to the job. Raises ``LostLease``."""
    began = time.monotonic()
    if not Job.objects.filter(pk=job.pk, lease_id=job.lease_id).update(**_learned(job), lease_until=_until()):
        raise LostLease
    job.renewed, job.kept = began, _fields(job)


def go_on(job: Job) -> None:
    """Save what a step learned, hold on to the job, and hear what its owner asked for meanwhile.

    Raises ``LostLease``.
    """
    began = time.monotonic()
    _saved(job, {**_learned(job), "lease_until": _until()})
    job.renewed, job.kept = began, _fields(job)


def give_back(job: Job, *, wait: float) -> float:
    """Save what a step learned and end the lease; the job is due again in ``wait`` seconds.

    Returns the seconds really to wait: none when the owner asked for something while the step ran.
    Raises ``LostLease``.
    """
    values = _learned(job) | {"due_at": in_seconds(wait), "lease_id": None, "lease_until": None}
    if wait <= COUNTDOWN_SECONDS:
        values["nudged_at"] = in_seconds(wait)  # by the message that follows
    if not _saved(job, values):
        return wait
    Job.objects.filter(pk=job.pk).update(due_at=Now(), nudged_at=Now())
    return 0.0


def _learned(job: Job) -> dict[str, Any]:
    """What the step has changed since the row was read or written."""
    return {name: value for name, value in _fields(job).items() if job.kept is None or job.kept[name] != value}


def _fields(job: Job) -> dict[str, Any]:
    """What a step may change, as it is: lists and the like as copies."""
    return {name: copy(getattr(job, name)) for name in STEP_FIELDS}


def _saved(job: Job, values: dict[str, Any]) -> bool:
    """Write the job's row; whether its owner asked for something since it was read, which the job then has.

    Raises ``LostLease``.
    """
    mine = Job.objects.filter(pk=job.pk, lease_id=job.lease_id)
    # Mostly nobody asked, and the one statement says so.
    if mine.filter(**{name: getattr(job, name) for name in ASKED_FIELDS}).update(**values):
        return False
    if not mine.update(**values):
        raise LostLease
    present = Job.objects.only(*ASKED_FIELDS).get(pk=job.pk)
    asked = any(getattr(present, name) != getattr(job, name) for name in ASKED_FIELDS)
    for name in ASKED_FIELDS:
        setattr(job, name, getattr(present, name))
    return asked
