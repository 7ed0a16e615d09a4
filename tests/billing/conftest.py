"""The bank for tests of buying, people's browsers, and a site that sells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from tests.billing.bank import Bank, open_bank


@pytest.fixture
def bank() -> Iterator[Bank]:
    """A stand-in for Stripe that keeps its events until told to deliver."""
    with open_bank() as bank:
        yield bank


@pytest.fixture
def browser(owner: User) -> Client:
    """The owner's browser."""
    return browser_of(owner)


@pytest.fixture
def others(stranger: User) -> Client:
    """Another customer's browser."""
    return browser_of(stranger)


def browser_of(user: User) -> Client:
    """A browser where that person is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def selling(settings) -> None:
    """A site that sells, with keys that move no money."""
    settings.BILLING = True
    settings.BILLING_TEST_MODE = True
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.CREDIT_PACKS = ["20:500", "100:2000", "500:8500"]
    settings.CREDIT_PLANS = ["200:3200"]
    settings.CURRENCY = "eur"
