"""Monthly credits come with paid invoices, and whatever else happens to a subscription shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from billing import checkout, ledger, packs, reconciliation
from billing.models import Order, Payment, Subscription
from tests.billing.bank import SITE, Bank, net

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sound_afterwards(db: None, settings: Any) -> Iterator[None]:
    """Two plans to change between; whatever a test did, the ledger is sound."""
    settings.CREDIT_PLANS = ["200:3200", "1000:12000"]
    yield
    assert ledger.verify() == []


@pytest.fixture
def plan(bank: Bank, owner: User) -> Subscription:
    """A subscription that was just begun."""
    assert bank.bought(owner, "plan-200").state == "paid"
    return Subscription.objects.get()


def renew(bank: Bank, plan: Subscription) -> None:
    bank.advance_to_renewal(plan.stripe_id)
    bank.settle_all()
    plan.refresh_from_db()


def test_the_first_month(bank: Bank, owner: User, plan: Subscription) -> None:
    assert net(owner) == 210
    assert (plan.user, plan.plan, plan.credits, plan.amount, plan.status) == (owner, "plan-200", 200, 3200, "active")
    assert plan.period_ends_at
    assert plan.ends_at is None
    payment = Payment.objects.get()
    assert payment.stripe_id.startswith("in_")
    assert (payment.credits, payment.amount) == (200, 3200)
    assert payment.payment_intent
    assert checkout.document(payment).startswith("http")


def test_each_month_brings_credits_and_what_is_left_stays(bank: Bank, owner: User, plan: Subscription) -> None:
    ends = plan.period_ends_at
    for month in (2, 3):
        renew(bank, plan)
        assert net(owner) == 10 + month * 200
    assert plan.period_ends_at is not None
    assert ends is not None
    assert plan.period_ends_at > ends
    assert Payment.objects.count() == 3


def test_a_renewal_that_fails_brings_nothing_until_it_is_paid(bank: Bank, owner: User, plan: Subscription) -> None:
    customer = bank.all("customer")[0]["id"]
    bank.set_card(customer, "declined")
    renew(bank, plan)
    assert (plan.status, net(owner)) == ("past_due", 210)
    bank.set_card(customer, "ok")
    bank.advance(3)
    bank.settle_all()
    plan.refresh_from_db()
    assert (plan.status, net(owner)) == ("active", 410)


def test_a_renewal_that_is_never_paid_ends_it(bank: Bank, owner: User, plan: Subscription) -> None:
    bank.set_card(bank.all("customer")[0]["id"], "declined")
    renew(bank, plan)
    bank.advance(15)
    bank.settle_all()
    plan.refresh_from_db()
    assert (plan.status, net(owner)) == ("canceled", 210)
    assert plan.ends_at


def test_cancelled_at_the_periods_end(bank: Bank, owner: User, plan: Subscription) -> None:
    bank.update_subscription(plan.stripe_id, cancel_at_period_end=True)
    bank.settle_all()
    plan.refresh_from_db()
    assert (plan.status, plan.ends_at) == ("active", plan.period_ends_at)
    renew(bank, plan)
    assert (plan.status, net(owner)) == ("canceled", 210)


def other_price(bank: Bank, owner: User, stranger: User) -> str:
    """The larger plan's price, which somebody else's order has made."""
    bank.order(stranger, "plan-1000")
    return next(str(price["id"]) for price in bank.all("price") if price["unit_amount"] == 12000)


def change(bank: Bank, plan: Subscription, price: str, prorated: str) -> None:
    item = bank.get("subscription", plan.stripe_id)["items"]["data"][0]["id"]
    bank.update_subscription(plan.stripe_id, items=[{"id": item, "price": price}], proration_behavior=prorated)
    bank.settle_all()
    plan.refresh_from_db()


def test_a_change_of_plan_holds_from_the_next_invoice(
    bank: Bank, owner: User, stranger: User, plan: Subscription
) -> None:
    change(bank, plan, other_price(bank, owner, stranger), "none")
    assert (plan.plan, plan.credits, net(owner)) == ("plan-1000", 1000, 210)
    renew(bank, plan)
    assert net(owner) == 1210


def test_where_an_operator_has_changes_prorated_credits_follow_the_money(
    bank: Bank, owner: User, stranger: User, plan: Subscription
) -> None:
    bank.advance(10)
    change(bank, plan, other_price(bank, owner, stranger), "always_invoice")
    upgrade = Payment.objects.latest("pk")
    assert 0 < upgrade.amount < 8800
    assert abs(upgrade.credits - 800 * upgrade.amount / 8800) <= 1
    assert net(owner) == 210 + upgrade.credits


def test_an_earlier_catalogues_subscribers_keep_what_they_signed_up_for(
    bank: Bank, owner: User, plan: Subscription, settings: Any
) -> None:
    settings.CREDIT_PLANS = ["300:3200"]
    renew(bank, plan)
    assert net(owner) == 410


def test_refund_and_dispute_of_a_month(bank: Bank, owner: User, plan: Subscription) -> None:
    payment = Payment.objects.get()
    assert payment.payment_intent
    bank.refund(payment.payment_intent, 1600)
    bank.settle_all()
    assert net(owner) == 110
    dispute = bank.dispute(payment.payment_intent, amount=1600)
    bank.settle_all()
    assert net(owner) == 10
    bank.close_dispute(dispute["id"], won=True)
    bank.settle_all()
    assert net(owner) == 110


def test_lost_messages_are_made_up_for(bank: Bank, owner: User) -> None:
    bank.hooks.mode = "dropped"
    order = bank.order(owner, "plan-200")
    assert order.session_id is not None
    bank.pay(order.session_id)
    reconciliation.reconcile(since=None)
    plan = Subscription.objects.get()
    assert (Order.objects.get().state, net(owner)) == ("paid", 210)
    bank.advance_to_renewal(plan.stripe_id)
    reconciliation.reconcile(since=None)
    assert net(owner) == 410
    bank.cancel_subscription(plan.stripe_id)
    reconciliation.reconcile(since=None)
    plan.refresh_from_db()
    assert plan.status == "canceled"
    assert reconciliation.reconcile(since=None).repaired == []


def test_an_invoice_whose_customer_we_never_heard_of_is_found_by_its_order(bank: Bank, owner: User) -> None:
    from billing.models import Customer

    order = bank.order(owner, "plan-200")
    Customer.objects.update(stripe_id=None)
    assert order.session_id is not None
    bank.pay(order.session_id)
    (paid,) = [event for event in bank.events if event["type"] == "invoice.paid"]
    bank.deliver(paid)
    from tests.billing.bank import work

    work()
    assert net(owner) == 210


def test_a_second_plan_leads_to_the_portal_instead(bank: Bank, owner: User, plan: Subscription) -> None:
    from uuid import uuid4

    for item in packs.plans():
        address = checkout.begin(user=owner, item=item, request_key=uuid4(), site=SITE)
        assert address in {session["url"] for session in bank.all("billing_portal.session")}
    assert Order.objects.count() == 1


def test_the_portal_offers_the_catalogues_plans_and_is_set_up_once(
    bank: Bank, owner: User, plan: Subscription, settings: Any
) -> None:
    for _ in range(2):
        assert checkout.portal(user=owner, site=SITE).startswith(bank.url)
    (made,) = [one for one in bank.all("billing_portal.configuration") if one["metadata"].get("modelmyimage")]
    update = made["features"]["subscription_update"]
    assert len([price for product in update["products"] for price in product["prices"]]) == 2
    assert update["proration_behavior"] == "none"
    assert made["features"]["subscription_cancel"]["mode"] == "at_period_end"
    settings.CREDIT_PLANS = ["200:3200"]
    checkout.portal(user=owner, site=SITE)
    (second,) = [
        one
        for one in bank.all("billing_portal.configuration")
        if one["metadata"].get("modelmyimage") and one["id"] != made["id"]
    ]
    assert second["features"]["subscription_update"]["enabled"] is False


def test_a_price_of_the_operators_own(bank: Bank, owner: User, settings: Any) -> None:
    from billing.stripe_client import api

    price = api().v1.prices.create(
        {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}, "product_data": {"name": "Small"}}
    )
    settings.CREDIT_PLANS = [f"50:900:{price.id}"]
    bank.bought(owner, "plan-50")
    assert net(owner) == 60
    assert Subscription.objects.get().plan == "plan-50"
