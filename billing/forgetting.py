"""Rows of billing whose time began before a moment, and forgetting those whose time is up (privacy/retention.py)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from billing.models import Order, StripeEvent
from privacy.retention import longest


def events(before: datetime) -> QuerySet[StripeEvent]:
    """Events of Stripe's that were acted on before."""
    return StripeEvent.objects.filter(applied_at__lt=before)


def unpaid_orders(before: datetime) -> QuerySet[Order]:
    """Orders that came to nothing, begun before; one that may still be paid is not among them."""
    return Order.objects.filter(state__in=[Order.State.FAILED, Order.State.EXPIRED], created_at__lt=before)


def forget() -> int:
    """Drop orders that came to nothing long ago; how many rows."""
    return unpaid_orders(timezone.now() - longest("unpaid_order")).delete()[0]
