"""Whatever Stripe says, in whatever order: the books come to say the same."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from accounts.models import User
from billing import facts, ledger, syncing
from billing.ledger import Balance
from billing.models import Order, Payment, StripeEvent, Transaction
from tests.billing.bank import Bank, net, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sound_afterwards(db: None) -> Any:
    """Whatever a test did, the ledger is sound."""
    yield
    assert ledger.verify() == []


def test_a_paid_pack_brings_its_credits_once(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    assert order.state == "paid"
    assert ledger.balance(owner) == Balance(available=110, held=0)
    for event in bank.events:
        bank.deliver(event)
    work()
    assert ledger.balance(owner) == Balance(available=110, held=0)
    payment = Payment.objects.get()
    assert (payment.credits, payment.amount, payment.currency, payment.user) == (100, 2000, "eur", owner)
    assert payment.grant == Transaction.objects.get(reason="pack")


def test_nothing_comes_before_the_money(bank: Bank, owner: User) -> None:
    order = bank.order(owner)
    assert order.session_id is not None
    bank.settle_all()
    assert bank.pay(order.session_id, "declined") == "declined"
    bank.settle_all()
    order.refresh_from_db()
    assert (order.state, net(owner)) == ("open", 10)
    bank.pay(order.session_id, "delayed")
    bank.settle_all()
    order.refresh_from_db()
    assert (order.state, net(owner)) == ("pending", 10)
    bank.settle(bank.intent(order))
    bank.settle_all()
    order.refresh_from_db()
    assert (order.state, net(owner)) == ("paid", 110)


def test_a_slow_payment_that_does_not_come(bank: Bank, owner: User) -> None:
    order = bank.bought(owner, card="delayed")
    bank.settle(bank.intent(order), succeeds=False)
    bank.settle_all()
    order.refresh_from_db()
    assert (order.state, net(owner)) == ("failed", 10)


def test_an_expired_order(bank: Bank, owner: User) -> None:
    order = bank.order(owner)
    assert order.session_id is not None
    bank.expire(order.session_id)
    bank.settle_all()
    order.refresh_from_db()
    assert (order.state, net(owner)) == ("expired", 10)


def test_a_promotion_lowers_the_price_and_not_the_credits(bank: Bank, owner: User) -> None:
    bank.bought(owner, promotion="SANDBOX25")
    bank.bought(owner, promotion="SANDBOXFREE")
    assert net(owner) == 210
    cheap, free = Payment.objects.order_by("pk")
    assert (cheap.amount, free.amount, free.payment_intent) == (1500, 0, None)
    assert free.to_reverse() == 0


def test_refunds_take_back_in_proportion(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    bank.refund(bank.intent(order), 333)
    bank.settle_all()
    assert net(owner) == 110 - 16  # 16.65, in the payer's favour
    bank.refund(bank.intent(order), 667)
    bank.settle_all()
    assert net(owner) == 110 - 50
    bank.refund(bank.intent(order))
    bank.settle_all()
    assert net(owner) == 10
    assert [told.credits for told in Transaction.objects.filter(kind="reverse").order_by("pk")] == [16, 34, 50]


def test_a_refund_that_fails_gives_the_credits_back(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    refund = bank.refund(bank.intent(order), 1000, pending=True)
    bank.settle_all()
    assert net(owner) == 60
    bank.settle_refund(refund["id"], succeeds=False)
    bank.settle_all()
    assert net(owner) == 110
    assert Transaction.objects.get(kind="restore").reason == "refund"


@pytest.mark.parametrize(("won", "left"), [(True, 110), (False, 10)])
def test_a_dispute(bank: Bank, owner: User, *, won: bool, left: int) -> None:
    order = bank.bought(owner)
    dispute = bank.dispute(bank.intent(order))
    bank.settle_all()
    assert net(owner) == 10
    bank.close_dispute(dispute["id"], won=won)
    bank.settle_all()
    assert net(owner) == left


def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    dispute = bank.dispute(bank.intent(order), inquiry=True)
    bank.settle_all()
    assert net(owner) == 110
    bank.escalate(dispute["id"])
    bank.settle_all()
    assert net(owner) == 10


def test_refund_and_dispute_of_one_payment_take_no_more_than_it_brought(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    bank.refund(bank.intent(order), 1500)
    bank.dispute(bank.intent(order), amount=1500)
    bank.settle_all()
    assert net(owner) == 10
    assert Payment.objects.get().reversed == 100


def test_what_was_spent_becomes_a_debt_that_the_next_pack_pays(bank: Bank, owner: User) -> None:
    order = bank.bought(owner)
    job = uuid.uuid4()
    ledger.hold(user=owner, credits=90, job=job)
    ledger.capture(job=job)
    bank.refund(bank.intent(order))
    bank.settle_all()
    assert ledger.balance(owner) == Balance(available=0, held=0, owed=80)
    bank.bought(owner)
    assert ledger.balance(owner) == Balance(available=20, held=0)


def test_any_order_of_the_messages_gives_the_same_books(bank: Bank, owner: User) -> None:
    """Every permutation of the messages that say something, with losses: each one leads to the present state."""
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    bank.refund(bank.intent(order), 500)
    dispute = bank.dispute(bank.intent(order), amount=500)
    bank.close_dispute(dispute["id"], won=True)
    said = [event for event in bank.events if event["type"].startswith(("checkout.", "charge.", "refund."))]
    kinds = {event["type"]: event for event in said}
    assert len(kinds) >= 6
    wanted = None
    for events in itertools.islice(itertools.permutations(kinds.values(), 3), 0, None, 7):
        for event in events:
            bank.deliver(event)
        work()
        found = (net(owner), Order.objects.get().state, Payment.objects.get().reversed)
        wanted = wanted or found
        assert found == wanted == (85, "paid", 25)
    assert Transaction.objects.filter(kind="grant", reason="pack").count() == 1


def test_a_refund_heard_of_before_its_payment_books_both(bank: Bank, owner: User) -> None:
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    bank.refund(bank.intent(order), 1000)
    (refunded,) = [event for event in bank.events if event["type"] == "charge.refunded"]
    bank.deliver(refunded)
    work()
    assert net(owner) == 60
    assert Order.objects.get().state == "paid"


def test_what_other_programs_do_with_the_account_is_left_alone(bank: Bank, owner: User) -> None:
    from billing.stripe_client import api

    session = api().v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://other.example",
            "line_items": [
                {"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Mug"}}}
            ],
        }
    )
    bank.pay(session.id)
    bank.refund(str(bank.get("checkout.session", session.id)["payment_intent"]))
    bank.settle_all()
    assert not Payment.objects.exists()
    assert not StripeEvent.objects.filter(applied_at=None).exists()


def test_who_saw_less_does_not_write_last(bank: Bank, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that was overtaken by another's writing looks again."""
    order = bank.bought(owner)
    assert order.session_id is not None
    bank.refund(bank.intent(order), 1000)
    look = facts.LOOKS["session"]
    overtaken: list[Any] = []

    def slow(session_id: str) -> Any:
        seen = look(session_id)
        if not overtaken:
            overtaken.append(seen)
            bank.refund(bank.intent(order), 500)
            syncing.sync("payment", bank.intent(order))
        return seen

    monkeypatch.setitem(facts.LOOKS, "session", slow)
    assert not syncing.sync("session", order.session_id)
    assert overtaken[0].sale.refunded == 1000
    assert Payment.objects.get().refunded == 1500
    assert net(owner) == 35
