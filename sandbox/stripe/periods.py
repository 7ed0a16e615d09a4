"""When a subscription's periods end: by the calendar, counted from the first day, cut to the month's length."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

from sandbox.stripe.shapes import Json


def after(anchor: int, cycle: Json, count: int) -> int:
    """The end of the ``count``-th period since ``anchor``; ``cycle`` is a price's ``recurring``. Epoch seconds."""
    start = datetime.fromtimestamp(anchor, UTC)
    steps = cycle["interval_count"] * count
    if cycle["interval"] in ("day", "week"):
        return int((start + timedelta(days=steps * (7 if cycle["interval"] == "week" else 1))).timestamp())
    months = start.month - 1 + steps * (12 if cycle["interval"] == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def share(amount: int, period: tuple[int, int], now: int) -> int:
    """What is left of an amount when a period is cut short now, by the second, rounded half up."""
    start, end = period
    left = max(0, end - now)
    return (2 * amount * left + (end - start)) // (2 * (end - start)) if end > start else 0
