"""Live figures for the public: counted from the tables that run the service, each with the query that yields it.

They are counted again at most every ``FRESH_SECONDS``, for everybody at once. A figure that is not as it should be says
so itself (``bad``); the page only colours it. One that nothing was there to count for says that (``empty``) and is no
figure: a dash in large type tells nobody anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

import redis
from django.core.cache import cache
from django.db.models import DurationField, ExpressionWrapper, F, Min, OuterRef, QuerySet, Subquery
from django.utils import formats, timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from generation.models import Job
from privacy import audit, tallies
from privacy.models import Blob, Receipt
from privacy.requests import numbers
from privacy.retention import SWEEP_GRACE

FRESH_SECONDS: Final = 30
DAY: Final = timedelta(days=1)
MONTH: Final = timedelta(days=30)
MOST_TIMED: Final = 20_000
"""So many of the newest destructions are timed, at most."""
STEPS: Final = (1, 2, 3, 5, 10, 20, 30, 60)
"""Upper ends of the histogram's bars in seconds; the last bar is everything above."""
ROLL: Final = 7
FEW: Final = 100
"""Of fewer times than that, 99 % are all but the slowest: how many there were says more."""
KEPT: Final = "trust"
AUDIT_KEY: Final = "last-audit"


@dataclass(frozen=True)
class Figure:
    """One number with its unit, what it means in a line, the SQL behind it, and whether it is as it should be.

    ``empty``: nothing was there to count; ``meaning`` says what.
    """

    value: str
    unit: str
    meaning: str
    query: str
    bad: bool = False
    empty: bool = False


@dataclass(frozen=True)
class Bar:
    """One bar: ``most`` seconds (``None``: more than the last), how many, and its height in percent of the axis."""

    most: int | None
    count: int
    percent: int


@dataclass(frozen=True)
class Audited:
    """The last time that rows, keys and objects were compared, and how many differences there were."""

    at: datetime
    differences: int


@dataclass(frozen=True)
class Trust:
    """Everything that the page shows, as of ``at``."""

    at: datetime
    figures: list[Figure]
    bars: list[Bar]
    top: int
    """What the histogram's axis ends at."""
    timed: int
    roll: list[dict[str, Any]]
    audited: Audited | None
    made: int
    """Files ever made here; 0: there is nothing to tell yet."""

    @property
    def told(self) -> list[Figure]:
        """What there is a number for."""
        return [figure for figure in self.figures if not figure.empty]

    @property
    def first(self) -> list[Figure]:
        """What the first page shows of it."""
        return self.told[:4]

    @property
    def waiting(self) -> list[Figure]:
        """What has nothing to count yet."""
        return [figure for figure in self.figures if figure.empty]


def now() -> Trust:
    """The figures, at most ``FRESH_SECONDS`` old; counted at once while there is no cache."""
    # What they mean is said in words, so that each language has its own.
    kept = f"{KEPT}:{get_language()}"
    try:
        found: Trust | None = cache.get(kept)
        if found is None:
            found = count()
            cache.set(kept, found, FRESH_SECONDS)
    except redis.RedisError:
        return count()
    return found


def count() -> Trust:
    """The figures of this moment."""
    moment = timezone.now()
    took = _durations(moment)
    seconds = sorted(each.total_seconds() for each in took if each is not None and each >= timedelta(0))
    bars, top = _bars(seconds)
    made = tallies.destroyed() + Blob.objects.open().count()
    return Trust(
        at=moment,
        figures=[
            _alive(made),
            _oldest(moment),
            _time_to_destruction(seconds, took),
            _overdue(moment, made),
            _destroyed(moment, DAY, made),
            _destroyed(moment, MONTH, made),
            *_requests(moment),
        ],
        bars=bars,
        top=top,
        timed=len(seconds),
        roll=_roll(),
        audited=last_audit(),
        made=made,
    )


def _alive(made: int) -> Figure:
    alive = Blob.objects.open()
    count = alive.count()
    meaning = ngettext("file alive, sealed, for a job", "files alive, sealed, each for a job", count)
    if not made:
        meaning = _("files alive, sealed: none was ever made here")
    return Figure(str(count), "", meaning, _sql(alive), empty=not made)


def _oldest(moment: datetime) -> Figure:
    alive = Blob.objects.open()
    born = alive.aggregate(born=Min("created_at"))["born"]
    if born is None:
        none = _("oldest file alive: there is none")
        return Figure("", "", none, _sql(alive.order_by("created_at")), empty=True)
    oldest = alive.filter(created_at=born).order_by("expires_at")[0]
    age, unit = _span((moment - born).total_seconds())
    limit, limit_unit = _span((oldest.expires_at - born).total_seconds())
    meaning = _("oldest file alive; its limit is %(limit)s %(unit)s") % {"limit": limit, "unit": limit_unit}
    late = oldest.expires_at < moment - SWEEP_GRACE
    return Figure(age, unit, meaning, _sql(alive.order_by("created_at")), bad=late)


def _durations(moment: datetime) -> QuerySet[Any, timedelta | None]:
    """From an owner's word that the file has arrived to its confirmed destruction, of the last day.

    ``None`` where there was no such word. Those are left out by whoever reads this: to leave them out here, the
    database would look for each word twice.
    """
    heard = Job.objects.filter(pk=OuterRef("group")).values("acknowledged_at")
    gone = Blob.objects.filter(state=Blob.State.DESTROYED, kind="asset", destroyed_at__gte=moment - DAY).annotate(
        took=ExpressionWrapper(F("destroyed_at") - Subquery(heard), output_field=DurationField())
    )
    return gone.order_by("-destroyed_at").values_list("took", flat=True)[:MOST_TIMED]


