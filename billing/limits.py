"""What a person lets themselves spend in a calendar month (UTC), held credits included."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

from accounts.models import User
from billing.models import Preferences, Transaction

Kind = Transaction.Kind


def monthly(user: User) -> int | None:
    """The person's limit in credits; ``None`` for none."""
    return Preferences.objects.filter(user=user).values_list("monthly_limit", flat=True).first()


def month_start(moment: datetime) -> datetime:
    """The first moment of the calendar month (UTC) in which ``moment`` lies."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent_this_month(user: User) -> int:
    """Credits of jobs begun this month that are held or spent; what was given back does not count."""
    mine = Transaction.objects.filter(user=user)
    released = mine.filter(kind=Kind.RELEASE, settles=OuterRef("pk"))
    refunded = mine.filter(kind=Kind.REVERSE, reverses__settles=OuterRef("pk"))
    held = mine.filter(~Exists(released), ~Exists(refunded), kind=Kind.HOLD)
    held = held.filter(created_at__gte=month_start(timezone.now()))
    return int(held.aggregate(total=Sum("credits", default=0))["total"])
