"""The end of an account's buying: its plan ends at once, nothing more can be paid, and Stripe deletes the customer.

The books stay, on a number that no longer leads to anybody (``ClosedBooks``), until ``billing/forgetting.py`` ends
them. Stripe keeps the payments and invoices themselves, as the law asks of it; what it keeps, it keeps without us.

Where Stripe cannot be asked the erasure waits, for nobody else would tell it: also on a site that has stopped selling,
until its key is set once more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from billing import checkout, subscriptions, syncing
from billing.models import Adjustment, ClosedBooks, Customer, LedgerAccount, Order, Payment, Subscription
from billing.stripe_client import Refused, asking
from privacy.closing import Closed
from privacy.datamap import Person
from privacy.retention import Words

PAGE = 100
UNPAID = (Order.State.OPEN, Order.State.PENDING)


def loses(person: Person) -> list[Words]:
    """A plan that runs, and credits that are there; looked at without opening an account for them."""
    user = User.objects.get(pk=person.pk)
    said: list[Words] = []
    if subscriptions.current(user):
        said.append(_("Your plan ends at once, whatever is left of its month. Nothing is paid back."))
    left = LedgerAccount.objects.filter(user=user, kind=LedgerAccount.Kind.AVAILABLE).first()
    if left and left.balance:
        sentence = ngettext(
            "{n} credit is lost. It is not paid back.", "{n} credits are lost. They are not paid back.", left.balance
        )
        said.append(sentence.format(n=left.balance))
    return said


def shut(person: Person) -> None:
    """From here on what comes from Stripe goes into the books alone."""
    ClosedBooks.objects.get_or_create(user_id=person.pk, defaults={"closed_at": timezone.now()})


def close(person: Person) -> Closed:
    """End everything at Stripe, and bring the books to that. Raises ``StripeError``, ``syncing.Busy``."""
    _name_nobody(person)
    customer = Customer.objects.select_related("user").filter(user=person.pk).first()
    found = checkout.known_customer(customer) if customer else ""
    if not found:
        return Closed()
    if not _deleted(found):
        _end_sessions(found)
        _end_plans(found)
    # What was paid at the last moment has to be in the books before its order is looked at.
    for session in Order.objects.filter(user=person.pk, state__in=UNPAID).exclude(session_id=None):
        _sync("session", str(session.session_id))
    for plan in Subscription.objects.filter(user=person.pk).exclude(status__in=Subscription.ENDED):
        _sync("subscription", plan.stripe_id)
    with suppress(Refused), asking() as api:  # refused: it is deleted already
        api.v1.customers.delete(found)
    return Closed(elsewhere=[{"provider": "Stripe", "result": "erased", "at": _now()}, *_books(person)])


def _deleted(customer: str) -> bool:
    """Whether Stripe has deleted the customer, or never heard of it."""
    try:
        with asking() as api:
            return bool(getattr(api.v1.customers.retrieve(customer), "deleted", False))
    except Refused:
        return True


def _end_sessions(customer: str) -> None:
    """Nobody can pay a Checkout session any more, those included of which we never heard; what was paid is booked."""
    with asking() as api:
        sessions = api.v1.checkout.sessions.list({"customer": customer, "limit": PAGE})
        for session in list(sessions.auto_paging_iter()):
            if session.status == "open":
                with suppress(Refused), asking() as again:  # it was paid this very moment
                    again.v1.checkout.sessions.expire(session.id)
            if not Payment.objects.filter(stripe_id=session.id).exists():
                _sync("session", session.id)


def _end_plans(customer: str) -> None:
    with asking() as api:
        plans = api.v1.subscriptions.list({"customer": customer, "limit": PAGE})
        for plan in list(plans.auto_paging_iter()):
            with suppress(Refused), asking() as again:
                again.v1.subscriptions.cancel(plan.id)


def _sync(kind: str, object_id: str) -> None:
    with suppress(Refused):  # Stripe knows it no more: there is nothing to book
        syncing.sync(kind, object_id)


def _books(person: Person) -> list[dict[str, Any]]:
    """What Stripe goes on keeping, by its own duty."""
    paid = Payment.objects.filter(user=person.pk).count()
    return [{"provider": "Stripe (payments, invoices)", "result": "unsupported", "calls": paid}] if paid else []


def _name_nobody(person: Person) -> None:
    """What operators' pages noted of adjustments says which one it was, and no more."""
    mine = Adjustment.objects.filter(transaction__user=person.pk).values_list("pk", flat=True)
    about = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Adjustment), object_id__in=[str(key) for key in mine]
    )
    about.update(object_repr="", change_message="")


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds")
