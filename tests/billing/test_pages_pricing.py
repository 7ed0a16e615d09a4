"""The price list: for everybody, true of the catalogue and the cards, and open where nothing is for sale."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing import checkout
from billing.models import Subscription

pytestmark = pytest.mark.django_db

PRICING = "/pricing"


def text(answer) -> str:
    """A page as it reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_what_is_for_sale(client: Client, selling: None, settings) -> None:
    settings.TAX_NOTE = "VAT included where it applies."
    settings.CREDIT_PACKS = ["1:50", "300:1000", "500:8500"]
    answer = client.get(PRICING)
    assert answer.status_code == 200
    page = text(answer)
    for said in (
        "1 credit 1 standard model · €0.50 a credit €0.50",
        "300 credits 300 standard models · €0.033 a credit €10",
        "500 credits 500 standard models · €0.17 a credit €85",
        "200 a month , credits 200 standard models · €0.16 a credit · by subscription €32",
        "VAT included where it applies.",
        "we never see your card",
        "standard, about 3 s 1 credit",
        "fine, about 6 s 2 credits",
        "failed job 0",
        "cancelled job 0",
        "in proportion, rounded in your favour",
        "What is left of a month stays yours for the next",
    ):
        assert said in page, said
    assert "request_key" not in answer.content.decode()
    assert not answer.cookies  # looking at prices leaves nothing behind
    assert f'href="{reverse("account_login")}?next=/pricing"' in answer.content.decode()


def test_other_currencies(client: Client, selling: None, settings) -> None:
    settings.CURRENCY, settings.CREDIT_PACKS = "chf", ["20:500"]
    assert "CHF 0.25 a credit CHF 5" in text(client.get(PRICING))
    settings.CURRENCY = "jpy"
    assert "¥25 a credit ¥500" in text(client.get(PRICING))


def test_a_site_that_sells_nothing_says_so_and_shows_what_models_cost(
    client: Client, browser: Client, settings
) -> None:
    settings.BILLING = False
    settings.GRANT_CREDITS = 7
    for each in (client, browser):
        page = text(each.get(PRICING))
        assert "What a model costs" in page
        assert "Nothing is for sale on this site." in page
        assert "A new account comes with 7 credits." in page
        assert "standard, about 3 s 1 credit" in page
        assert "Buy" not in page
        assert "Stripe" not in page
        assert "Test mode" not in page


def test_somebody_with_a_plan_changes_it_instead_of_buying_a_second(
    browser: Client, owner: User, selling: None, settings
) -> None:
    settings.CREDIT_PLANS = ["200:3200", "1000:14000"]
    plan = Subscription.objects.create(
        user=owner, stripe_id="sub_1", plan="plan-200", credits=200, amount=3200, currency="eur", status="past_due"
    )
    page = text(browser.get(PRICING))
    assert page.count("Change or cancel") == 1
    assert page.count("Change to this") == 1
    assert "Start" not in page
    plan.status = "canceled"
    plan.save()
    page = text(browser.get(PRICING))
    assert page.count("Start") == 2
    assert "Change" not in page


def test_buying_leads_to_stripe(browser: Client, owner: User, selling: None, monkeypatch) -> None:
    asked: dict[str, Any] = {}

    def begin(**about: object) -> str:
        asked.update(about)
        return "https://checkout.stripe.com/c/pay/cs_1"

    monkeypatch.setattr(checkout, "begin", begin)
    key = browser.get(PRICING).context["request_key"]
    answer = browser.post(reverse("billing:buy"), {"item": "pack-100", "request_key": str(key)})
    assert (answer.status_code, answer["Location"]) == (303, "https://checkout.stripe.com/c/pay/cs_1")
    assert (asked["user"], asked["item"].code, asked["request_key"]) == (owner, "pack-100", key)
    assert asked["site"] == "http://testserver"


def test_somebody_signed_out_signs_in_and_comes_back(client: Client, selling: None) -> None:
    answer = client.post(reverse("billing:buy"), {"item": "pack-100", "request_key": str(uuid4())})
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_login')}?next=/pricing"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"item": "pack-100"},
        {"item": "pack-100", "request_key": "x"},
        {"item": "pack-101", "request_key": str(UUID(int=1))},
        {"item": "\x00", "request_key": str(UUID(int=1))},
        {"item": "é" * 5000, "request_key": "0" * 5000},
    ],
)
def test_an_order_of_nothing_we_sell(browser: Client, selling: None, fields: dict[str, str]) -> None:
    answer = browser.post(reverse("billing:buy"), fields)
    assert answer.status_code == 422
    assert "Nothing was paid; choose again." in text(answer)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (checkout.Unavailable, 503, "Stripe does not answer just now. Nothing was paid; try again in a minute."),
        (checkout.TooManyOrders, 429, "You have begun many orders within the hour."),
        (checkout.Refused, 502, "Stripe did not accept this. Nothing was paid"),
        (checkout.BillingOff, 403, "Nothing is for sale on this site."),
    ],
)
def test_the_way_to_stripe_is_shut(
    browser: Client, selling: None, monkeypatch, error: type[Exception], status: int, said: str
) -> None:
    def begin(**about: object) -> str:
        raise error

    monkeypatch.setattr(checkout, "begin", begin)
    answer = browser.post(reverse("billing:buy"), {"item": "pack-100", "request_key": str(uuid4())})
    assert answer.status_code == status
    assert said in text(answer)
    assert "Pay by the model" in text(answer)


def test_only_a_form_of_ours_buys(owner: User, selling: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    answer = strict.post(reverse("billing:buy"), {"item": "pack-100", "request_key": str(uuid4())})
    assert answer.status_code == 403
    assert strict.get(reverse("billing:buy")).status_code == 405


@pytest.mark.parametrize("path", ["/", "/pricing", "/providers", "/account/login/", "/nowhere"])
def test_every_page_says_when_no_money_moves(client: Client, selling: None, settings, path: str) -> None:
    assert "Test mode: no money moves." in text(client.get(path))
    settings.BILLING_TEST_MODE = False
    assert "Test mode" not in text(client.get(path))
