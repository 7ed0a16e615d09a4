"""Which plan a person has now."""

from __future__ import annotations

from accounts.models import User
from billing.models import Subscription


def current(user: User) -> Subscription | None:
    """The person's subscription that has not ended; of several, the newest."""
    mine = Subscription.objects.filter(user=user).exclude(status__in=Subscription.ENDED)
    return mine.order_by("-started_at", "-pk").first()
