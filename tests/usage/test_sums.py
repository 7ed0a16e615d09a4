"""What was called and what it cost, in any time: from the calls while they are there, from sums after; days in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts import keys, recording, rollup
from accounts import usage as calls_of
from accounts.models import ApiCall, ApiCallSum, User
from accounts.tasks import forget, roll_up
from accounts.usage import EDGES, Calls, midnight
from generation import usage, usage_chart, usage_range
from generation.usage_range import WrongRange
from tests.usage.conftest import KEY

pytestmark = pytest.mark.django_db

TODAY = timezone.now().astimezone(UTC).date()


def ago(days: int, **more: int) -> datetime:
    """A moment of that day, counted from its midnight."""
    return midnight(TODAY - timedelta(days=days)) + timedelta(**more)


def figures(found: dict[Any, Calls]) -> dict[Any, tuple[int, ...]]:
    return {
        name: (one.calls, one.client_errors, one.server_errors, one.bytes_in, one.bytes_out)
        for name, one in found.items()
    }


def test_a_year_is_shown_although_calls_are_forgotten(called: Callable[..., Any], owner: User, stranger: User) -> None:
    """The figures are the same before and after, and however often the round runs; nobody else's are among them."""
    for days in (0, 1, 2, 3, 17, 29):
        called(owner, ago(days, minutes=1), 3, ms=40)
        called(owner, ago(days, minutes=2), 1, ms=900, status=404, endpoint="GET /jobs/{job_id}")
        called(owner, ago(days, minutes=3), 1, ms=5, status=503, access_key=UUID(int=8))
        called(stranger, ago(days), 50)
    span = calls_of.last_days(366)
    assert set(figures(calls_of.calls(owner, span, "day"))) == {TODAY, TODAY - timedelta(days=1)}  # the rest: no sums
    roll_up()
    kinds: list[calls_of.By] = ["day", "key", "endpoint"]
    before = {by: figures(calls_of.calls(owner, span, by)) for by in kinds}
    assert before["day"] == {TODAY - timedelta(days=days): (5, 1, 1, 50, 500) for days in (0, 1, 2, 3, 17, 29)}
    assert before["key"] == {KEY: (24, 6, 0, 240, 2400), UUID(int=8): (6, 0, 6, 60, 600)}
    assert before["endpoint"] == {"GET /jobs": (24, 0, 6, 240, 2400), "GET /jobs/{job_id}": (6, 6, 0, 60, 600)}

    sums = ApiCallSum.objects.count()
    roll_up()
    assert ApiCallSum.objects.count() == sums
    ApiCall.objects.filter(at__lt=ago(1)).update(at=ago(40))
    forget()
    assert ApiCall.objects.filter(owner=owner).count() == 10
    assert {by: figures(calls_of.calls(owner, span, by)) for by in kinds} == before


def test_a_line_that_comes_late_is_counted_and_a_pause_is_made_up_for(called: Callable[..., Any], owner: User) -> None:
    called(owner, ago(2), 1)
    roll_up()
    called(owner, ago(2), 4)
    roll_up()
    assert ApiCallSum.objects.get().calls == 5
    called(owner, ago(20), 2)  # its day was never counted
    roll_up()
    assert ApiCallSum.objects.get(day=TODAY - timedelta(days=20)).calls == 2


def test_a_day_that_has_sums_is_not_counted_again(called: Callable[..., Any], owner: User) -> None:
    counted = [TODAY - timedelta(days=days) for days in (4, 5, 17)]
    for day in counted:
        called(owner, midnight(day), 3)
        called(owner, midnight(day), 1, endpoint="GET /jobs/{job_id}")  # several sums of a day
    before = set(rollup.due(TODAY))
    roll_up()
    assert before - set(rollup.due(TODAY)) == set(counted)
    called(owner, midnight(counted[0]), 5)
    roll_up()
    assert ApiCallSum.objects.filter(day=counted[0]).count() == 2
    assert sum(ApiCallSum.objects.filter(day=counted[0]).values_list("calls", flat=True)) == 4