def _time_to_destruction(seconds: list[float], query: QuerySet[Any, timedelta | None]) -> Figure:
    """``seconds``: in ascending order."""
    if not seconds:
        return Figure("", "", _("delivered to destroyed: none in 24 h"), _sql(query), empty=True)
    count, worst = len(seconds), _tenths(seconds[-1])
    if count == 1:
        meaning = _("delivered to destroyed, from the 1 model of 24 h")
    elif count < FEW:
        meaning = _("delivered to destroyed, median from %(n)d models of 24 h; the slowest %(worst)s s")
    else:
        meaning = _("delivered to destroyed, median of 24 h; 99 %% within %(p99)s s, the slowest %(worst)s s")
    p99 = _tenths(seconds[round(0.99 * count) - 1])
    return Figure(_tenths(median(seconds)), "s", meaning % {"n": count, "p99": p99, "worst": worst}, _sql(query))


def _tenths(time: float) -> str:
    """To a tenth, as the language writes it. Nothing takes no time: what would be rounded to that is below a tenth."""
    return formats.number_format(round(time, 1), 1) if time >= 0.05 else f"<\u202f{formats.number_format(0.1, 1)}"


def _overdue(moment: datetime, made: int) -> Figure:
    late = Blob.objects.due(moment - SWEEP_GRACE)
    count = late.count()
    meaning = ngettext("overdue, of %(n)d file ever made", "overdue, of %(n)d files ever made", made) % {"n": made}
    if not made:
        meaning = _("files overdue: none was ever made here")
    return Figure(str(count), "", meaning, _sql(late), bad=count > 0, empty=not made)


def _destroyed(moment: datetime, period: timedelta, made: int) -> Figure:
    count = tallies.destroyed(moment - period)
    query = " ".join(f"{'-' if part.sign < 0 else '+'} ({_sql(part.query)})" for part in tallies.parts(moment - period))
    hours = int(period.total_seconds() // 3600)
    if period == DAY:
        meaning = _("destroyed in the last %(n)d hours") % {"n": hours}
    else:
        meaning = _("destroyed in the last %(n)d days") % {"n": hours // 24}
    return Figure(str(count), "", meaning, query, empty=not made)


def _requests(moment: datetime) -> list[Figure]:
    """How soon people were answered who asked something about their data, and whether anybody waits too long."""
    found = numbers.response_times(moment)
    late = found.overdue_count
    at_once = ngettext("%(n)d was answered at once", "%(n)d were answered at once", found.at_once_count)
    said = {"longest": _tenths(found.longest_days or 0.0), "at_once": at_once % {"n": found.at_once_count}}
    empty = found.median_days is None
    if found.median_days is None:
        value, unit, meaning = "", "", _("requests about data: none waited for a person in 90 days; %(at_once)s")
    else:
        value, unit = _tenths(found.median_days), "d"
        meaning = _("requests about data: median of 90 days, the longest %(longest)s d; %(at_once)s")
    waiting = ngettext("request about data overdue", "requests about data overdue", late)
    return [
        Figure(value, unit, meaning % said, _sql(found.closed), empty=empty),
        Figure(str(late), "", waiting, _sql(found.overdue), bad=late > 0),
    ]


def _bars(seconds: list[float]) -> tuple[list[Bar], int]:
    """The histogram, and the round number that its axis ends at."""
    counts = [0] * (len(STEPS) + 1)
    for value in seconds:
        counts[next((place for place, most in enumerate(STEPS) if value <= most), len(STEPS))] += 1
    top = _round_up(max(counts))
    ends: list[int | None] = [*STEPS, None]
    return [Bar(most, count, 100 * count // top) for most, count in zip(ends, counts, strict=True)], top


def _round_up(most: int) -> int:
    """The next number that is 2, 4, 6, 8 or 10 times a power of ten: halves of it are whole."""
    size = 1
    while 10 * size < most:
        size *= 10
    return next(step * size for step in (2, 4, 6, 8, 10) if step * size >= most)


def _roll() -> list[dict[str, Any]]:
    """The newest receipts, without anything that says whose they are."""
    from privacy import receipts

    told = ("document", "issued_at")
    logged = Receipt.objects.exclude(log_index=None).order_by("-log_index").values_list(*told)[:ROLL]
    unlogged = Receipt.objects.unlogged().order_by("-issued_at").values_list(*told)[:ROLL]
    newest = sorted([*logged, *unlogged], key=lambda one: one[1], reverse=True)[:ROLL]
    return [{"digest": receipts.digest(document), "at": at} for document, at in newest]


def audit_now() -> Audited:
    """Compare rows, keys and objects, and remember when and with what result."""
    found = Audited(timezone.now(), len(audit.audit()))
    cache.set(AUDIT_KEY, found, int(MONTH.total_seconds()))
    return found


def last_audit() -> Audited | None:
    """When that was done last; ``None`` when nobody remembers."""
    try:
        found: Audited | None = cache.get(AUDIT_KEY)
    except redis.RedisError:
        return None
    return found


def _span(seconds: float) -> tuple[str, str]:
    """A time in its largest sensible unit: ``41 s``, ``12 min``, ``1 h``."""
    if seconds < 120:
        return f"{max(0, round(seconds))}", "s"
    return (f"{round(seconds / 60)}", "min") if seconds < 7200 else (f"{round(seconds / 3600)}", "h")


def _sql(query: QuerySet[Any, Any]) -> str:
    """The statement behind a figure, with its parameters, as the database is asked."""
    return str(query.query)
