"""The books are made to say what Stripe says: this module alone turns what happened there into credits.

A webhook and the nightly reconciliation both end here, with the kind and id of an object to look at. Its present
state is asked for and the books are brought to it, in one database transaction. Nothing is believed of the message
itself, so messages may come in any order, twice, late or never: the next look gives the same books.

Two looks at the same person's purchases may overlap, and the one that saw less may write last. So each notes the
person's version before it looks, and writes only while that is still the version; else it looks again. Of somebody who
had their account erased there is no version any more: there it is what the books say that must not have changed.

A payment's credits are granted once (the grant's key is the session's or invoice's id). Afterwards as many of them
are taken back as refunds and disputes have withdrawn of the money, and given back when that becomes less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import User
from billing import ledger
from billing.facts import LOOKS, Facts, Sale
from billing.models import ClosedBooks, Customer, Order, Payment, Subscription

State = Order.State

ROUNDS: Final = 12
"""Looks at one object before it is left to the next try: others wrote of the same person each time."""


class Busy(Exception):
    """Others kept writing about the same person; try again later."""


def sync(kind: str, object_id: str, *, mark: Callable[[], object] = lambda: None) -> bool:
    """Bring the books to what Stripe says of one object; whether anything changed.

    ``kind`` is a key of ``LOOKS``. ``mark`` is called in the transaction that changes the books (also when there is
    nothing to change), so that what it writes is there if and only if the change is.

    Raises ``BillingOff``, ``Unavailable``, ``Refused``, ``Busy``.
    """
    look, user = LOOKS[kind], _known(kind, object_id)
    for _ in range(ROUNDS):
        noted = _note(user) if user else None
        facts = look(object_id)
        if facts is None:
            mark()
            return False
        if noted is None or facts.user != user:
            user = facts.user  # now that it is known whose it is, look again under their version
            continue
        with transaction.atomic():
            if _unchanged(facts.user, noted):
                changed = _write(facts)
                mark()
                return changed
    raise Busy


def _note(user: User) -> Any:
    """What tells whether somebody else has written about the person since."""
    if ClosedBooks.objects.filter(user=user).exists():
        return _books(user)
    return Customer.objects.get_or_create(user=user)[0].version


def _unchanged(user: User, noted: Any) -> bool:
    """Whether nobody has; from here until the transaction ends nobody will."""
    if isinstance(noted, int):
        return bool(Customer.objects.filter(user=user, version=noted).update(version=F("version") + 1))
    list(User.objects.select_for_update(no_key=True).filter(pk=user.pk))
    return bool(_books(user) == noted)


def _books(user: User) -> list[Any]:
    tables: list[QuerySet[Any]] = [model._default_manager.filter(user=user) for model in (Order, Payment, Subscription)]
    return [list(rows.order_by("pk").values_list()) for rows in tables]


def _known(kind: str, object_id: str) -> User | None:
    """Whose object it is, if our rows say so."""
    found: Order | Payment | Subscription | None = None
    match kind:
        case "session":
            found = Order.objects.filter(session_id=object_id).select_related("user").first()
        case "invoice":
            found = Payment.objects.filter(stripe_id=object_id).select_related("user").first()
        case "subscription":
            found = Subscription.objects.filter(stripe_id=object_id).select_related("user").first()
        case "payment":
            found = Payment.objects.filter(payment_intent=object_id).select_related("user").first()
    return found.user if found else None


def _write(facts: Facts) -> bool:
    """Bring our rows to the facts; whether that changed any. Called in a transaction of its own."""
    changed = 0
    if facts.customer:
        changed += Customer.objects.filter(user=facts.user, stripe_id=None).update(stripe_id=facts.customer)
    if facts.order:
        changed += (
            Order.objects.filter(pk=facts.order.pk)
            .exclude(state=facts.state, session_id=facts.session)
            .exclude(state=State.PAID)
            .update(state=facts.state, session_id=facts.session)
        )
    if facts.subscription:
        columns = dict(facts.subscription)
        stripe_id = columns.pop("stripe_id")
        row, new = Subscription.objects.get_or_create(stripe_id=stripe_id, defaults={"user": facts.user, **columns})
        if new or any(getattr(row, name) != value for name, value in columns.items()):
            changed += Subscription.objects.filter(pk=row.pk).update(**columns) or 1
    if facts.sale:
        changed += _book(facts.user, facts.sale)
    return bool(changed)


def _book(user: User, sale: Sale) -> bool:
    """Grant what was paid for, and take back or restore what its refunds and disputes come to."""
    payment, new = Payment.objects.get_or_create(
        stripe_id=sale.stripe_id,
        defaults={
            "user": user,
            "payment_intent": sale.payment_intent,
            "credits": sale.credits,
            "amount": sale.amount,
            "currency": sale.currency,
            "paid_at": sale.paid_at,
        },
    )
    key = f"stripe:{sale.stripe_id}"
    if new and sale.credits:
        payment.grant = ledger.grant(user=user, credits=sale.credits, key=key, reason=sale.reason)
    reason = "dispute" if payment.disputed != sale.disputed else "refund"
    moved = (payment.refunded, payment.disputed) != (sale.refunded, sale.disputed)
    payment.refunded, payment.disputed = sale.refunded, sale.disputed
    change = payment.to_reverse() - payment.reversed
    if change:
        payment.changes += 1
        move = ledger.reverse if change > 0 else ledger.restore
        move(key=f"{key}:{payment.changes}", original=key, credits=abs(change), reason=reason)
        payment.reversed += change
    payment.save()
    return new or moved
