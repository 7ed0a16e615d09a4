"""The stand-in for Stripe as tests of the books use it: what it says is delivered when a test says so."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from billing import checkout, ledger, packs, webhooks
from billing.models import Order, StripeEvent
from sandbox.stripe import Sandbox

SITE = "https://models.example"
KEY, SECRET = "sk_test_books", "whsec_books"


class Bank(Sandbox):
    """``settle_all`` delivers what is kept and acts on it, as the site's processes would."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self.client = Client()
        chance = random.Random(0)  # noqa: S311  # ids, no secrets
        super().__init__(key=KEY, secret=SECRET, deliver_to=self.post, mode="delayed", rng=chance, now=now)

    def post(self, body: bytes, signature: str) -> int:
        """One webhook, as it comes in; the answer's status."""
        return self.client.post(
            "/billing/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        ).status_code

    def settle_all(self) -> None:
        """Deliver everything that waits, and apply it."""
        assert set(self.deliver()) <= {200}
        work()

    def order(self, user: User, code: str = "pack-100") -> Order:
        """Start an order, as a press on Buy does."""
        item = packs.find(code)
        assert item is not None
        checkout.begin(user=user, item=item, request_key=uuid4(), site=SITE)
        return Order.objects.filter(user=user).latest("created_at")

    def bought(self, user: User, code: str = "pack-100", **how: Any) -> Order:
        """Order, pay and have it applied."""
        order = self.order(user, code)
        assert order.session_id is not None
        self.pay(order.session_id, **how)
        self.settle_all()
        order.refresh_from_db()
        return order

    def intent(self, order: Order) -> str:
        """The payment of a paid order for a pack."""
        assert order.session_id is not None
        return str(self.get("checkout.session", order.session_id)["payment_intent"])


def work() -> None:
    """Act on every recorded event, as the tasks do once it is due."""
    StripeEvent.objects.filter(applied_at=None).update(due_at=timezone.now())
    for event_id in list(StripeEvent.objects.filter(applied_at=None).order_by("pk").values_list("pk", flat=True)):
        webhooks.apply(event_id)


@contextmanager
def open_bank(*, now: Callable[[], float] = time.time) -> Iterator[Bank]:
    """A bank, and settings that lead to it."""
    with (
        Bank(now=now) as bank,
        override_settings(
            BILLING=True,
            BILLING_TEST_MODE=True,
            STRIPE_SECRET_KEY=KEY,
            STRIPE_WEBHOOK_SECRETS=[SECRET],
            STRIPE_API_BASE=bank.url,
        ),
    ):
        assert urlsplit(settings.STRIPE_API_BASE).hostname == "127.0.0.1"
        yield bank


def net(user: User) -> int:
    """What a person has and holds, less what they owe."""
    now = ledger.balance(user)
    return now.available + now.held - now.owed
