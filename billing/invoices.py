"""What an invoice of a subscription sold: so many credits as its plan gives for the money of each line.

A whole month's line is a whole month's credits. Where an operator lets Stripe prorate a change of plan, its lines are
parts of a month, some of them negative, and bring credits in the same proportion; less than nothing is nothing.
Promotions lower what is paid, not what is brought: they are no part of a line's amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import stripe

from billing.prices import Plan, plan_of
from billing.stripe_client import asking

REASONS = ("subscription", "subscription_create", "subscription_cycle", "subscription_update")
"""Why an invoice was made: that of a pack is made by its Checkout session, which is what gives its credits."""


@dataclass(frozen=True)
class Sold:
    """A paid invoice; ``amount`` in minor units, ``paid_at`` in seconds."""

    invoice: str
    payment_intent: str | None
    credits: int
    amount: int
    currency: str
    paid_at: int


def sold(invoice: stripe.Invoice) -> Sold | None:
    """What a paid invoice sold; ``None`` for one that is not paid, or not for a plan of ours.

    Its ``payments`` are expanded. Raises ``Unavailable``, ``Refused``, ``BillingOff``.
    """
    if invoice.status != "paid" or invoice.billing_reason not in REASONS:
        return None
    total, plans = Fraction(0), dict[str, Plan | None]()
    with asking() as api:
        for line in invoice.lines.auto_paging_iter():
            price = line.pricing.price_details.price if line.pricing and line.pricing.price_details else None
            if price is None:
                continue
            name = price if isinstance(price, str) else price.id
            if name not in plans:
                plans[name] = plan_of(api.v1.prices.retrieve(name))
            plan = plans[name]
            if plan is not None:
                total += _credits(plan, line)
    if not any(plans.values()):
        return None
    return Sold(
        invoice=str(invoice.id),
        payment_intent=_payment_intent(invoice),
        credits=max(0, int(total)),
        amount=invoice.amount_paid,
        currency=invoice.currency,
        paid_at=invoice.status_transitions.paid_at or invoice.created,
    )


def _credits(plan: Plan, line: stripe.InvoiceLineItem) -> Fraction:
    if not plan.amount:
        return Fraction(plan.credits * (line.quantity or 1))
    return Fraction(plan.credits * line.amount, plan.amount)


def _payment_intent(invoice: stripe.Invoice) -> str | None:
    """The payment that paid it; there is none where nothing was due."""
    for one in invoice.payments.data if invoice.payments else []:
        intent = one.payment.payment_intent if one.payment else None
        if one.status == "paid" and intent is not None:
            return intent if isinstance(intent, str) else intent.id
    return None
