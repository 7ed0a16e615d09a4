"""What happens to somebody's credits: purchases as the webhooks book them, jobs, orders, and one of everything."""

from __future__ import annotations

import uuid

from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.models import Adjustment, Order, Payment


def bought(user: User, credits: int = 20, stripe_id: str = "cs_1", amount: int = 500) -> Payment:
    """A paid purchase."""
    told = ledger.grant(user=user, credits=credits, key=f"payment:{stripe_id}", reason="purchase")
    return Payment.objects.create(
        user=user,
        stripe_id=stripe_id,
        credits=credits,
        amount=amount,
        currency="eur",
        grant=told,
        paid_at=timezone.now(),
    )


def job(user: User, credits: int = 2, end: str = "") -> uuid.UUID:
    """A job that reserved so much and ended so: ``capture``, ``release``, ``refund``, or not yet."""
    made = uuid.uuid4()
    ledger.hold(user=user, credits=credits, job=made)
    if end == "refund":
        ledger.capture(job=made)
    if end:
        getattr(ledger, end)(job=made)
    return made


def order(user: User, state: str = "open") -> Order:
    """An order in some state."""
    return Order.objects.create(
        user=user,
        state=state,
        item="pack-100",
        credits=100,
        amount=2000,
        currency="eur",
        session_id=f"cs_{uuid.uuid4().hex}",
    )


def every_kind(user: User) -> None:
    """A grant, a purchase, four jobs, a refund with debt, a dispute won, an operator's plus and minus."""
    bought(user)
    job(user, 2, "capture")
    job(user, 3, "release")
    job(user, 5, "refund")
    job(user, 25)
    ledger.reverse(key="back:1", original="payment:cs_1", credits=15, reason="refund")  # 3 are there: 12 are owed
    ledger.restore(key="won:1", original="payment:cs_1", credits=4, reason="dispute")
    told = ledger.grant(user=user, credits=10, key="adjustment:1", reason="adjustment")
    Adjustment.objects.create(transaction=told, actor=user, reason="A job that was lost last week")
    told = ledger.take(user=user, credits=1, key="adjustment:2", reason="adjustment")
    Adjustment.objects.create(transaction=told, actor=user, reason="One too many")
