"""Erasing somebody who bought: everything ends at Stripe, and what comes from there later goes into the books alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from billing import checkout, ledger, packs, reconciliation, webhooks
from billing.models import ClosedBooks, Customer, Order, Payment, StripeEvent, Subscription, Transaction
from privacy import erasure
from privacy.models import Erasure, Receipt
from tests.billing.bank import SITE, Bank, net, work

pytestmark = pytest.mark.django_db


def again() -> None:
    """Look at the erasures once more, whatever they wait for."""
    Erasure.objects.update(due_at=timezone.now())
    for row in Erasure.objects.exclude(state="done"):
        erasure.advance(row.pk)


def erased(owner: User) -> Erasure:
    row = erasure.request(owner, grace=timedelta(0))
    again()
    row.refresh_from_db()
    assert row.state == "done", row.error
    return row


def test_everything_ends_at_stripe(bank: Bank, owner: User, stranger: User) -> None:
    bank.bought(owner)
    bank.bought(owner, "plan-200")
    bank.bought(stranger, "plan-200")
    left_open = bank.order(owner)
    others = [one["id"] for one in bank.all("customer") if one["email"] == stranger.email]
    row = erased(owner)
    by_id = {one["id"]: one for one in bank.all("customer")}
    assert {one: by_id[one].get("deleted", False) for one in by_id} == {one: one not in others for one in by_id}
    assert owner.email not in str(list(by_id.values()))
    assert bank.get("checkout.session", str(left_open.session_id))["status"] == "expired"
    plans = {one["customer"]: one["status"] for one in bank.all("subscription")}
    assert [plans[one] for one in others] == ["active"]
    assert sorted(plans.values()) == ["active", "canceled"]
    assert Subscription.objects.get(user=owner).status == "canceled"
    said = Receipt.objects.get(group=row.pk).document["receipt"]["elsewhere"]
    assert [(line["provider"], line["result"], line.get("calls")) for line in said] == [
        ("Stripe", "erased", None), ("Stripe (payments, invoices)", "unsupported", 2),
    ]  # fmt: skip
    assert {order.state for order in Order.objects.filter(user=owner)} == {"paid"}
    assert not Customer.objects.filter(user=owner).exists()


def quiet(bank: Bank, owner: User) -> None:
    """Whatever is said once more makes no row of a customer, and the ledger is sound."""
    bank.settle_all()
    reconciliation.reconcile(since=None)
    work()
    assert not StripeEvent.objects.filter(applied_at=None).exists()
    assert list(Customer.objects.filter(user=owner)) == []
    assert ledger.verify() == []
    owner.refresh_from_db()
    assert owner.email.endswith("@invalid")


def test_what_stripe_says_later_is_booked(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    plan = bank.bought(owner, "plan-200")
    assert net(owner) == 310
    erased(owner)
    quiet(bank, owner)
    bank.refund(bank.intent(order), 1000)
    quiet(bank, owner)
    assert net(owner) == 260
    bank.dispute(bank.intent(order), amount=1000)
    quiet(bank, owner)
    assert net(owner) == 210
    payment = Payment.objects.get(stripe_id=order.session_id)
    assert (payment.refunded, payment.disputed, payment.reversed) == (1000, 1000, 100)
    assert Payment.objects.count() == 2
    assert plan.monthly


def test_money_that_was_on_its_way(bank: Bank, owner: User) -> None:
    """A debit that takes days comes when nobody is there any more: booked, as it was paid."""
    order = bank.order(owner)
    bank.pay(str(order.session_id), "delayed")
    bank.settle_all()
    assert Order.objects.get().state == "pending"
    erased(owner)
    assert Order.objects.get().state == "pending"
    bank.settle(bank.intent(order))
    quiet(bank, owner)
    assert (Order.objects.get().state, net(owner)) == ("paid", 110)


def test_paid_at_the_last_moment(bank: Bank, owner: User) -> None:
    """And no word of it has come: it is booked before its order is looked at."""
    order = bank.order(owner)
    bank.pay(str(order.session_id))
    erased(owner)
    assert Order.objects.get().state == "paid"
    assert Transaction.objects.filter(key=f"stripe:{order.session_id}").exists()
    quiet(bank, owner)


def test_a_session_of_whose_making_we_never_heard(bank: Bank, owner: User) -> None:
    order = bank.order(owner)
    Order.objects.update(session_id=None)
    erased(owner)
    assert bank.get("checkout.session", str(order.session_id))["status"] == "expired"
    assert not Order.objects.exists()
    assert not User.objects.filter(pk=owner.pk).exists()  # nothing was ever booked
    bank.settle_all()
    reconciliation.reconcile(since=None)
    assert not Customer.objects.exists()


def test_a_customer_of_whom_we_never_wrote_down_the_number(bank: Bank, owner: User) -> None:
    bank.order(owner)
    Customer.objects.update(stripe_id=None)
    erased(owner)
    assert all(one["deleted"] for one in bank.all("customer"))


def test_stripe_is_away_for_a_while(bank: Bank, owner: User, settings) -> None:
    bank.bought(owner, "plan-200")
    there, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    row = erasure.request(owner, grace=timedelta(0))
    for tries in (1, 2):
        again()
        row.refresh_from_db()
        assert (row.state, row.error, row.tries) == ("running", "Unavailable", tries)
    assert not User.objects.get(pk=owner.pk).is_active
    assert Customer.objects.filter(user=owner).exists()
    assert bank.all("subscription")[0]["status"] == "active"
    settings.STRIPE_API_BASE = there
    again()
    row.refresh_from_db()
    assert row.state == "done"
    assert bank.all("subscription")[0]["status"] == "canceled"


def test_a_site_without_its_key_waits_for_it(bank: Bank, owner: User, settings) -> None:
    bank.bought(owner)
    settings.BILLING = False
    row = erasure.request(owner, grace=timedelta(0))
    again()
    row.refresh_from_db()
    assert (row.state, row.error) == ("running", "BillingOff")
    settings.BILLING = True
    again()
    row.refresh_from_db()
    assert row.state == "done"


def test_who_never_bought_needs_no_stripe(owner: User) -> None:
    ledger.balance(owner)
    row = erased(owner)
    assert Receipt.objects.get(group=row.pk).document["receipt"]["elsewhere"] == []
    assert ClosedBooks.objects.filter(user=owner).exists()  # there is the welcome grant


def test_nothing_is_bought_while_it_waits(bank: Bank, owner: User, browser) -> None:
    item = packs.find("pack-100")
    assert item is not None
    page = browser.get("/pricing")
    erasure.request(owner)
    answer = browser.post("/billing/orders", {"item": "pack-100", "request_key": page.context["request_key"]})
    assert answer.status_code == 409
    assert "would be lost" in answer.content.decode()
    assert not Order.objects.exists()
    erasure.undo(owner)
    answer = browser.post("/billing/orders", {"item": "pack-100", "request_key": page.context["request_key"]})
    assert answer.status_code == 303


def test_a_purchase_that_was_under_way_makes_no_new_customer(bank: Bank, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    with pytest.raises(checkout.Leaving):
        checkout.customer_of(owner)
    with pytest.raises(checkout.Leaving):
        checkout.portal(user=owner, site=SITE)
    assert bank.all("customer") == []


def test_an_event_that_was_waiting_is_no_trouble(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    bank.refund(bank.intent(order), 500)
    bank.deliver()
    erased(owner)
    for event in StripeEvent.objects.filter(applied_at=None):
        webhooks.apply(event.pk)
    quiet(bank, owner)
    reconciliation.reconcile(since=None)
    assert Payment.objects.get().refunded == 500
