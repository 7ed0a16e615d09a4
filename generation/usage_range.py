"""Which time a report of use is about: the last 24 hours, 7 or 30 days, or days that somebody names. All in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import usage
from accounts.usage import Span

USUAL: Final = "30d"
DAYS: Final = {"7d": 7, "30d": 30}
MOST_DAYS: Final = 366
USUAL_DAYS: Final = 30
FIRST_DAY: Final = date(2020, 1, 1)
"""Nothing was counted before; so no day is too near to where time begins."""


class WrongRange(Exception):
    """These days cannot be shown; ``field`` (``from`` or ``to``) is to be changed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def named(name: str) -> Span:
    """The span of one of the usual names; of another, the usual one."""
    return usage.last_day() if name == "24h" else usage.last_days(DAYS.get(name, USUAL_DAYS))


def between(first: date | None, last: date | None) -> Span:
    """Both days and all between; what is missing is today, and 30 days in all. Raises ``WrongRange``."""
    today = timezone.now().astimezone(UTC).date()
    last = min(today, last or today)
    if last < FIRST_DAY:
        raise WrongRange("to", _("Nothing was counted before %(day)s.") % {"day": FIRST_DAY.isoformat()})
    first = first or max(FIRST_DAY, last - timedelta(days=USUAL_DAYS - 1))
    if first > today:
        raise WrongRange("from", _("That day is still to come."))
    if first > last:
        raise WrongRange("from", _("This is after the last day. Choose an earlier one."))
    if (last - first).days >= MOST_DAYS:
        raise WrongRange("from", _("At most %(most)d days at once. Choose a later first day.") % {"most": MOST_DAYS})
    return usage.days(first, last)


def asked(query: Mapping[str, str]) -> Span:
    """The span that a page's address asks for. Raises ``WrongRange``."""
    if query.get("range") != "custom":
        return named(query.get("range", USUAL))
    return between(_day(query, "from"), _day(query, "to"))


def _day(query: Mapping[str, str], field: str) -> date | None:
    text = query.get(field, "").strip()
    if not text:
        return None
    try:
        return iso(text)
    except ValueError as error:
        raise WrongRange(field, str(error)) from None


def iso(text: object) -> date:
    """A date that is written as year-month-day and in no other way. Raises ``ValueError`` with words for people."""
    with suppress(ValueError):
        found = date.fromisoformat(str(text))
        if found.isoformat() == text:
            return found
    raise ValueError(_("Write a date as year-month-day, such as 2027-06-30."))