def test_only_days_that_are_over_and_whole() -> None:
    due = rollup.due(TODAY)
    assert (due[0], due[-1], len(due)) == (TODAY - timedelta(days=29), TODAY - timedelta(days=1), 29)


def test_days_are_those_of_utc(
    called: Callable[..., Any], sent: Callable[..., Any], owner: User, settings: Any
) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    for days in (1, 5):
        called(owner, ago(days, seconds=-1))
        called(owner, ago(days), 2)
        sent(owner, ago(days, seconds=-1))
        sent(owner, ago(days))
    roll_up()
    found = usage.report(owner, calls_of.last_days(7), "day")
    assert [(row.calls.calls, row.jobs.jobs) for row in found.rows] == [  # type: ignore[union-attr]  # days have both
        (1, 1), (2, 1), (0, 0), (0, 0), (1, 1), (2, 1), (0, 0),
    ]  # fmt: skip
    assert [row.name for row in found.rows] == [(TODAY - timedelta(days=back)).isoformat() for back in range(6, -1, -1)]


def test_the_last_24_hours(called: Callable[..., Any], sent: Callable[..., Any], owner: User) -> None:
    span = calls_of.last_day()
    assert span.end - span.begin == timedelta(hours=24)
    assert timedelta(0) < span.end - timezone.now() <= timedelta(hours=1)
    called(owner, span.begin, 2)
    called(owner, span.begin - timedelta(seconds=1), 9)
    called(owner, span.end - timedelta(seconds=1), 1)
    sent(owner, span.begin + timedelta(hours=1))
    found = usage.report(owner, span, "hour")
    assert [row.calls.calls for row in found.rows if row.calls] == [2, *[0] * 22, 1]
    assert [row.jobs.jobs for row in found.rows if row.jobs] == [0, 1, *[0] * 22]
    assert found.rows[0].name == span.begin.strftime("%Y-%m-%dT%H:%MZ")


def test_a_median_is_told_by_the_step_it_lies_in(called: Callable[..., Any], owner: User) -> None:
    assert (Calls().median_ms, Calls().p95_ms, Calls().error_rate) == (None, None, None)
    for ms in range(1, 101):
        called(owner, ago(3), ms=ms)
    called(owner, ago(4), ms=recording.LONGEST_MS)
    roll_up()
    by_day = calls_of.calls(owner, calls_of.last_days(7), "day")
    hundred = by_day[TODAY - timedelta(days=3)]
    assert (hundred.median_ms, hundred.p95_ms) == (50, 100)
    assert by_day[TODAY - timedelta(days=4)].median_ms == EDGES[-1]
    ApiCall.objects.update(at=ago(0))  # the same from the calls themselves
    assert calls_of.calls(owner, calls_of.last_days(1), "day")[TODAY].percentile(0.5) == 75


