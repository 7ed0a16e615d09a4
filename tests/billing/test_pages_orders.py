"""The pages of an order: its owner's alone, and none of them gives credits."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing import checkout, ledger
from billing.models import Order, Transaction
from tests.billing.happenings import order
from tests.billing.test_pages_pricing import text

pytestmark = pytest.mark.django_db

REFRESH = '<noscript><meta http-equiv="refresh" content="3"></noscript>'


@pytest.mark.parametrize(
    ("state", "query", "said", "refreshes"),
    [
        ("open", "", "Not finished", False),
        ("open", "?from=stripe", "Waiting for Stripe’s word", True),
        ("open", "?cancelled=1", "Nothing was paid", False),
        ("pending", "", "The payment is on its way", False),
        ("pending", "?from=stripe", "The payment is on its way", False),
        ("paid", "?from=stripe", "100 credits are yours", False),
        ("paid", "?cancelled=1", "100 credits are yours", False),
        ("failed", "?from=stripe", "The payment did not go through", False),
        ("expired", "", "This order has expired", False),
    ],
)
def test_each_state_has_its_page(
    browser: Client, others: Client, client: Client, owner: User, selling: None,
    state: str, query: str, said: str, refreshes: bool,
) -> None:  # fmt: skip
    address = reverse("billing:order", args=[order(owner, state).pk])
    ledger.balance(owner)
    before = ledger.balance(owner), Transaction.objects.count(), Order.objects.get().state
    answer = browser.get(address + query)
    assert answer.status_code == 200
    assert said in text(answer)
    assert (REFRESH in answer.content.decode()) == refreshes
    assert (ledger.balance(owner), Transaction.objects.count(), Order.objects.get().state) == before
    assert others.get(address + query).status_code == 404
    assert client.get(address + query)["Location"].startswith(reverse("account_login"))


def test_no_such_order(browser: Client) -> None:
    assert browser.get("/billing/orders/00000000-0000-0000-0000-000000000000").status_code == 404
    assert browser.get("/billing/orders/1").status_code == 404


def test_back_to_stripe(browser: Client, others: Client, client: Client, owner: User, selling: None, monkeypatch):
    found = order(owner)
    address = reverse("billing:resume", args=[found.pk])
    monkeypatch.setattr(checkout, "resume", lambda order: f"https://checkout.stripe.com/{order.session_id}")
    answer = browser.post(address)
    assert (answer.status_code, answer["Location"]) == (303, f"https://checkout.stripe.com/{found.session_id}")
    assert others.post(address).status_code == 404
    assert client.post(address)["Location"].startswith(reverse("account_login"))
    assert browser.get(address).status_code == 405

    monkeypatch.setattr(checkout, "resume", lambda order: "")
    answer = browser.post(address, follow=True)
    assert "That order is over at Stripe." in text(answer)


def test_stripe_does_not_answer(browser: Client, owner: User, selling: None, monkeypatch) -> None:
    def away(found: Order) -> str:
        raise checkout.Unavailable

    monkeypatch.setattr(checkout, "resume", away)
    answer = browser.post(reverse("billing:resume", args=[order(owner).pk]))
    assert answer.status_code == 503
    assert "Stripe does not answer just now. Nothing was paid" in text(answer)
    assert "Back to Stripe" in text(answer)
