"""Sending a person to Stripe: to Checkout for something from the catalogue, to the Customer Portal, to a document.

Nothing here gives credits. Every call that makes something carries an idempotency key of its own, and the row that
the key comes from is written before the call: if we are killed between Stripe's answer and our commit, the same form
asks again and gets the same customer and the same session.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from billing.models import Customer, Order, Payment, Subscription
from billing.packs import Item
from billing.prices import price_of, switching
from billing.stripe_client import BillingOff, Refused, Unavailable, asking, marks
from privacy import erasure

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

__all__ = ["BillingOff", "Leaving", "Refused", "TooManyOrders", "Unavailable", "begin", "document", "portal", "resume"]

MOST_ORDERS: Final = 30
"""Orders of one person in an hour: more are no shopping."""
CONFIRMED: Final = "?from=stripe"
CANCELLED: Final = "?cancelled=1"


class TooManyOrders(Exception):
    """This person has begun ``MOST_ORDERS`` orders within the hour."""


class Leaving(Exception):
    """The account is about to be erased: what is bought now would be lost."""


def begin(*, user: User, item: Item, request_key: UUID, site: str) -> str:
    """The address of Checkout for the item; of the order's own page when that form was paid already.

    Somebody with a subscription changes it in the portal instead of buying a second. ``site`` is our own address
    without a slash at its end. Raises ``BillingOff``, ``Unavailable``, ``Refused``, ``TooManyOrders``,
    ``Leaving``.
    """
    if erasure.of(user):
        raise Leaving
    if item.monthly and Subscription.objects.filter(user=user).exclude(status__in=Subscription.ENDED).exists():
        return portal(user=user, site=site)
    key = uuid5(request_key, item.code)  # a form that was left open may be used for another item
    recent = Order.objects.filter(user=user, created_at__gt=timezone.now() - timedelta(hours=1))
    if recent.exclude(request_key=key).count() >= MOST_ORDERS:
        raise TooManyOrders
    order, new = Order.objects.get_or_create(
        user=user,
        request_key=key,
        defaults={
            "item": item.code,
            "monthly": item.monthly,
            "credits": item.credits,
            "amount": item.amount,
            "currency": settings.CURRENCY,
        },
    )
    page = f"{site}/billing/orders/{order.pk}"
    if not new and order.state != Order.State.OPEN:
        return page
    if item.monthly:
        _give_up_others(order)
    try:
        address = _session(order, item, customer_of(user), page)
    except Refused as refused:
        if refused.param != "customer":
            raise
        forget_customer(user)  # removed at Stripe by hand
        address = _session(order, item, customer_of(user), page)
    return address or page


def _give_up_others(order: Order) -> None:
    """End the person's other unpaid orders for a plan, so that nobody can pay for two."""
    others = Order.objects.filter(user=order.user, monthly=True, state=Order.State.OPEN).exclude(pk=order.pk)
    for session in others.exclude(session_id=None).values_list("session_id", flat=True):
        with suppress(Refused), asking() as api:  # it is over already; what became of it comes as an event
            api.v1.checkout.sessions.expire(str(session))


def _session(order: Order, item: Item, customer: str, page: str) -> str:
    """The order's Checkout session, made if need be; its address, or nothing when it is no longer open."""
    about = {"order": str(order.pk)}
    params: SessionCreateParams = {
        "mode": "subscription" if item.monthly else "payment",
        "customer": customer,
        "client_reference_id": str(order.pk),
        "line_items": [_line(item)],
        "success_url": page + CONFIRMED,
        "cancel_url": page + CANCELLED,
        "metadata": about,
        "allow_promotion_codes": settings.STRIPE_PROMOTION_CODES,
        "automatic_tax": {"enabled": settings.STRIPE_AUTOMATIC_TAX},
    }
    if settings.STRIPE_AUTOMATIC_TAX:
        params["customer_update"] = {"address": "auto"}
    if item.monthly:
        params["subscription_data"] = {"metadata": about}
    else:
        params["payment_intent_data"] = {"metadata": about}
        params["invoice_creation"] = {"enabled": True}
    with asking() as api:
        # The key names the customer, too: with another one it is another call.
        key = f"order:{order.pk}:{customer}"
        session = api.v1.checkout.sessions.create(params, {"idempotency_key": key})
        Order.objects.filter(pk=order.pk, session_id=None).update(session_id=session.id)
        # A repeated call is answered as it was the first time; what became of the session since is not in it.
        return session.url or "" if session.status == "open" else ""


