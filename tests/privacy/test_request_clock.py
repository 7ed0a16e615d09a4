"""Until when a request must be answered: months that end early, leap years, weekends; and more time only once."""

from __future__ import annotations

from datetime import date

import pytest

from privacy.requests import clock


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("law", "received", "due", "extended"),
    [
        ("gdpr", "2026-11-26", "2026-12-26", "2027-02-26"),
        ("gdpr", "2026-12-31", "2027-01-31", "2027-03-31"),
        ("gdpr", "2027-01-31", "2027-02-28", "2027-04-28"),  # no 31 February; and the shorter reading of two more
        ("gdpr", "2028-01-31", "2028-02-29", "2028-04-29"),
        ("gdpr", "2028-02-29", "2028-03-29", "2028-05-29"),
        ("gdpr", "2026-10-31", "2026-11-30", "2027-01-30"),
        ("gdpr", "2026-11-30", "2026-12-30", "2027-02-28"),
        ("other", "2026-08-31", "2026-09-30", "2026-11-30"),
        ("ccpa", "2026-11-26", "2027-01-10", "2027-02-24"),
        ("ccpa", "2027-12-31", "2028-02-14", "2028-03-30"),  # through a 29 February
        ("ccpa", "2027-01-01", "2027-02-15", "2027-04-01"),
    ],
)
def test_the_last_day(law: str, received: str, due: str, extended: str) -> None:
    assert clock.due(law, day(received)) == day(due)
    assert clock.extended(law, day(received)) == day(extended)


def test_two_extensions_never_exceed_what_the_law_gives() -> None:
    """For every day of four years: never later than three months, or 90 days; never earlier than a month or 45 days."""
    for number in range(day("2026-01-01").toordinal(), day("2030-01-01").toordinal()):
        received = date.fromordinal(number)
        for law, first, last in (("gdpr", 1, 3), ("other", 1, 3)):
            assert clock.due(law, received) == clock.months_later(received, first)
            assert clock.due(law, received) < clock.extended(law, received) <= clock.months_later(received, last)
        assert (clock.due("ccpa", received) - received).days == 45
        assert (clock.extended("ccpa", received) - received).days == 90


@pytest.mark.parametrize(
    ("received", "by"),
    [
        ("2026-11-26", "2026-12-10"),  # a Thursday
        ("2026-11-27", "2026-12-11"),  # a Friday
        ("2026-11-28", "2026-12-11"),  # a Saturday counts from Monday
        ("2026-11-29", "2026-12-11"),
        ("2026-11-30", "2026-12-14"),
    ],
)
def test_ten_business_days(received: str, by: str) -> None:
    assert clock.confirm_by("ccpa", day(received)) == day(by)
    assert clock.confirm_by("gdpr", day(received)) is None


@pytest.mark.parametrize(
    ("today", "already", "may"),
    [
        ("2026-12-25", False, True),
        ("2026-12-26", False, True),
        ("2026-12-27", False, False),
        ("2026-12-01", True, False),
    ],
)
def test_more_time_once_and_not_afterwards(today: str, already: bool, may: bool) -> None:
    assert clock.may_be_extended(day("2026-12-26"), already=already, today=day(today)) is may


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-11-26", -1, "2026-10-26"), ("2026-01-15", -1, "2025-12-15"), ("2026-03-31", -1, "2026-02-28"),
     ("2026-01-31", 13, "2027-02-28")],
)  # fmt: skip
def test_months(start: str, months: int, end: str) -> None:
    assert clock.months_later(day(start), months) == day(end)
