"""Until when a request has to be answered, in whole days: no clock, no database, only dates.

GDPR and UK GDPR: one month, and two more with notice (article 12(3)). California: 45 days, 45 more with notice, and
receipt confirmed within 10 business days (CCPA regulations, § 7021). Where no law is named, the first holds: it is the
shorter. The time runs from the day on which the form was sent, and where a law can be read in two ways, the
shorter way is taken.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from privacy.requests.rights import Law

DAYS_IN_CALIFORNIA: Final = 45
CONFIRMED_WITHIN: Final = 10
"""Business days."""
SATURDAY: Final = 5


def due(law: str, received: date) -> date:
    """The last day for an answer."""
    if law == Law.CCPA:
        return received + timedelta(days=DAYS_IN_CALIFORNIA)
    return months_later(received, 1)


def extended(law: str, received: date) -> date:
    """The last day for an answer once the time has been extended."""
    first = due(law, received)
    if law == Law.CCPA:
        return first + timedelta(days=DAYS_IN_CALIFORNIA)
    return months_later(first, 2)


def may_be_extended(due_on: date, *, already: bool, today: date) -> bool:
    """Once, and not when the time is over already."""
    return not already and today <= due_on


def confirm_by(law: str, received: date) -> date | None:
    """The last day to confirm receipt; ``None`` where the law does not ask for it."""
    return business_days_later(received, CONFIRMED_WITHIN) if law == Law.CCPA else None


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where there is none such."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def business_days_later(day: date, count: int) -> date:
    """So many days on that are no Saturday or Sunday. Holidays differ by place; without them the date is earlier."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day
