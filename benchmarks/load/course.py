"""What the database says of finished jobs: between which events their time went, and how soon all was destroyed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from benchmarks.load.crowd import Journey

PATIENCE = 120.0


class NotAllGone(AssertionError):
    """Something of the jobs is still there, or they did not end well."""


def await_end(jobs: Sequence[str]) -> None:
    """Return once all are over. Raises ``NotAllGone``."""
    from generation.models import Job

    deadline = time.monotonic() + PATIENCE
    while Job.objects.filter(pk__in=jobs).exclude(stage=Job.Stage.OVER).exists():
        if time.monotonic() > deadline:
            raise NotAllGone("jobs do not end")
        time.sleep(0.1)


def prove_gone(jobs: Sequence[str]) -> None:
    """Every job done, with a receipt; no blob, key or object is left. Raises ``NotAllGone``."""
    from generation.models import Job
    from privacy import keystore
    from privacy.models import Blob, Receipt
    from privacy.stores import store

    counts = {
        "not done": len(jobs) - Job.objects.filter(pk__in=jobs, outcome="done", charged=True).count(),
        "without receipt": len(jobs) - Receipt.objects.filter(group__in=jobs).count(),
        "blobs": Blob.objects.open().count(),
        "keys": len(list(keystore.ids())),
        "objects": len(list(store().names())),
    }
    if any(counts.values()):
        raise NotAllGone(str(counts))


def gaps(jobs: Sequence[UUID]) -> dict[str, list[float]]:
    """Between each event of a job and the next, in order: seconds, for each job where the one followed the other."""
    from generation.models import Event

    events: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for job, code, at in Event.objects.filter(job__in=jobs).order_by("at").values_list("job", "code", "at"):
        events[str(job)].append((code, at.timestamp()))
    found: dict[str, list[float]] = defaultdict(list)
    for line in events.values():
        for (before, began), (after, ended) in pairwise(line):
            found[f"{before} → {after}"].append(ended - began)
    return {name: times for name, times in found.items() if len(times) > len(jobs) / 2}


def destruction_lags(journeys: Sequence[Journey]) -> dict[str, list[float]]:
    """Milliseconds from what the owner did to what was then so, for each job.

    The asset's blob counts as gone when its key and its object were asked for again in vain, and that was written
    down; the receipt is signed after that, and says it.
    """
    from generation.models import Job
    from privacy.models import Blob, Receipt

    offset = time.time() - time.monotonic()
    rows = {str(job.pk): job for job in Job.objects.filter(pk__in=[one.job for one in journeys])}
    asset = Blob.objects.filter(group__in=rows, kind="asset", destroyed_at__isnull=False)
    gone = {blob.group: blob.destroyed_at for blob in asset}
    signed = dict(Receipt.objects.filter(group__in=rows).values_list("group", "issued_at"))
    found: dict[str, list[float]] = defaultdict(list)
    for one in journeys:
        job = rows[one.job]
        assert job.acknowledged_at is not None
        assert job.finished_at is not None
        confirmed = gone[job.pk]
        assert confirmed is not None
        said, fetched = job.acknowledged_at.timestamp(), one.fetched + offset
        found["acknowledged → key and object gone"].append(1000 * (confirmed.timestamp() - said))
        found["acknowledged → receipt signed"].append(1000 * (signed[job.pk].timestamp() - said))
        found["acknowledged → job over"].append(1000 * (job.finished_at.timestamp() - said))
        found["last byte received → job over"].append(1000 * (job.finished_at.timestamp() - fetched))
    return found


def sealed_sizes(jobs: Sequence[str]) -> list[tuple[str, int]]:
    """Kind and bytes before sealing of the blobs that one of these jobs had."""
    from privacy.models import Blob

    return list(Blob.objects.filter(group=jobs[0]).order_by("created_at").values_list("kind", "plain_size"))
