"""What a person lets themselves spend in a calendar month (UTC), held credits included."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from accounts.models import User
from billing import forward
from billing.models import Preferences


def monthly(user: User) -> int | None:
    """The person's limit in credits; ``None`` for none."""
    return next(iter(Preferences.objects.filter(user=user).values_list("monthly_limit", flat=True)), None)


def month_start(moment: datetime) -> datetime:
    """The first moment of the calendar month (UTC) in which ``moment`` lies."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent_this_month(user: User) -> int:
    """Credits of jobs begun this month that are held or spent; what was given back does not count."""
    return forward.spent_since(user, month_start(timezone.now()))
