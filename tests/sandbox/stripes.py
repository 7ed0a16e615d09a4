"""The official library on the stand-in, as the tests of ``sandbox/stripe`` use it."""

from __future__ import annotations

import random
from typing import Any

import stripe

from sandbox.stripe import Sandbox
from sandbox.stripe.shapes import Json

NOW = 1_800_000_000.0
KEY, SECRET = "sk_test_tests", "whsec_tests"


def sandbox(**options: Any) -> Sandbox:
    """A stand-in whose clock stands still and whose ids repeat."""
    chance = random.Random(7)  # noqa: S311 - ids, not secrets
    usual: dict[str, Any] = {"key": KEY, "secret": SECRET, "rng": chance, "now": lambda: NOW}
    return Sandbox(**usual | options)


def client(running: Sandbox, *, key: str = KEY, retries: int = 2) -> stripe.StripeClient:
    """The official client, as the site makes it."""
    return stripe.StripeClient(key, base_addresses={"api": running.url}, max_network_retries=retries)


def buying(**options: Any) -> Any:
    """Parameters of a Checkout session for one pack at 20.00 EUR."""
    line = {
        "quantity": 1,
        "price_data": {"currency": "eur", "unit_amount": 2000, "product_data": {"name": "100 credits"}},
    }
    return {
        "mode": "payment",
        "line_items": [line],
        "success_url": "https://site.example/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://site.example/pricing",
        **options,
    }


def plan(running: Sandbox, amount: int = 1000, *, key: str = "plan", interval: str = "month") -> stripe.Price:
    """A recurring price."""
    given: Any = {
        "currency": "eur",
        "unit_amount": amount,
        "lookup_key": key,
        "recurring": {"interval": interval},
        "product_data": {"name": key},
    }
    return client(running).v1.prices.create(given)


def paid(running: Sandbox, card: Any = "ok", **options: Any) -> Json:
    """A finished purchase of one pack: its session."""
    session = client(running).v1.checkout.sessions.create(buying(**options))
    running.pay(session.id, card, approved=True)
    return running.get("checkout.session", session.id)


def subscribed(running: Sandbox, card: Any = "ok", price: stripe.Price | None = None, **options: Any) -> Json:
    """A subscription bought through Checkout by a customer of its own."""
    api = client(running)
    customer = api.v1.customers.create({"email": "firm@example.com", "name": "Firm"})
    price = price or plan(running)
    given = buying(
        mode="subscription", customer=customer.id, line_items=[{"price": price.id, "quantity": 1}], **options
    )
    session = api.v1.checkout.sessions.create(given)
    running.pay(session.id, card, approved=True)
    return running.get("subscription", running.get("checkout.session", session.id)["subscription"])


def happened(running: Sandbox, since: int = 0) -> list[str]:
    """The types of the events, oldest first."""
    return [event["type"] for event in running.events[since:]]
