"""kill -9 between Stripe's answer and our commit, at every step: repaired by the same form, by redelivery, or by
reconciling, and by each of them alone.

The step runs in a fork of this process, which really dies. Each case says where.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import stripe
from django.db import connection
from django.utils import timezone

from accounts.models import User
from billing import checkout, ledger, packs, reconciliation, stripe_client, syncing, webhooks
from billing.models import Customer, Order, Payment, StripeEvent, Subscription, Transaction
from tests.billing.bank import SITE, Bank, net, work

pytestmark = pytest.mark.django_db(transaction=True)

Place = tuple[Any, str, str]
"""An object, the name of a function of its, and ``before`` or ``after`` it."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(step: Callable[[], object], place: Place) -> None:
    """Run the step in a fork that is killed at the place; fails where it was not."""
    owner, name, when = place
    connection.close()
    child = os.fork()
    if not child:
        try:
            stripe_client._client.cache_clear()  # its connections are our parent's
            function = getattr(owner, name)

            def dying(*args: Any, **options: Any) -> Any:
                if when == "before":
                    die()
                function(*args, **options)
                die()

            setattr(owner, name, dying)
            step()
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the step ended without coming to {name}"


CHECKOUT: dict[str, Place] = {
    "customer made": (stripe.CustomerService, "create", "after"),
    "customer written": (stripe.checkout.SessionService, "create", "before"),
    "session made": (stripe.checkout.SessionService, "create", "after"),
    "order begun": (checkout, "customer_of", "before"),
}
PLANS: dict[str, Place] = {
    **CHECKOUT,
    "price made": (stripe.PriceService, "create", "after"),
}
APPLYING: dict[str, Place] = {
    "claimed": (syncing, "sync", "before"),
    "looked": (syncing, "_write", "before"),
    "granted": (ledger, "grant", "after"),
    "booked": (syncing, "_book", "after"),
    "written": (syncing, "_write", "after"),
    "committed": (syncing, "sync", "after"),
}
REVERSING: dict[str, Place] = {
    **{name: place for name, place in APPLYING.items() if name != "granted"},
    "reversed": (ledger, "reverse", "after"),
}


@pytest.fixture(autouse=True)
def sound_afterwards(bank: Bank, owner: User) -> Any:
    """Whatever died, the ledger is sound, and nobody is at Stripe twice."""
    yield
    assert ledger.verify() == []
    assert len(bank.all("customer")) == 1
    assert Transaction.objects.filter(key__startswith="stripe:", kind="grant").count() == Payment.objects.count()


@pytest.mark.parametrize(
    ("code", "died"), [*(("pack-100", died) for died in CHECKOUT), *(("plan-200", died) for died in PLANS)]
)
def test_on_the_way_to_checkout(bank: Bank, owner: User, code: str, died: str) -> None:
    item, key = packs.find(code), uuid4()
    assert item is not None

    def begin() -> str:
        return checkout.begin(user=owner, item=item, request_key=key, site=SITE)

    killed(begin, PLANS[died])
    assert begin() == bank.all("checkout.session")[0]["url"]
    assert len(bank.all("checkout.session")) == Order.objects.count() == 1
    assert len([price for price in bank.all("price") if price["recurring"]]) == (1 if item.monthly else 0)
    bank.pay(bank.all("checkout.session")[0]["id"])
    bank.settle_all()
    assert net(owner) == 10 + item.credits


def test_the_buyer_pays_a_session_whose_making_we_never_wrote_down(bank: Bank, owner: User) -> None:
    item = packs.find("pack-100")
    assert item is not None
    killed(lambda: checkout.begin(user=owner, item=item, request_key=uuid4(), site=SITE), CHECKOUT["session made"])
    assert Order.objects.get().session_id is None
    bank.hooks.mode = "dropped"
    bank.hooks.kept.clear()
    bank.pay(bank.all("checkout.session")[0]["id"])
    reconciliation.reconcile(since=None)
    assert (Order.objects.get().state, net(owner)) == ("paid", 110)


@pytest.mark.parametrize("place", [(StripeEvent.objects, "get_or_create", "after"), (webhooks, "_send", "before")])
def test_while_a_webhook_is_written_down(bank: Bank, owner: User, place: Place) -> None:
    """Stripe hears no 200 and sends it again; or the row is there and the sweep finds it."""
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    (paid,) = [event for event in bank.pending if event["type"] == "checkout.session.completed"]
    bank.hooks.kept.clear()
    body = json.dumps(paid)
    signature = stripe.WebhookSignature.generate_signature_header(body, bank.secret)
    killed(lambda: bank.post(body.encode(), signature), place)
    if not StripeEvent.objects.exists():
        assert bank.deliver(paid) == [200]
    assert webhooks.sweep() == 1
    work()
    assert net(owner) == 110


def apply_to(bank: Bank, event_type: str, died: Place, mended: str) -> None:
    """Have an event of that type delivered; die while it is applied; then mend it one way."""
    bank.deliver()
    row = StripeEvent.objects.filter(type=event_type).latest("received_at")
    StripeEvent.objects.exclude(pk=row.pk).delete()  # this one alone leads to it
    killed(lambda: webhooks.apply(row.pk), died)
    if mended == "reconcile":
        StripeEvent.objects.all().delete()
        reconciliation.reconcile(since=None)
        return
    bank.deliver(row.pk)
    StripeEvent.objects.update(due_at=timezone.now())
    assert webhooks.sweep() == (0 if StripeEvent.objects.get().applied_at else 1)
    work()
    assert StripeEvent.objects.get().applied_at


@pytest.mark.parametrize("mended", ["redelivery", "reconcile"])
@pytest.mark.parametrize("died", APPLYING)
def test_while_a_payment_is_booked(bank: Bank, owner: User, died: str, mended: str) -> None:
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    apply_to(bank, "checkout.session.completed", APPLYING[died], mended)
    assert (Order.objects.get().state, net(owner)) == ("paid", 110)


@pytest.mark.parametrize("mended", ["redelivery", "reconcile"])
@pytest.mark.parametrize("died", APPLYING)
def test_while_a_month_is_booked(bank: Bank, owner: User, died: str, mended: str) -> None:
    bank.bought(owner, "plan-200")
    bank.advance_to_renewal(Subscription.objects.get().stripe_id)
    apply_to(bank, "invoice.paid", APPLYING[died], mended)
    assert net(owner) == 410


@pytest.mark.parametrize("mended", ["redelivery", "reconcile"])
@pytest.mark.parametrize("died", REVERSING)
@pytest.mark.parametrize("taken", ["charge.refunded", "charge.dispute.created"])
def test_while_credits_are_taken_back(bank: Bank, owner: User, taken: str, died: str, mended: str) -> None:
    order = bank.bought(owner)
    if taken == "charge.refunded":
        bank.refund(bank.intent(order), 1000)
    else:
        bank.dispute(bank.intent(order), amount=1000)
    apply_to(bank, taken, REVERSING[died], mended)
    assert net(owner) == 60


@pytest.mark.parametrize("died", ["looked", "granted", "written", "committed"])
def test_while_reconciling(bank: Bank, owner: User, died: str) -> None:
    bank.hooks.mode = "dropped"
    for _ in range(2):
        order = bank.order(owner)
        assert order.session_id is not None
        bank.pay(order.session_id)
    place = APPLYING[died]
    killed(lambda: reconciliation.reconcile(since=None), (reconciliation, *place[1:]) if died == "committed" else place)
    reconciliation.reconcile(since=None)
    assert net(owner) == 210
    assert reconciliation.reconcile(since=None).repaired == []
    assert Customer.objects.get().stripe_id
