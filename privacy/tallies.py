"""How many blobs were destroyed until each hour that is over, so that nobody counts all that there ever were.

An hour is counted once, ``SETTLED`` after its end, when nothing can be added to it any more; what is more recent is
counted from the blobs. Each hour is then looked through once more when its strays may be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, Final

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncHour

from privacy.models import Blob, BlobHour
from privacy.retention import longest

HOUR: Final = timedelta(hours=1)
SETTLED: Final = timedelta(hours=1)
HOURS_AT_ONCE: Final = 24 * 60
"""Hours that one round counts; more wait for the next round."""


@dataclass(frozen=True)
class Part:
    """A number that is added (``sign`` 1) or taken away (-1), as the question that yields it."""

    sign: int
    query: QuerySet[Any, int]


def run(now: datetime) -> int:
    """Count the hours that are over and were not counted; how many had anything to count."""
    gone = Blob.objects.filter(state=Blob.State.DESTROYED, destroyed_at__isnull=False)
    begin, before = _counted()
    if begin is None:
        first = gone.order_by("destroyed_at").values_list("destroyed_at", flat=True).first()
        if first is None:
            return 0
        begin = _hour(first)
    end = min(_hour(now - SETTLED), begin + HOURS_AT_ONCE * HOUR)
    if end <= begin:
        return 0
    found = dict(
        gone.filter(destroyed_at__gte=begin, destroyed_at__lt=end)
        .values_list(TruncHour("destroyed_at", tzinfo=UTC))
        .annotate(Count("pk"))
        .order_by()
    )
    # The last hour always has a row, by which the next round knows where to begin.
    hours = sorted({end - HOUR, *found})
    totals = accumulate((found.get(hour, 0) for hour in hours), initial=before)
    next(totals)
    # Two rounds at once go on from the same row, and so write the same.
    rows = [BlobHour(hour=hour, total=total) for hour, total in zip(hours, totals, strict=True)]
    BlobHour.objects.bulk_create(rows, ignore_conflicts=True)
    return len(found)


def destroyed(since: datetime | None = None) -> int:
    """How many blobs were destroyed since a moment, or ever."""
    return sum(part.sign * next(iter(part.query), 0) for part in parts(since))


def parts(since: datetime | None = None) -> list[Part]:
    """What that comes of."""
    until, _total = _counted()
    if until is None or (since is not None and since + HOUR >= until):
        return [Part(1, _rows(since))]
    found = [Part(1, _until(until)), Part(1, _rows(until))]
    if since is not None:
        first = _hour(since) + HOUR
        found += [Part(-1, _until(first)), Part(1, _rows(since, first))]
    return found


def forget_strays(now: datetime) -> int:
    """Drop rows of blobs that are on no receipt and were destroyed too long ago; how many.

    Only of hours that were not looked through yet, each with the time since the one before it: a receipt is issued long
    before, or never.
    """
    before, gone = now - longest("stray"), 0
    for hour in BlobHour.objects.filter(strays_gone=False, hour__lt=before).order_by("hour")[:HOURS_AT_ONCE]:
        end = hour.hour + HOUR
        strays = Blob.objects.strays().filter(destroyed_at__lt=min(end, before))
        earlier = BlobHour.objects.filter(hour__lt=hour.hour).order_by("-hour").first()
        if earlier:
            strays = strays.filter(destroyed_at__gte=earlier.hour + HOUR)
        gone += strays.delete()[0]
        if end <= before:
            hour.strays_gone = True
            hour.save(update_fields=["strays_gone"])
    return gone


def _counted() -> tuple[datetime | None, int]:
    """The end of the last hour that was counted (``None`` before the first), and how many there had been by then."""
    last = BlobHour.objects.order_by("-hour").first()
    return (last.hour + HOUR, last.total) if last else (None, 0)


def _until(moment: datetime) -> QuerySet[Any, int]:
    return BlobHour.objects.filter(hour__lt=moment).order_by("-hour").values_list("total", flat=True)[:1]


def _rows(since: datetime | None, until: datetime | None = None) -> QuerySet[Any, int]:
    rows = Blob.objects.filter(state=Blob.State.DESTROYED)
    rows = rows.filter(destroyed_at__gte=since) if since else rows
    rows = rows.filter(destroyed_at__lt=until) if until else rows
    counted: QuerySet[Any, int] = rows.order_by().values("state").annotate(n=Count("pk")).values_list("n", flat=True)
    return counted


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
