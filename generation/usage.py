"""How much an account used: what its programs called, and what its jobs cost, by hour, day, week, key, endpoint or
provider.

Calls come from ``accounts/usage.py``. Jobs that are over are counted from their sums (``sums.py``), those that run
from the jobs themselves. A job counts at the time it was sent, with what it has cost by now; those sent from the pages
count, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Count, DateField, Q, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncHour, TruncWeek
from django.utils.translation import gettext as _

from accounts import call_log
from accounts import usage as calls_of
from accounts.models import User
from accounts.usage import Calls, Span
from generation import registry
from generation.models import NO_KEY, Job, JobSum
from generation.wording import said

By = Literal["hour", "day", "week", "key", "endpoint", "provider"]
BEGINS: Final[dict[str, Any]] = {
    "hour": TruncHour("created_at", tzinfo=UTC),
    "day": TruncDate("created_at", tzinfo=UTC),
    "week": TruncWeek("created_at", tzinfo=UTC, output_field=DateField()),
}
COLUMN: Final = {"key": "access_key", "provider": "provider"}


@dataclass
class Jobs:
    """What some jobs come to."""

    jobs: int = 0
    done: int = 0
    failed: int = 0
    credits: int = 0
    """What they have cost; what was given back is not in it."""
    model_bytes: int = 0

    def add(self, other: Jobs) -> None:
        """Count these, too."""
        self.jobs += other.jobs
        self.done += other.done
        self.failed += other.failed
        self.credits += other.credits
        self.model_bytes += other.model_bytes


@dataclass
class Row:
    """One day, key, endpoint or provider. ``name`` is for programs, ``label`` for people.

    Calls have no provider, and jobs no endpoint: that part is ``None`` then.
    """

    name: str
    label: str
    calls: Calls | None
    jobs: Jobs | None

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.calls and self.calls.calls) and not (self.jobs and self.jobs.jobs)


@dataclass
class Report:
    """What was used in a time, one row for each of what it is told by, and all of it together."""

    span: Span
    by: By
    rows: list[Row]
    total: Row


def report(owner: User, span: Span, by: By) -> Report:
    """The account's use. An hour, a day or a calendar week without any has a row, too."""
    calls = calls_of.calls(owner, span, "endpoint" if by == "provider" else by)
    jobs = _jobs(owner, span, "provider" if by == "endpoint" else by)
    total = Row("", "", Calls(), Jobs())
    for some_calls in calls.values():
        total.calls.merge(some_calls)  # type: ignore[union-attr]  # made just now
    for some_jobs in jobs.values():
        total.jobs.add(some_jobs)  # type: ignore[union-attr]  # made just now
    if by == "endpoint":
        rows = [Row(name, name, one, None) for name, one in calls.items()]
    elif by == "provider":
        rows = [Row(name, _provider(name), None, one) for name, one in jobs.items()]
    elif by == "key":
        rows = _by_key(owner, calls, jobs)
    else:
        rows = [
            Row(*_called(begin, span, by), calls.get(begin, Calls()), jobs.get(begin, Jobs()))
            for begin in _begins(span, by)
        ]
        return Report(span, by, rows, total)
    rows.sort(key=lambda row: (-(row.calls.calls if row.calls else 0), -(row.jobs.jobs if row.jobs else 0), row.label))
    return Report(span, by, rows, total)


def _jobs(owner: User, span: Span, by: By) -> dict[Any, Jobs]:
    """What is over is read from the sums, unless it is told by the hour; what runs, from the jobs."""
    rows = Job.objects.filter(owner=owner, created_at__gte=span.begin, created_at__lt=span.end).order_by()
    found: dict[Any, Jobs] = {}
    if by == "hour":
        for at, some in _counted(rows, by):
            found.setdefault(at, Jobs()).add(some)
        return found
    over = JobSum.objects.filter(owner=owner, day__gte=span.first, day__lte=span.last).order_by()
    column = COLUMN.get(by, by)
    if by == "week":
        over = over.annotate(week=TruncWeek("day"))
    for row in over.values(column).annotate(
        n=Sum("jobs"), n_done=Sum("done"), n_failed=Sum("failed"), spent=Sum("credits"), made=Sum("model_bytes")
    ):
        name = None if row[column] == NO_KEY else row[column]
        found[name] = Jobs(row["n"], row["n_done"], row["n_failed"], int(row["spent"]), int(row["made"]))
    for name, some in _counted(rows.exclude(stage=Job.Stage.OVER), by):
        found.setdefault(name, Jobs()).add(some)
    return found


def _counted(jobs: QuerySet[Job], by: By) -> Iterator[tuple[Any, Jobs]]:
    column = COLUMN.get(by, by)
    if by in BEGINS:
        jobs = jobs.annotate(**{column: BEGINS[by]})
    for row in jobs.values(column).annotate(
        n=Count("pk"),
        n_done=Count("pk", filter=Q(outcome=Job.Outcome.DONE)),
        n_failed=Count("pk", filter=Q(outcome=Job.Outcome.FAILED)),
        spent=Sum("credits", filter=Q(charged=True), default=0),
        made=Sum("asset_bytes", default=0),
    ):
        yield row[column], Jobs(row["n"], row["n_done"], row["n_failed"], row["spent"], int(row["made"]))


def _by_key(owner: User, calls: Mapping[UUID, Calls], jobs: Mapping[UUID | None, Jobs]) -> list[Row]:
    kept = set(owner.access_keys.values_list("pk", flat=True))
    others = Jobs()
    for one in [one for one in jobs if one not in kept]:
        others.add(jobs[one])
    numbers = {*calls, *(one for one in jobs if one in kept)}
    names = call_log.key_names(owner, numbers)
    of_kept = {one: some for one, some in jobs.items() if one in kept}
    rows = [Row(str(one), names[one], calls.get(one, Calls()), of_kept.get(one, Jobs())) for one in numbers]
    if others.jobs:
        rows.append(Row("", _("On the pages, or by a key that is deleted"), Calls(), others))
    return rows


def _provider(name: str) -> str:
    with suppress(registry.NotListed):
        return said(registry.card(name).label)
    return name or _("None had it")


def _begins(span: Span, by: By) -> Iterable[Any]:
    if by == "week":
        monday = span.first - timedelta(days=span.first.weekday())
        yield from (monday + timedelta(days=days) for days in range(0, (span.last - monday).days + 1, 7))
        return
    step = timedelta(hours=1) if by == "hour" else timedelta(days=1)
    moment = span.begin
    while moment < span.end:
        yield moment if by == "hour" else moment.date()
        moment += step


def _called(begin: Any, span: Span, by: By) -> tuple[str, str]:
    """Name and label of an hour, a day or a week; of a week, those days that lie in the span."""
    if by != "week":
        return _iso(begin), _iso(begin)
    first, last = max(begin, span.first), min(begin + timedelta(days=6), span.last)
    return _iso(first), _iso(first) if first == last else f"{_iso(first)} – {_iso(last)}"


def _iso(begin: Any) -> str:
    if isinstance(begin, datetime):
        return begin.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")
    return str(begin.isoformat())
