"""Sending a person to Stripe: to Checkout for something from the catalogue, to the Customer Portal, to a document."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from billing.models import Order, Payment
from billing.packs import Item


class StripeError(Exception):
    """Stripe did not do what was asked."""


class BillingOff(StripeError):
    """There is no key, so nothing is for sale."""


class Unavailable(StripeError):
    """Not now."""


class Refused(StripeError):
    """Not this."""


def begin(*, user: User, item: Item, request_key: UUID, site: str) -> str:
    """The address of Checkout for the item."""
    raise BillingOff


def resume(order: Order) -> str:
    """The address of an order's Checkout; empty when it is over."""
    raise BillingOff


def portal(*, user: User, site: str) -> str:
    """The address of Stripe's Customer Portal for the person."""
    raise BillingOff


def document(payment: Payment) -> str:
    """The address of a payment's invoice or receipt at Stripe; empty for none."""
    raise BillingOff
