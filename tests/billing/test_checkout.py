"""The way to Stripe: one order, one session, one customer, however often the form is sent or a process dies."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from billing import checkout, packs
from billing.models import Customer, Order, Payment, Subscription
from tests.billing.bank import SITE, Bank, net

pytestmark = pytest.mark.django_db

PACK = packs.Item(credits=100, amount=2000, monthly=False)
PLAN = packs.Item(credits=200, amount=3200, monthly=True)


def begin(user: User, item: packs.Item = PACK, key: Any = None) -> str:
    return checkout.begin(user=user, item=item, request_key=key or uuid4(), site=SITE)


def test_a_pack_leads_to_checkout(bank: Bank, owner: User) -> None:
    address = begin(owner)
    (session,) = bank.all("checkout.session")
    order = Order.objects.get()
    assert address == session["url"]
    assert (session["mode"], session["amount_total"], session["currency"]) == ("payment", 2000, "eur")
    assert session["client_reference_id"] == str(order.pk) == session["metadata"]["order"]
    assert session["success_url"] == f"{SITE}/billing/orders/{order.pk}?from=stripe"
    assert session["cancel_url"] == f"{SITE}/billing/orders/{order.pk}?cancelled=1"
    assert session["allow_promotion_codes"] is True
    assert order.session_id == session["id"]
    assert net(owner) == 10


def test_the_same_form_twice_is_one_order(bank: Bank, owner: User) -> None:
    key = uuid4()
    assert begin(owner, key=key) == begin(owner, key=key)
    assert len(bank.all("checkout.session")) == Order.objects.count() == 1
    begin(owner, packs.Item(credits=20, amount=500, monthly=False), key=key)  # another item of a form left open
    assert Order.objects.count() == 2


def test_a_form_whose_order_was_paid_leads_to_the_order(bank: Bank, owner: User) -> None:
    key = uuid4()
    begin(owner, key=key)
    (session,) = bank.all("checkout.session")
    bank.pay(session["id"])
    bank.settle_all()
    assert begin(owner, key=key) == f"{SITE}/billing/orders/{Order.objects.get().pk}"
    assert len(bank.all("checkout.session")) == 1


def test_only_the_last_order_for_a_plan_can_be_paid(bank: Bank, owner: User) -> None:
    first, key = begin(owner, PLAN), uuid4()
    assert begin(owner, PLAN, key=key) == begin(owner, PLAN, key=key) != first
    old, new = bank.all("checkout.session")
    assert (old["status"], new["status"]) == ("expired", "open")
    bank.pay(new["id"])
    bank.settle_all()
    assert sorted(Order.objects.values_list("state", flat=True)) == ["expired", "paid"]
    assert Subscription.objects.count() == 1


def test_nobody_begins_orders_without_end(
    bank: Bank, owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "MOST_ORDERS", 3)
    key = uuid4()
    for last in (uuid4(), uuid4(), key):
        begin(owner, key=last)
    with pytest.raises(checkout.TooManyOrders):
        begin(owner)
    assert begin(owner, key=key)
    assert begin(stranger)
    assert Order.objects.filter(user=owner).count() == 3


def test_a_customer_is_made_once(bank: Bank, owner: User, stranger: User) -> None:
    for _ in range(3):
        begin(owner)
    begin(stranger)
    assert len(bank.all("customer")) == 2
    assert {row.user: row.stripe_id for row in Customer.objects.all()} == {
        owner: bank.all("customer")[0]["id"],
        stranger: bank.all("customer")[1]["id"],
    }


def test_a_customer_whose_making_we_never_heard_of_is_found_again(bank: Bank, owner: User) -> None:
    bank.fail("hang_up_after", times=9, method="POST", path="/v1/customers")
    with pytest.raises(checkout.Unavailable):
        begin(owner)
    assert len(bank.all("customer")) == 1
    bank.mend()
    Customer.objects.update(version=7)  # so that Stripe's memory of idempotency keys is no help
    begin(owner)
    assert len(bank.all("customer")) == 1
    assert Customer.objects.get().stripe_id == bank.all("customer")[0]["id"]


def test_a_session_whose_making_we_never_heard_of_is_found_again(bank: Bank, owner: User) -> None:
    key = uuid4()
    bank.fail("hang_up_after", times=9, method="POST", path="/v1/checkout/sessions")
    with pytest.raises(checkout.Unavailable):
        begin(owner, key=key)
    assert Order.objects.get().session_id is None
    bank.mend()
    begin(owner, key=key)
    (session,) = bank.all("checkout.session")
    assert Order.objects.get().session_id == session["id"]


def test_a_customer_removed_at_stripe_is_made_anew(bank: Bank, owner: User) -> None:
    from billing.stripe_client import api

    begin(owner)
    api().v1.customers.delete(str(Customer.objects.get().stripe_id))
    assert begin(owner) == bank.all("checkout.session")[-1]["url"]
    assert Customer.objects.get().stripe_id == bank.all("checkout.session")[-1]["customer"]


def test_stripe_away(bank: Bank, owner: User) -> None:
    bank.fail(500, times=99)
    with pytest.raises(checkout.Unavailable):
        begin(owner)
    bank.mend()
    assert begin(owner)


def test_a_key_that_does_not_do_is_no_fault_of_the_buyers(bank: Bank, owner: User, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    with pytest.raises(checkout.Unavailable):
        begin(owner)


def test_nothing_for_sale(owner: User, settings: Any) -> None:
    settings.BILLING = False
    with pytest.raises(checkout.BillingOff):
        begin(owner)


def test_automatic_tax(bank: Bank, owner: User, settings: Any) -> None:
    settings.STRIPE_AUTOMATIC_TAX = True
    begin(owner)
    assert bank.all("checkout.session")[0]["automatic_tax"]["enabled"] is True


def test_resume(bank: Bank, owner: User) -> None:
    order = bank.order(owner)
    assert order.session_id is not None
    assert checkout.resume(order) == bank.get("checkout.session", order.session_id)["url"]
    bank.expire(order.session_id)
    assert checkout.resume(order) == ""
    assert checkout.resume(Order(user=owner)) == ""


def test_a_payments_document(bank: Bank, owner: User) -> None:
    bank.bought(owner)
    assert checkout.document(Payment.objects.get()).startswith("http")
