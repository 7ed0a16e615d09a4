"""Rows of billing whose time began before a moment, and forgetting those whose time is up (privacy/retention.py).

The books of an erased account end all at once, and with them the empty row that they hung on. The database lets them go
only then (migration 0005): it asks again that they are old, and that the account was erased.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from billing.models import (
    Adjustment,
    BroughtForward,
    ClosedBooks,
    Entry,
    LedgerAccount,
    Order,
    Payment,
    Proven,
    StripeEvent,
    Subscription,
    Transaction,
)
from privacy.retention import longest


def events(before: datetime) -> QuerySet[StripeEvent]:
    """Events of Stripe's that were acted on before."""
    return StripeEvent.objects.filter(applied_at__lt=before)


def unpaid_orders(before: datetime) -> QuerySet[Order]:
    """Orders that came to nothing, begun before; one that may still be paid is not among them."""
    return Order.objects.filter(state__in=[Order.State.FAILED, Order.State.EXPIRED], created_at__lt=before)


def books(before: datetime) -> QuerySet[ClosedBooks]:
    """Books of erased accounts whose last year ended before: nothing moved, was paid or ran since it began.

    Those of an operator wait for the books of others that they signed for.
    """
    year = before.astimezone(UTC).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    mine = {"user": OuterRef("user")}
    later = [
        Transaction.objects.filter(**mine, created_at__gte=year),
        Payment.objects.filter(**mine, paid_at__gte=year),
        Order.objects.filter(**mine, created_at__gte=year),
        Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gte=year), **mine),
        Adjustment.objects.filter(actor=OuterRef("user")).exclude(transaction__user=F("actor")),
    ]
    return ClosedBooks.objects.filter(*(~Exists(rows) for rows in later), closed_at__lt=year)


def forget() -> int:
    """Drop orders that came to nothing long ago, and books whose period has ended; how many."""
    now = timezone.now()
    dropped = unpaid_orders(now - longest("unpaid_order")).delete()[0]
    ended = books(now - longest("books")).filter(user__is_active=False)
    for closed in ended.select_related("user"):
        _end(closed.user)
        dropped += 1
    return dropped


def _end(user: User) -> None:
    """Everything that is left of an erased account, in one transaction: the rest of the ledger is sound without it."""
    with transaction.atomic():
        for rows in (
            Adjustment.objects.filter(transaction__user=user),
            Payment.objects.filter(user=user),
            Entry.objects.filter(transaction__user=user),
            BroughtForward.objects.filter(user=user),
            Proven.objects.filter(user=user),
            Transaction.objects.filter(user=user),
            LedgerAccount.objects.filter(user=user),
            Order.objects.filter(user=user),
            Subscription.objects.filter(user=user),
            ClosedBooks.objects.filter(user=user),
        ):
            # One statement each: transactions point at one another, which Django would refuse and the database allows.
            rows._raw_delete(DEFAULT_DB_ALIAS)
        user.delete()