def test_jobs_by_key_and_provider(
    called: Callable[..., Any], sent: Callable[..., Any], owner: User, stranger: User
) -> None:
    key, _secret = keys.make(owner=owner, name="=shop", scopes=["read"])
    gone, _secret = keys.make(owner=owner, name="old", scopes=["read"])
    called(owner, ago(0), 2, access_key=key.pk)
    called(owner, ago(0), 5, access_key=gone.pk)
    keys.delete(gone)
    sent(owner, ago(0), access_key=key, provider="embedded", outcome="done", credits=2, charged=True, asset_bytes=900)
    sent(owner, ago(0), access_key=key, provider="embedded", outcome="failed", credits=2)
    sent(owner, ago(0), provider="left-us", outcome="done", credits=3, charged=True, asset_bytes=100)
    sent(owner, ago(0))
    sent(stranger, ago(0), credits=99, charged=True)
    span = calls_of.last_days(1)
    by_key = usage.report(owner, span, "key")
    rows = [(row.label, row.calls, row.jobs) for row in by_key.rows]
    assert [(label, calls.calls, jobs.jobs, jobs.credits) for label, calls, jobs in rows if calls and jobs] == [
        ("old (deleted)", 5, 0, 0),
        ("=shop", 2, 2, 2),
        ("On the pages, or by a key that is deleted", 0, 2, 3),
    ]  # fmt: skip
    by_provider = usage.report(owner, span, "provider")
    assert [(row.name, row.jobs.jobs, row.jobs.done, row.jobs.failed, row.jobs.credits, row.jobs.model_bytes, row.calls)
            for row in by_provider.rows if row.jobs] == [
        ("embedded", 2, 1, 1, 2, 900, None), ("", 1, 0, 0, 0, 0, None), ("left-us", 1, 1, 0, 3, 100, None),
    ]  # fmt: skip
    for one in (by_key, by_provider):
        assert one.total.calls is not None
        assert one.total.jobs is not None
        assert (one.total.calls.calls, one.total.jobs.jobs, one.total.jobs.credits) == (7, 4, 5)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2019, 1, 1), date(2019, 12, 31), "to"),
        (TODAY + timedelta(days=1), None, "from"),
        (TODAY, TODAY - timedelta(days=1), "from"),
        (TODAY - timedelta(days=366), TODAY, "from"),
        (date.min, date.max, "from"),
        (date.min, None, "from"),
        (None, date.min, "to"),
    ],
)
def test_days_that_cannot_be_shown(first: date | None, last: date | None, field: str) -> None:
    with pytest.raises(WrongRange) as error:
        usage_range.between(first, last)
    assert error.value.field == field


def test_days_that_can() -> None:
    thirty = TODAY - timedelta(days=29)
    for first, last, found in (
        (None, None, (thirty, TODAY)),
        (None, TODAY + timedelta(days=9), (thirty, TODAY)),
        (TODAY - timedelta(days=365), None, (TODAY - timedelta(days=365), TODAY)),
        (None, date(2020, 1, 1), (date(2020, 1, 1), date(2020, 1, 1))),
    ):
        span = usage_range.between(first, last)
        assert (span.first, span.last) == found
    for wrong in ("", "2026-1-1", "20260101", "2026-13-01", "0", 5, "2026-01-01T00:00:00", " 2026-01-01"):
        with pytest.raises(ValueError, match="year-month-day"):
            usage_range.iso(wrong)


def test_bars_stay_inside_and_their_sum_is_told() -> None:
    for values in ([], [("a", 0, 0)], [("a", 10**7, 3)], [(str(n), n, n // 2) for n in range(92)]):
        chart = usage_chart.chart(values)
        for bar in chart.bars:
            assert bar.x >= usage_chart.LEFT
            assert bar.x + bar.width <= usage_chart.RIGHT + 2
            assert usage_chart.TOP <= bar.hollow_y <= bar.y <= usage_chart.BOTTOM
            assert bar.y + bar.height == usage_chart.BOTTOM
            assert bar.hollow_y + bar.hollow_height == bar.y
    assert (chart.top, chart.most, chart.most_at, chart.total) == ("100", 91, "91", sum(range(92)))
    assert sum(bool(bar.name) for bar in chart.bars) == usage_chart.LABELS
    assert [usage_chart.round_up(n) for n in (0, 1, 3, 9, 20, 21, 4000)] == [1, 1, 5, 10, 20, 50, 5000]
    assert [usage_chart.short(n) for n in (500, 20_000, 5_000_000)] == ["500", "20 k", "5 M"]


def test_nobody_waits_for_sums_that_do_not_fit_a_batch(called: Callable[..., Any], owner: User) -> None:
    for _ in range(rollup.AT_ONCE + 3):
        called(owner, ago(1), access_key=uuid4())
    rollup.count(TODAY - timedelta(days=1))
    assert ApiCallSum.objects.count() == rollup.AT_ONCE + 3