def _line(item: Item) -> SessionCreateParamsLineItem:
    if item.price or item.monthly:
        return {"price": price_of(item).id, "quantity": 1}
    name = ngettext("%(n)d credit", "%(n)d credits", item.credits) % {"n": item.credits}
    made: SessionCreateParamsLineItem = {
        "quantity": 1,
        "price_data": {
            "currency": settings.CURRENCY,
            "unit_amount": item.amount,
            "product_data": {"name": _("ModelMyImage: %(what)s") % {"what": name}},
        },
    }
    if settings.STRIPE_AUTOMATIC_TAX:
        made["price_data"]["tax_behavior"] = settings.STRIPE_TAX_BEHAVIOR
    return made


def customer_of(user: User) -> str:
    """The person's customer id at Stripe, made on first need: once, whatever happens. Raises what ``begin`` does."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        raise Leaving  # erased while this request was under way
    customer, _new = Customer.objects.get_or_create(user=user)
    found = known_customer(customer)
    if not found:
        with asking() as api:
            key = f"customer:{customer.pk}:{customer.version}"
            made = {"account": str(user.pk)}
            found = api.v1.customers.create({"email": user.email, "metadata": made}, {"idempotency_key": key}).id
    Customer.objects.filter(pk=customer.pk, stripe_id=None).update(stripe_id=found)
    return found


def known_customer(customer: Customer) -> str:
    """The customer's id at Stripe, written down here or not; empty for none. Raises what ``begin`` does."""
    if customer.stripe_id:
        return customer.stripe_id
    with asking() as api:
        # Idempotency keys are forgotten after a day, so whoever was made by a process that died is looked for first.
        known = api.v1.customers.list({"email": customer.user.email, "limit": 100}).data
        mark = str(customer.user_id)
        return next((one.id for one in known if marks(one.metadata).get("account") == mark), "")


def forget_customer(user: User) -> None:
    """Forget a customer id that Stripe knows no more."""
    customer = Customer.objects.get(user=user)
    Customer.objects.filter(pk=customer.pk).update(stripe_id=None, version=customer.version + 1)


def resume(order: Order) -> str:
    """The address of an order's Checkout; empty when it is over. Raises what ``begin`` does."""
    if order.session_id is None:
        return ""
    with asking() as api:
        session = api.v1.checkout.sessions.retrieve(order.session_id)
        return session.url or "" if session.status == "open" else ""


def portal(*, user: User, site: str) -> str:
    """The address of Stripe's Customer Portal for the person: invoices, card, plan. Raises what ``begin`` does."""
    customer = customer_of(user)
    with asking() as api:
        return api.v1.billing_portal.sessions.create(
            {"customer": customer, "configuration": switching(), "return_url": f"{site}/billing"}
        ).url


def document(payment: Payment) -> str:
    """The address of a payment's invoice or receipt at Stripe; empty for none. Raises what ``begin`` does."""
    with asking() as api:
        if payment.stripe_id.startswith("in_"):
            return api.v1.invoices.retrieve(payment.stripe_id).hosted_invoice_url or ""
        expand = ["invoice", "payment_intent.latest_charge"]
        session = api.v1.checkout.sessions.retrieve(payment.stripe_id, {"expand": expand})
        invoice, intent = session.invoice, session.payment_intent
        if invoice is not None and not isinstance(invoice, str) and invoice.hosted_invoice_url:
            return invoice.hosted_invoice_url
        charge = None if intent is None or isinstance(intent, str) else intent.latest_charge
        return "" if charge is None or isinstance(charge, str) else charge.receipt_url or ""
