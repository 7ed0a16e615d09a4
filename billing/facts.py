"""What Stripe says now about a session, an invoice, a subscription or a payment, and whose it is.

Each look asks for the present state, with the refunds and disputes of what was paid, and writes nothing;
``billing/syncing.py`` brings the books to what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import stripe

from accounts.models import User
from billing.invoices import Sold, sold
from billing.models import Customer, Order, Payment
from billing.prices import plan_of
from billing.stripe_client import asking, marks

State = Order.State

WITHDRAWN: Final = ("needs_response", "under_review", "lost")
"""States of a dispute in which the money is away; an inquiry (``warning_…``) withdraws nothing."""
VOID_REFUND: Final = ("failed", "canceled")


@dataclass(frozen=True)
class Sale:
    """What was paid for, as Stripe says now; sums in minor units."""

    stripe_id: str
    payment_intent: str | None
    credits: int
    amount: int
    currency: str
    paid_at: datetime
    reason: str
    refunded: int = 0
    disputed: int = 0


@dataclass(frozen=True)
class Facts:
    """What a look at Stripe found about one person."""

    user: User
    customer: str = ""
    order: Order | None = None
    session: str = ""
    state: str = ""
    sale: Sale | None = None
    subscription: dict[str, Any] | None = None


Look = Callable[[str], Facts | None]


def _session(session_id: str) -> Facts | None:
    """A Checkout session: the state of its order, and what it sold. One of a plan brings invoice and subscription."""
    with asking() as api:
        found = api.v1.checkout.sessions.retrieve(
            session_id, {"expand": ["payment_intent", "subscription.items.data.price"]}
        )
        order = _order(found.client_reference_id)
        if order is None:
            return None
        customer, state = id_of(found.customer), _state(found)
        facts = Facts(user=order.user, customer=customer, order=order, session=found.id, state=state)
        if state != State.PAID:
            return facts
        if order.monthly:
            subscription, invoice = found.subscription, id_of(found.invoice)
            seen = _subscribed(subscription) if isinstance(subscription, stripe.Subscription) else None
            return replace(facts, subscription=seen, sale=_invoiced(invoice) if invoice else None)
        sale = Sale(
            stripe_id=found.id,
            payment_intent=id_of(found.payment_intent) or None,
            credits=order.credits,
            amount=found.amount_total or 0,
            currency=found.currency or order.currency,
            paid_at=moment(found.created),
            reason="pack",
        )
        return replace(facts, sale=_less_withdrawn(sale))


def _state(session: stripe.checkout.Session) -> str:
    if session.status == "expired":
        return State.EXPIRED
    if session.status != "complete":
        return State.OPEN
    if session.payment_status in ("paid", "no_payment_required"):
        return State.PAID
    intent = session.payment_intent
    # A slow payment that did not come leaves the session complete and unpaid for ever; its intent asks for another.
    waiting = not isinstance(intent, stripe.PaymentIntent) or intent.status in ("processing", "requires_action")
    return State.PENDING if waiting else State.FAILED


def _invoice(invoice_id: str) -> Facts | None:
    """A subscription's invoice: what it sold, once it is paid."""
    with asking() as api:
        found = api.v1.invoices.retrieve(invoice_id, {"expand": ["payments"]})
        sale = _sale(found)
        user = _whose(id_of(found.customer), sold_by(found))
        return Facts(user=user, customer=id_of(found.customer), sale=sale) if user else None


def _invoiced(invoice_id: str) -> Sale | None:
    with asking() as api:
        return _sale(api.v1.invoices.retrieve(invoice_id, {"expand": ["payments"]}))


def _sale(invoice: stripe.Invoice) -> Sale | None:
    what: Sold | None = sold(invoice)
    if what is None:
        return None
    return _less_withdrawn(
        Sale(
            stripe_id=what.invoice,
            payment_intent=what.payment_intent,
            credits=what.credits,
            amount=what.amount,
            currency=what.currency,
            paid_at=moment(what.paid_at),
            reason="plan",
        )
    )


def sold_by(invoice: stripe.Invoice) -> str:
    """The order that the invoice's subscription was made by; empty for none."""
    details = invoice.parent.subscription_details if invoice.parent else None
    return marks(details.metadata).get("order", "") if details else ""


def _subscription(subscription_id: str) -> Facts | None:
    """A subscription's plan, state and dates."""
    with asking() as api:
        found = api.v1.subscriptions.retrieve(subscription_id, {"expand": ["items.data.price"]})
        user, seen = _whose(id_of(found.customer), marks(found.metadata).get("order", "")), _subscribed(found)
        return Facts(user=user, customer=id_of(found.customer), subscription=seen) if user and seen else None


def _subscribed(found: stripe.Subscription) -> dict[str, Any] | None:
    """The columns of ``Subscription``; ``None`` when it is for nothing of ours."""
    items = found["items"].data  # the attribute is the dictionary's method
    plan = plan_of(items[0].price) if items else None
    if plan is None:
        return None
    ends = max((item.current_period_end for item in items), default=None)
    cancelled = found.ended_at or found.cancel_at or (ends if found.cancel_at_period_end else None)
    return {
        "stripe_id": found.id,
        "plan": plan.code,
        "credits": plan.credits,
        "amount": plan.amount,
        "currency": plan.currency,
        "status": found.status,
        "period_ends_at": moment(ends) if ends else None,
        "ends_at": moment(cancelled) if cancelled else None,
        "started_at": moment(found.start_date),
    }


def _payment(intent: str) -> Facts | None:
    """A payment that was refunded or disputed: look at the session or invoice that it paid."""
    known = Payment.objects.filter(payment_intent=intent).values_list("stripe_id", flat=True).first()
    if known:
        return _invoice(known) if known.startswith("in_") else _session(known)
    with asking() as api:
        for session in api.v1.checkout.sessions.list({"payment_intent": intent, "limit": 1}).data:
            return _session(session.id)
        paid = api.v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent}}).data
        return _invoice(id_of(paid[0].invoice)) if paid else None


LOOKS: Final[dict[str, Look]] = {
    "session": _session,
    "invoice": _invoice,
    "subscription": _subscription,
    "payment": _payment,
}


def _less_withdrawn(sale: Sale) -> Sale:
    """The sale with what its refunds and disputes have withdrawn."""
    if sale.payment_intent is None:
        return sale
    with asking() as api:
        refunds = api.v1.refunds.list({"payment_intent": sale.payment_intent, "limit": 100})
        disputes = api.v1.disputes.list({"payment_intent": sale.payment_intent, "limit": 100})
        refunded = sum(one.amount for one in refunds.auto_paging_iter() if one.status not in VOID_REFUND)
        disputed = sum(one.amount for one in disputes.auto_paging_iter() if one.status in WITHDRAWN)
    return replace(sale, refunded=refunded, disputed=disputed)


def _order(reference: str | None) -> Order | None:
    """The order with that id, if there is one: other programs may use the same Stripe account."""
    try:
        return Order.objects.select_related("user").filter(pk=UUID(reference or "")).first()
    except ValueError:
        return None


def _whose(customer: str, order: str) -> User | None:
    """The person of that customer id, or of that order where we lost the id."""
    row = Customer.objects.select_related("user").filter(stripe_id=customer).first() if customer else None
    if row:
        return row.user
    made = _order(order)
    return made.user if made else None


def id_of(found: Any) -> str:
    """The id of an object that Stripe gives expanded or not; empty for none."""
    return found if isinstance(found, str) else "" if found is None else str(found.id)


def moment(seconds: int) -> datetime:
    """Stripe's seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
