"""Calls of a day that is over are added up, so that a year can be shown although each call is forgotten after 30 days.

A day's sums are counted anew from its calls each time and replace those before, so a round may run twice, or after a
day's pause. The last two days are counted each time (a process whose database was away writes late), an older one only
while it has no sums. What is shown of the last two days is read from the calls themselves (``usage.recent``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Sum

from accounts import usage
from accounts.models import ApiCall, ApiCallSum
from privacy.retention import longest

AGAIN: Final = timedelta(days=2)
"""Days that are over and counted each time."""
AT_ONCE: Final = 500
NEXT_DAYS: Final = """
WITH RECURSIVE counted (day) AS (
    SELECT MIN(day) FROM accounts_apicallsum WHERE day >= %s
    UNION ALL
    SELECT (SELECT MIN(sums.day) FROM accounts_apicallsum AS sums WHERE sums.day > counted.day)
    FROM counted WHERE counted.day IS NOT NULL
) SELECT day FROM counted
"""
KIND: Final = ("owner_id", "access_key", "endpoint", "status_class", "within_ms")


def run(now: datetime) -> int:
    """One round; how many days were counted."""
    days = due(now.astimezone(UTC).date())
    for day in days:
        count(day)
    return len(days)


def due(today: date) -> list[date]:
    """Days that are to be counted: all are over, and of none is a call forgotten yet."""
    oldest = today - longest("request_log") + timedelta(days=1)
    counted = _counted(oldest)
    days = [oldest + timedelta(days=number) for number in range((today - oldest).days)]
    return [day for day in days if today - day <= AGAIN or day not in counted]


def _counted(oldest: date) -> set[date]:
    """Days since then that have sums. Each is found by the index from the one before, however many sums a day has."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_DAYS, [oldest])
        return {ApiCallSum.day.field.to_python(day) for (day,) in cursor.fetchall() if day}


def count(day: date) -> None:
    """Add up the calls of one day."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    calls = ApiCall.objects.filter(at__gte=begin, at__lt=begin + timedelta(days=1))
    sums = (
        calls.annotate(status_class=usage.STATUS_CLASS, within_ms=usage.WITHIN)
        .values(*KIND)
        .annotate(calls=Count("pk"), sum_in=Sum("bytes_in"), sum_out=Sum("bytes_out"))
        .order_by(*KIND)  # two rounds at once take the rows in one order
    )
    rows = _rows(day, sums.iterator(AT_ONCE))
    while some := list(islice(rows, AT_ONCE)):
        ApiCallSum.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["owner", "day", "access_key", "endpoint", "status_class", "within_ms"],
            update_fields=["calls", "bytes_in", "bytes_out"],
        )


def _rows(day: date, sums: Iterator[dict[str, Any]]) -> Iterator[ApiCallSum]:
    for found in sums:
        bytes_in, bytes_out = found.pop("sum_in"), found.pop("sum_out")
        yield ApiCallSum(day=day, bytes_in=bytes_in, bytes_out=bytes_out, **found)
