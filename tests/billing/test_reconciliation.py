"""What no event told is found by looking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import User
from billing import checkout, ledger, reconciliation
from billing.models import Customer, Order, Payment
from tests.billing.bank import Bank, net

pytestmark = pytest.mark.django_db


def reconcile(**options: Any) -> reconciliation.Report:
    return reconciliation.reconcile(since=options.get("since", timezone.now() - timedelta(days=3)))


def test_a_lost_payment_refund_and_dispute(bank: Bank, owner: User) -> None:
    bank.hooks.mode = "dropped"
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    report = reconcile()
    assert report.repaired == [("session", order.session_id)]
    assert net(owner) == 110
    bank.refund(bank.intent(order), 500)
    dispute = bank.dispute(bank.intent(order), amount=500)
    assert reconcile().repaired
    assert net(owner) == 60
    bank.close_dispute(dispute["id"], won=True)
    reconcile()
    assert net(owner) == 85
    again = reconcile()
    assert (again.repaired, again.failed) == ([], [])
    assert again.looked_at == 1  # the refund and the dispute are of one payment
    assert ledger.verify() == []


def test_an_order_whose_session_we_never_heard_of(bank: Bank, owner: User) -> None:
    """The process died between Stripe's answer and our commit, and the buyer paid all the same."""
    order = bank.order(owner)
    session = order.session_id
    assert session is not None
    Order.objects.update(session_id=None)
    Customer.objects.update(stripe_id=None)
    bank.pay(session)
    reconcile()
    order.refresh_from_db()
    assert (order.state, order.session_id, net(owner)) == ("paid", session, 110)
    assert Customer.objects.get().stripe_id == bank.all("customer")[0]["id"]


def test_an_order_that_never_reached_stripe_expires(bank: Bank, owner: User) -> None:
    order = Order.objects.create(user=owner, item="pack-100", credits=100, amount=2000, currency="eur")
    reconcile()
    order.refresh_from_db()
    assert order.state == "open"
    Order.objects.update(created_at=timezone.now() - timedelta(days=2))
    reconcile()
    order.refresh_from_db()
    assert order.state == "expired"


def test_a_dispute_decided_long_afterwards(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    dispute = bank.dispute(bank.intent(order))
    bank.settle_all()
    bank.hooks.mode = "dropped"
    bank.close_dispute(dispute["id"], won=True)
    reconcile(since=timezone.now() + timedelta(days=900))
    assert net(owner) == 110


def test_the_command(bank: Bank, owner: User, capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    bank.hooks.mode = "dropped"
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    call_command("reconcile_stripe", days=1)
    assert f"repaired: session {order.session_id}" in capsys.readouterr().out
    call_command("reconcile_stripe", all=True)
    assert capsys.readouterr().out.endswith(" 0 repaired.\n")
    bank.fail(500, times=99)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("reconcile_stripe")
    settings.BILLING = False
    with pytest.raises(CommandError, match="Nothing is for sale"):
        call_command("reconcile_stripe")


def test_an_object_that_stripe_no_longer_has(bank: Bank, owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    """One that cannot be looked at is named, and does not keep the others from being repaired."""
    bank.hooks.mode = "dropped"
    lost = Order.objects.create(
        user=owner, item="pack-100", credits=100, amount=2000, currency="eur", session_id="cs_gone"
    )
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    with pytest.raises(SystemExit) as left:
        call_command("reconcile_stripe")
    assert left.value.code == 1
    assert f"NOT repaired: session {lost.session_id}" in capsys.readouterr().out
    assert net(owner) == 110


def test_many_pages(bank: Bank, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "MOST_ORDERS", 1000)
    bank.hooks.mode = "dropped"
    small = [bank.order(owner, "pack-20") for _ in range(105)]
    for order in small:
        assert order.session_id is not None
        bank.pay(order.session_id)
    Order.objects.update(state="expired")  # as if it had been given up: only Stripe's lists lead to them
    assert len(reconcile().repaired) == 105
    assert Payment.objects.count() == 105
    assert net(owner) == 10 + 105 * 20
