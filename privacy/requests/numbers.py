"""How requests were dealt with, as numbers: of a month for operators, of the last 90 days for everybody.

Counted from the rows' bare facts, so what was written need not be there any more. What a person did on a page by
themselves is counted, and kept apart from what waited for somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from privacy.requests import clock
from privacy.requests.models import SubjectRequest
from privacy.requests.rights import Law, Right

State = SubjectRequest.State
LOOKED_BACK: Final = timedelta(days=90)


@dataclass(frozen=True)
class Line:
    """One right under one law in one month; ``days`` only of what somebody had to answer."""

    right: str
    law: str
    received: int
    answered: int
    at_once: int
    refused: int
    withdrawn: int
    extended: int
    open: int
    """At the month's end, or now."""
    median_days: float | None
    longest_days: float | None


@dataclass(frozen=True)
class ResponseTimes:
    """How requests were answered lately; ``closed`` and ``overdue`` are the queries that yield it. Days are of those
    that waited for somebody."""

    closed: QuerySet[Any]
    at_once_count: int
    median_days: float | None
    longest_days: float | None
    overdue: QuerySet[Any]
    overdue_count: int


def parse_month(text: str) -> date:
    """The first day of a month such as ``2026-11``. Raises ``ValueError``."""
    day = date.fromisoformat(f"{text}-01")
    if not 2000 <= day.year < 3000:
        raise ValueError(text)
    return day


def month_of(day: date) -> tuple[datetime, datetime]:
    """The first moment of the calendar month (where the site is), and of the next one."""
    first = day.replace(day=1)
    here = timezone.get_current_timezone()
    start, end = (datetime(at.year, at.month, 1, tzinfo=here) for at in (first, clock.months_later(first, 1)))
    return start, end


def monthly(day: date) -> list[Line]:
    """The month in which the day lies: a line for each right and law of which there was anything."""
    start, end = month_of(day)
    confirmed = SubjectRequest.objects.filter(confirmed_at__isnull=False)
    found = [_line(confirmed.filter(right=right, law=law), right, law, start, end) for right in Right for law in Law]
    return [line for line in found if line.received or line.answered or line.refused or line.withdrawn or line.open]


def _line(rows: QuerySet[SubjectRequest], right: str, law: str, start: datetime, end: datetime) -> Line:
    ended = list(rows.filter(closed_at__gte=start, closed_at__lt=end).defer("text", "address"))
    answered = [one for one in ended if not one.at_once and one.state != State.WITHDRAWN]
    waited = days((one.received_at, one.closed_at) for one in answered)
    return Line(
        right=right,
        law=law,
        received=rows.filter(received_at__gte=start, received_at__lt=end).count(),
        answered=sum(one.state == State.ANSWERED for one in ended),
        at_once=sum(one.at_once for one in ended),
        refused=sum(one.state == State.REFUSED for one in ended),
        withdrawn=sum(one.state == State.WITHDRAWN for one in ended),
        extended=rows.filter(extended_at__gte=start, extended_at__lt=end).count(),
        open=rows.filter(Q(closed_at=None) | Q(closed_at__gte=end), received_at__lt=end).count(),
        median_days=median(waited) if waited else None,
        longest_days=waited[-1] if waited else None,
    )


def days(spans: Iterable[tuple[datetime, datetime | None]]) -> list[float]:
    """How long each took from its coming to its end, in days to a tenth, the longest last."""
    return sorted(round((end - start).total_seconds() / 86400, 1) for start, end in spans if end)


def response_times(now: datetime) -> ResponseTimes:
    """The last 90 days, and what is overdue now. Those that were withdrawn got no answer and are not in the times."""
    closed = SubjectRequest.objects.filter(closed_at__gte=now - LOOKED_BACK).exclude(state=State.WITHDRAWN)
    overdue = SubjectRequest.objects.overdue(timezone.localdate(now))
    took = days(closed.filter(at_once=False).values_list("received_at", "closed_at"))
    return ResponseTimes(
        closed=closed.values("received_at", "closed_at", "at_once"),
        at_once_count=closed.filter(at_once=True).count(),
        median_days=median(took) if took else None,
        longest_days=took[-1] if took else None,
        overdue=overdue.values("due_on"),
        overdue_count=overdue.count(),
    )
