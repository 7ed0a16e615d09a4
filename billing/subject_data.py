"""What is held about credits and purchases. Names, cards and invoices are Stripe's; here are ids and sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billing import forgetting
from billing.models import Order, Payment, Subscription
from privacy.datamap import Basis, Erasure, Holding, Item, Person, Recipient, Section, nobody

STRIPE = Recipient(_("Stripe, if you buy"))
BOOKS = _("Tax and commercial law: books and what they rest on are kept for 10 years, without your identity.")
BOOKED = (Order.State.PAID, Order.State.PENDING)
"""Of a pending order the money may still come, and then has to be booked."""
NUMBERS = _("Numbers: its own, and your account’s")
SUMS = _("The sum and its currency")


def _events(person: Person) -> Q:
    """An event names nobody; the object that it is about is in a row of the person's."""
    orders, payments = Order.objects.filter(user=person.pk), Payment.objects.filter(user=person.pk)
    return (
        Q(object_id__in=orders.exclude(session_id=None).values("session_id"))
        | Q(object_id__in=payments.values("stripe_id"))
        | Q(object_id__in=payments.exclude(payment_intent=None).values("payment_intent"))
        | Q(object_id__in=Subscription.objects.filter(user=person.pk).values("stripe_id"))
    )


HELD = [
    Holding(
        "billing.LedgerAccount",
        _("Where your credits are"),
        Section.MONEY,
        why=_("To know what you can spend, what is on hold and what is owed."),
        basis=Basis.CONTRACT,
        keeps="books",
        whose="user",
        erasure=Erasure.KEPT,
        duty=BOOKS,
        stays=Q(user__transactions__isnull=False),
        items=(
            Item("id user", NUMBERS),
            Item("kind balance", _("Available, held or owed, and how many")),
        ),
    ),
    Holding(
        "billing.Transaction",
        _("Movements of credits"),
        Section.MONEY,
        why=_("So that no credit is lost or spent twice, and every movement can be shown."),
        basis=Basis.LEGAL,
        keeps="books",
        whose="user",
        erasure=Erasure.KEPT,
        duty=BOOKS,
        items=(
            Item("id user", NUMBERS),
            Item("key", _("What keeps it from being told twice")),
            Item("kind credits created_at", _("What happened, how many credits, when")),
            Item("job", _("The random number of the job it was for")),
            Item("reason", _("A code that says why")),
            Item("settles reverses", _("The movement that it ends or undoes")),
        ),
    ),
    Holding(
        "billing.Entry",
        _("Lines of the ledger"),
        Section.MONEY,
        why=_("So that the books add up: each movement takes from one place what it gives to another."),
        basis=Basis.LEGAL,
        keeps="books",
        whose="transaction__user",
        erasure=Erasure.KEPT,
        duty=BOOKS,
        items=(
            Item("id transaction account", _("Numbers: its own, the movement’s, the place’s")),
            Item("amount", _("How many credits went in or out")),
        ),
    ),
    Holding(
        "billing.BroughtForward",
        _("Sums of your movements, brought forward"),
        Section.MONEY,
        why=_("To show a balance beside each movement without adding up all the older ones."),
        basis=Basis.CONTRACT,
        keeps="books",
        whose="user",
        erasure=Erasure.KEPT,
        duty=BOOKS,
        items=(
            Item("id user line", _("Numbers: its own, your account’s, the movement of credits’")),
            Item("at credits spent", _("When that was, and what everything before it comes to")),
        ),
    ),
    Holding(
        "billing.Proven",
        _("Up to where your movements were added up"),
        Section.MONEY,
        why=_("To add up only what is new when it is looked whether your credits add up."),
        basis=Basis.CONTRACT,
        keeps="books",
        whose="user",
        erasure=Erasure.KEPT,
        duty=BOOKS,
        stays=Q(user__transactions__isnull=False),
        items=(
            Item("id user upto", _("Numbers: its own, your account’s, the movement of credits’")),
            Item("at available held debt", _("When that was, and what everything before it comes to")),
        ),
    ),
    nobody(
        "billing.JournalPage",
        _("Signed pages of the books"),
        "id after upto document",
        why=_("So that nobody can change old books unseen. A page holds counts and digests, no names."),
    ),
    Holding(
        "billing.Customer",
        _("You at Stripe"),
        Section.MONEY,
        why=_("To find your invoices and plan at Stripe. Stripe is told your account’s number and e-mail address."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="user",
        receives=(STRIPE,),
        items=(
            Item("id user", NUMBERS, receives=()),
            Item("stripe_id", _("Stripe’s number for you")),
            Item("version created_at", _("How often we heard of you from Stripe, and since when"), receives=()),
        ),
    ),
    Holding(
        "billing.Order",
        _("Purchases that you began"),
        Section.MONEY,
        why=_("To bring you to Stripe and back, and to give you what you paid for."),
        basis=Basis.CONTRACT,
        keeps="books",
        whose="user",
        receives=(STRIPE,),
        erasure=Erasure.KEPT,
        duty=BOOKS,
        stays=Q(state__in=BOOKED),
        items=(
            Item("id user request_key", _("Numbers: its own, your account’s, the form’s")),
            Item("item monthly credits", _("What you chose")),
            Item("amount currency", SUMS),
            Item("state created_at", _("What became of it, and when you began")),
            Item("session_id", _("Stripe’s number for it")),
        ),
    ),
    Holding(
        "unpaid_orders",
        _("Purchases that came to nothing"),
        Section.MONEY,
        why=_("To answer you if you ask what became of one. No law wants them kept."),
        basis=Basis.INTEREST,
        keeps="unpaid_order",
        items=(Item("rows", _("The same as of any purchase that you began")),),
    ),
    Holding(
        "billing.Subscription",
        _("Plans"),
        Section.MONEY,
        why=_("To know what you get each month, and until when."),
        basis=Basis.CONTRACT,
        keeps="books",
        whose="user",
        receives=(STRIPE,),
        erasure=Erasure.KEPT,
        duty=BOOKS,
        items=(
            Item("id user", NUMBERS),
            Item("stripe_id", _("Stripe’s number for it")),
            Item("plan credits", _("Which one, and how many credits each month")),
            Item("amount currency", SUMS),
            Item("status started_at period_ends_at ends_at", _("How it stands, since when, until when")),
        ),
    ),
    Holding(
        "billing.Payment",
        _("Payments"),
        Section.MONEY,
        why=_("To give credits for money, and to take them back when the money goes back."),
        basis=Basis.LEGAL,
        keeps="books",
        whose="user",
        receives=(STRIPE,),
        erasure=Erasure.KEPT,
        duty=BOOKS,
        items=(
            Item("id user grant", _("Numbers: its own, your account’s, the movement of credits’")),
            Item("stripe_id payment_intent", _("Stripe’s numbers for it")),
            Item("credits amount currency paid_at", _("What was paid, when, and for how many credits")),
            Item("refunded disputed reversed changes", _("What went back, and how many credits with it")),
        ),
    ),
    Holding(
        "billing.StripeEvent",
        _("What Stripe told us"),
        Section.MONEY,
        why=_("To look at the right object of Stripe’s, once. What Stripe wrote beside it is not kept."),
        basis=Basis.CONTRACT,
        keeps="stripe_event",
        whose=_events,
        items=(
            Item("id type kind object_id", _("Stripe’s numbers for the message and for what it is about; which kind")),
            Item("received_at due_at tries error applied_at", _("When it came, and whether we have acted on it")),
        ),
    ),
    Holding(
        "billing.Adjustment",
        _("Credits given or taken by hand"),
        Section.MONEY,
        why=_("So that nobody changes your credits without a reason and a signature."),
        basis=Basis.LEGAL,
        keeps="books",
        whose="transaction__user",
        also={"actor": "id actor"},
        erasure=Erasure.KEPT,
        duty=BOOKS,
        items=(
            Item("id transaction", _("Numbers: its own, and the movement’s")),
            Item("reason", _("Why, in the operator’s words"), erasure=Erasure.ERASED),
            Item("actor", _("Which operator signed"), withheld=_("It is about the operator, who gets it.")),
        ),
    ),
    Holding(
        "billing.Preferences",
        _("What you chose about spending"),
        Section.MONEY,
        why=_("To stop at your limit, and to mail you when few credits are left."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="user",
        items=(
            Item("id user", NUMBERS),
            Item("monthly_limit notice_below", _("Your limit for a month, and when you want to be told")),
            Item("noticed_at", _("When we told you last")),
        ),
    ),
    Holding(
        "billing.ClosedBooks",
        _("That only books are left"),
        Section.MONEY,
        why=_("To know, once you had your account erased, that nothing but its books is left, and when those end."),
        basis=Basis.LEGAL,
        keeps="books",
        whose="user",
        erasure=Erasure.KEPT,
        duty=BOOKS,
        stays=(
            Q(user__transactions__isnull=False)
            | Q(user__orders__state__in=BOOKED)
            | Q(user__payments__isnull=False)
            | Q(user__subscriptions__isnull=False)
            | Q(user__adjustments_made__isnull=False)
        ),
        items=(Item("id user", NUMBERS), Item("closed_at", _("When the erasure began"))),
    ),
]

OLDER: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "stripe_event": forgetting.events,
    "unpaid_order": forgetting.unpaid_orders,
    "books": forgetting.books,
}
