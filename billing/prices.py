"""The catalogue at Stripe: prices of plans, and which plans the Customer Portal lets people change between.

A price is found by its lookup key and made on first need, so an operator has nothing to set up. It carries its plan
and credits as metadata: who subscribed to an earlier catalogue keeps what they signed up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import stripe
from django.conf import settings
from django.utils.translation import gettext as _

from billing import packs
from billing.packs import Item
from billing.stripe_client import asking, marks

if TYPE_CHECKING:
    from stripe.params import PriceCreateParams
    from stripe.params.billing_portal import ConfigurationCreateParamsFeatures

MARK = "modelmyimage"
"""Key of the metadata by which we know what we made."""


@dataclass(frozen=True)
class Plan:
    """What a subscription's price stands for: its code, and credits for one unit of ``amount`` (minor units)."""

    code: str
    credits: int
    amount: int
    currency: str


def price_of(item: Item) -> stripe.Price:
    """The price of an item at Stripe. Raises ``Unavailable``, ``Refused``, ``BillingOff``."""
    with asking() as api:
        if item.price:
            return api.v1.prices.retrieve(item.price)
        key = f"{MARK}-{item.code}-{settings.CURRENCY}-{item.amount}"
        found = api.v1.prices.list({"lookup_keys": [key], "active": True, "limit": 1}).data
        if found:
            return found[0]
        params: PriceCreateParams = {
            "currency": settings.CURRENCY,
            "unit_amount": item.amount,
            "recurring": {"interval": "month"},
            "lookup_key": key,
            "metadata": {MARK: item.code, "credits": str(item.credits)},
            "product_data": {"name": _("ModelMyImage: %(n)d credits a month") % {"n": item.credits}},
        }
        if settings.STRIPE_AUTOMATIC_TAX:
            params["tax_behavior"] = settings.STRIPE_TAX_BEHAVIOR
        return api.v1.prices.create(params, {"idempotency_key": f"price:{key}"})


def plan_of(price: stripe.Price) -> Plan | None:
    """What we sell under that price; ``None`` when it is not ours."""
    listed = packs.plan_of_price(price.id)
    marked = marks(price.metadata)
    credits = str(listed.credits) if listed else marked.get("credits", "")
    code = listed.code if listed else marked.get(MARK, "")
    if not code or not credits.isdigit():
        return None
    return Plan(code=code, credits=int(credits), amount=price.unit_amount or 0, currency=price.currency)


def switching() -> str:
    """The id of the portal's configuration for the present catalogue, made on first need. Raises as ``price_of``.

    A change of plan holds from the next invoice on: credits come with paid invoices, so nothing is prorated.
    """
    prices = [price_of(plan) for plan in packs.plans()]
    products: dict[str, list[str]] = {}
    for price in prices:
        product = price.product if isinstance(price.product, str) else price.product.id
        products.setdefault(product, []).append(price.id)
    wanted = sha256(repr(sorted(products.items())).encode()).hexdigest()[:32]
    features: ConfigurationCreateParamsFeatures = {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["address", "email", "tax_id"]},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
    }
    if len(prices) > 1:
        features["subscription_update"] = {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "none",
            "products": [{"product": product, "prices": ids} for product, ids in products.items()],
        }
    with asking() as api:
        for known in api.v1.billing_portal.configurations.list({"active": True, "limit": 100}).auto_paging_iter():
            if marks(known.metadata).get(MARK) == wanted:
                return known.id
        made = api.v1.billing_portal.configurations.create(
            {"features": features, "metadata": {MARK: wanted}}, {"idempotency_key": f"portal:{wanted}"}
        )
        return made.id
