"""Comparing the books with Stripe, and repairing what no event told: each object of a period that the books lack.

Looking is what repairs (``billing/syncing.py``); this module lists what to look at. What was paid and is booked costs
no look, so a busy day's comparison is a few hundred lists of a hundred. Disputes are decided months after they were
opened, and refunds fail weeks later, so those are listed from further back, and whatever our rows hold unfinished is
looked at whatever its age.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import stripe
from django.db.models import Q
from django.utils import timezone

from billing.facts import id_of
from billing.invoices import REASONS
from billing.models import Order, Payment, Subscription
from billing.stripe_client import Refused, asking
from billing.syncing import Busy, sync

logger = logging.getLogger(__name__)

USUAL: Final = timedelta(days=3)
REFUNDS: Final = timedelta(days=60)
DISPUTES: Final = timedelta(days=180)
SESSION_LIFE: Final = timedelta(days=1)
"""After it an unfinished Checkout session is expired; one of whose making we never heard was never used."""


@dataclass
class Report:
    """What was looked at, what had to be repaired (kind and id), and what could not be."""

    looked_at: int = 0
    repaired: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def usual() -> datetime:
    """From when on the nightly run looks."""
    return timezone.now() - USUAL


def reconcile(*, since: datetime | None) -> Report:
    """Look at what is amiss from ``since`` on (``None``: ever). Repeatable; what is in order is left alone.

    Raises ``BillingOff`` and ``Unavailable``; what was done until then stays done.
    """
    report = Report()
    for kind, object_id in dict.fromkeys([*_ours(), *_theirs(since)]):
        report.looked_at += 1
        try:
            if sync(kind, object_id):
                report.repaired.append((kind, object_id))
        except (Refused, Busy):
            report.failed.append((kind, object_id))
    begun_for_nothing = Order.objects.filter(
        state=Order.State.OPEN, session_id=None, created_at__lt=timezone.now() - SESSION_LIFE
    )
    begun_for_nothing.update(state=Order.State.EXPIRED)
    if report.repaired:
        logger.warning("the books lacked what Stripe has", extra={"count": len(report.repaired)})
    return report


def _ours() -> Iterator[tuple[str, str]]:
    """What our rows hold unfinished."""
    unfinished = Order.objects.filter(state__in=[Order.State.OPEN, Order.State.PENDING]).exclude(session_id=None)
    for session in unfinished.values_list("session_id", flat=True):
        yield "session", str(session)
    for subscription in Subscription.objects.exclude(status__in=Subscription.ENDED).values_list("stripe_id", flat=True):
        yield "subscription", subscription
    for intent in Payment.objects.filter(~Q(disputed=0)).values_list("payment_intent", flat=True):
        yield "payment", str(intent)


def _known(session: stripe.checkout.Session) -> bool:
    """Whether the books have it as it is in the list; what was refunded or disputed since is in lists of its own."""
    if session.status == "expired":
        return Order.objects.filter(session_id=session.id, state=Order.State.EXPIRED).exists()
    return Payment.objects.filter(stripe_id=session.id).exists()


def _theirs(since: datetime | None) -> Iterator[tuple[str, str]]:
    """What Stripe has of the period and the books may lack. Each look finds out whether it is ours."""

    def seconds(further: timedelta = timedelta(0)) -> int:
        return int((since - further).timestamp()) if since else 0

    page: Final = 100
    with asking() as api:
        sessions = api.v1.checkout.sessions.list({"created": {"gte": seconds(SESSION_LIFE)}, "limit": page})
        for session in sessions.auto_paging_iter():
            if not _known(session):
                yield "session", session.id
        invoices = api.v1.invoices.list({"created": {"gte": seconds()}, "limit": page})
        for invoice in invoices.auto_paging_iter():
            sells = invoice.status == "paid" and invoice.billing_reason in REASONS
            if sells and not Payment.objects.filter(stripe_id=invoice.id).exists():
                yield "invoice", str(invoice.id)
        subscriptions = api.v1.subscriptions.list({"created": {"gte": seconds()}, "status": "all", "limit": page})
        for subscription in subscriptions.auto_paging_iter():
            yield "subscription", subscription.id
        refunds = api.v1.refunds.list({"created": {"gte": seconds(REFUNDS)}, "limit": page})
        for refund in refunds.auto_paging_iter():
            if refund.payment_intent:
                yield "payment", id_of(refund.payment_intent)
        disputes = api.v1.disputes.list({"created": {"gte": seconds(DISPUTES)}, "limit": page})
        for dispute in disputes.auto_paging_iter():
            if dispute.payment_intent:
                yield "payment", id_of(dispute.payment_intent)
