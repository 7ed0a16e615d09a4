"""How much an account's programs called: numbers, bytes, errors and times, by hour, day, week, key or endpoint.

Times are counted in steps (``EDGES``), so that a year's median follows from sums: what is told of a median is the edge
of the step that it lies in, never less than it was. Days are in UTC. What is over for two days is read from the sums
(``accounts/rollup.py``), what is recent from the calls themselves, so a figure is at most a second old.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal

from django.db.models import Case, Count, DateField, F, IntegerField, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDate, TruncHour, TruncWeek
from django.utils import timezone

from accounts.models import ApiCall, ApiCallSum, User

EDGES: Final = (
    5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 4000, 5000, 7500, 10_000,
    15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 86_400_000,
)  # fmt: skip
"""Milliseconds. The last one is longer than any request is let run."""

STATUS_CLASS: Final = F("status") / Value(100, output_field=IntegerField())
WITHIN: Final = Case(
    *(When(ms__lte=edge, then=Value(edge)) for edge in EDGES),
    default=Value(EDGES[-1]),
    output_field=IntegerField(),
)

CLIENT, SERVER = 4, 5
By = Literal["hour", "day", "week", "key", "endpoint"]
BEGINS: Final[dict[str, Any]] = {
    "hour": {"hour": TruncHour("at", tzinfo=UTC)},
    "day": {"day": TruncDate("at", tzinfo=UTC)},
    "week": {"week": TruncWeek("at", tzinfo=UTC, output_field=DateField())},
}
SUM_BEGINS: Final[dict[str, Any]] = {"week": {"week": TruncWeek("day")}}
COLUMN: Final = {"hour": "hour", "day": "day", "week": "week", "key": "access_key", "endpoint": "endpoint"}


@dataclass(frozen=True)
class Span:
    """From the beginning of one hour or day to the beginning of another, in UTC."""

    begin: datetime
    end: datetime
    hourly: bool = False

    @property
    def first(self) -> date:
        """Its first day."""
        return self.begin.date()

    @property
    def last(self) -> date:
        """Its last day."""
        return (self.end - timedelta(microseconds=1)).date()


def days(first: date, last: date) -> Span:
    """These days and all between."""
    return Span(midnight(first), midnight(last + timedelta(days=1)))


def last_days(number: int) -> Span:
    """Today, and as many days before that it is so many."""
    today = timezone.now().astimezone(UTC).date()
    return days(today - timedelta(days=number - 1), today)


def last_day() -> Span:
    """24 hours by the clock, of which the last is not over."""
    hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Span(hour - timedelta(hours=23), hour + timedelta(hours=1), hourly=True)


def midnight(day: date) -> datetime:
    """The beginning of a day."""
    return datetime.combine(day, time(), tzinfo=UTC)


@dataclass
class Calls:
    """What some calls come to."""

    calls: int = 0
    client_errors: int = 0
    server_errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    within: Counter[int] = field(default_factory=Counter)
    """How many took so long, by edges."""

    @property
    def errors(self) -> int:
        """Those that were not answered as asked."""
        return self.client_errors + self.server_errors

    @property
    def error_rate(self) -> float | None:
        """The part of errors; ``None`` of no calls."""
        return self.errors / self.calls if self.calls else None

    @property
    def median_ms(self) -> int | None:
        """So long took half of them at most."""
        return self.percentile(0.5)

    @property
    def p95_ms(self) -> int | None:
        """So long took 95 of 100 at most."""
        return self.percentile(0.95)

    def percentile(self, part: float) -> int | None:
        """The edge of the step in which this part of them is reached; ``None`` of no calls."""
        left = math.ceil(part * self.calls)
        for edge in sorted(self.within):
            left -= self.within[edge]
            if left <= 0:
                return edge
        return None

    def merge(self, other: Calls) -> None:
        """Count these, too."""
        self.calls += other.calls
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.within.update(other.within)

    def add(self, row: dict[str, Any]) -> None:
        """Count a row of the database."""
        self.calls += row["n"]
        self.client_errors += row["n"] if row["status_class"] == CLIENT else 0
        self.server_errors += row["n"] if row["status_class"] == SERVER else 0
        self.bytes_in += row["sum_in"]
        self.bytes_out += row["sum_out"]
        self.within[row["within_ms"]] += row["n"]


def calls(owner: User, span: Span, by: By) -> dict[Any, Calls]:
    """The account's calls in that time, by the beginning of the hour, the day, the week's Monday, the key's number or
    the endpoint.
    """
    found: dict[Any, Calls] = {}
    for row in _rows(owner, span, by):
        found.setdefault(row[COLUMN[by]], Calls()).add(row)
    return found


def _rows(owner: User, span: Span, by: By) -> Iterator[dict[str, Any]]:
    begin = span.begin
    if not span.hourly:
        recent = midnight(timezone.now().astimezone(UTC).date() - timedelta(days=1))
        begin = min(max(begin, recent), span.end)
        old = ApiCallSum.objects.filter(owner=owner, day__gte=span.first, day__lt=begin.date())
        yield from _grouped(old.annotate(**SUM_BEGINS.get(by, {})), by, n=Sum("calls"))
    new = ApiCall.objects.filter(owner=owner, at__gte=begin, at__lt=span.end)
    steps = new.annotate(status_class=STATUS_CLASS, within_ms=WITHIN, **BEGINS.get(by, {}))
    yield from _grouped(steps, by, n=Count("pk"))


def _grouped(rows: QuerySet[Any], by: By, **number: Any) -> QuerySet[Any, dict[str, Any]]:
    kinds = rows.order_by().values(COLUMN[by], "status_class", "within_ms")
    found: QuerySet[Any, dict[str, Any]] = kinds.annotate(**number, sum_in=Sum("bytes_in"), sum_out=Sum("bytes_out"))
    return found
