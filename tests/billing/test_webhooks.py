"""The webhook endpoint believes Stripe alone, once, and forgets nothing."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from stripe import WebhookSignature

from accounts.models import User
from billing import ledger, stripe_client, syncing, webhooks
from billing.models import Payment, StripeEvent, Transaction
from billing.stripe_client import Unavailable
from tests.billing.bank import SECRET, Bank, net, work

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
}


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """The signature that Stripe would send with a body."""
    return str(WebhookSignature.generate_signature_header(body.decode(), secret, int(at or time.time())))


def post(client: Client, body: bytes, signature: str | None) -> int:
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return client.post("/billing/webhook", body, content_type="application/json", headers=headers).status_code


BODY = json.dumps(EVENT).encode()
LONG_ID = json.dumps({**EVENT, "id": "e" * 256}).encode()


def cases() -> dict[str, tuple[bytes, str | None]]:
    good = signed(BODY)
    other = json.dumps(EVENT, indent=1).encode()
    mac = good.partition("v1=")[2]
    return {
        "unsigned": (BODY, None),
        "empty signature": (BODY, ""),
        "another secret": (BODY, signed(BODY, secret="whsec_other")),
        "an empty secret": (BODY, signed(BODY, secret="")),
        "re-serialised": (other, good),
        "truncated": (BODY[:-1], good),
        "empty": (b"", good),
        "old": (BODY, signed(BODY, at=time.time() - 301)),
        "from the future": (BODY, signed(BODY, at=time.time() + 330)),
        "time changed": (BODY, good.replace("t=", "t=1")),
        "no time": (BODY, f"v1={mac}"),
        "time that is none": (BODY, f"t=now,v1={mac}"),
        "only v0": (BODY, good.replace("v1=", "v0=")),
        "no signature": (BODY, good.partition(",")[0]),
        "not ASCII": (BODY, "t=1,v1=\u00e9".encode().decode("latin-1")),
        "not UTF-8": (b"\xff" + BODY, good),
        "ten megabytes": (b" " * 10_000_000, good),
        "ten megabytes, signed": (b" " * 10_000_000, signed(b" " * 10_000_000)),
        "no JSON": (b"hello", signed(b"hello")),
        "no object": (b"[1]", signed(b"[1]")),
        "no id": (b'{"type": "x"}', signed(b'{"type": "x"}')),
        "an id without end": (LONG_ID, signed(LONG_ID)),
        "nested without end": (b"[" * 100_000, signed(b"[" * 100_000)),
    }


@pytest.mark.parametrize("case", list(cases()))
def test_what_stripe_did_not_say_now_is_400_and_touches_nothing(
    bank: Bank, client: Client, case: str, db: None, django_assert_num_queries: Any
) -> None:
    body, signature = cases()[case]
    with django_assert_num_queries(0):
        assert post(client, body, signature) == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_what_stripe_said_is_written_down_once(bank: Bank, client: Client) -> None:
    for _ in range(3):
        assert post(client, BODY, signed(BODY)) == 200
    row = StripeEvent.objects.get()
    assert (row.id, row.kind, row.object_id, row.applied_at) == ("evt_1", "session", "cs_test_1", None)


@pytest.mark.django_db
def test_a_secret_that_is_being_replaced(bank: Bank, client: Client, settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    assert post(client, BODY, signed(BODY)) == 200
    assert post(client, BODY, signed(BODY, secret="whsec_new")) == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("event_type", "found"),
    [
        ("customer.created", {"id": "cus_1"}),
        ("something.new", {"id": "x"}),
        ("invoice.upcoming", {}),
        ("refund.created", {"id": "re_1", "payment_intent": None}),
        ("checkout.session.completed", {"id": "x" * 300}),
        ("checkout.session.completed", []),
    ],
)
def test_what_does_not_concern_the_books_is_200_and_forgotten(
    bank: Bank, client: Client, event_type: str, found: Any
) -> None:
    body = json.dumps({**EVENT, "type": event_type, "data": {"object": found}}).encode()
    assert post(client, body, signed(body)) == 200
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_get_and_switched_off(bank: Bank, client: Client, settings: Any) -> None:
    assert client.get("/billing/webhook").status_code == 405
    settings.BILLING = False
    assert post(client, BODY, signed(BODY)) == 404


@pytest.mark.django_db
def test_a_failure_is_kept_and_tried_again(bank: Bank, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_client, "RETRIES", 0)  # the library waits between its own
    stripe_client._client.cache_clear()
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    bank.deliver()
    bank.fail(503, times=100)
    rows = list(StripeEvent.objects.all())
    for row in rows:
        webhooks.apply(row.pk)
    for row in StripeEvent.objects.all():
        assert (row.error, row.tries, row.applied_at) == ("Unavailable", 1, None)
        assert row.due_at > timezone.now()
    assert net(owner) == 10
    bank.mend()
    work()
    assert net(owner) == 110
    assert set(StripeEvent.objects.values_list("error", flat=True)) == {""}


@pytest.mark.django_db
def test_a_fault_of_ours_rolls_back_and_is_kept(bank: Bank, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect and its mark are one transaction: if the mark fails, nothing was granted."""
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    bank.deliver()
    grant = ledger.grant

    def broken(**told: Any) -> Transaction:
        grant(**told)
        raise RuntimeError("after the grant")

    (completed,) = StripeEvent.objects.filter(type="checkout.session.completed")
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "grant", broken)
        with pytest.raises(RuntimeError):
            webhooks.apply(completed.pk)
    completed.refresh_from_db()
    assert (completed.error, completed.applied_at) == ("RuntimeError", None)
    assert net(owner) == 10
    assert not Payment.objects.exists()
    work()
    assert net(owner) == 110


@pytest.mark.django_db
def test_the_sweep_takes_up_what_is_due(bank: Bank, client: Client) -> None:
    assert post(client, BODY, signed(BODY)) == 200
    assert webhooks.sweep() == 1
    webhooks.apply("evt_1")  # Stripe does not know this session
    assert webhooks.sweep() == 0
    StripeEvent.objects.update(due_at=timezone.now())
    assert webhooks.sweep() == 1


@pytest.mark.django_db
def test_events_are_forgotten_long_after_they_were_applied(bank: Bank, owner: User) -> None:
    bank.bought(owner)
    applied, waiting, fresh = StripeEvent.objects.order_by("pk")[:3]
    long_ago = timezone.now() - webhooks.KEPT - timedelta(hours=1)
    StripeEvent.objects.filter(pk=applied.pk).update(applied_at=long_ago)
    StripeEvent.objects.filter(pk=waiting.pk).update(applied_at=None, received_at=long_ago)
    assert webhooks.forget() == 1
    assert not StripeEvent.objects.filter(pk=applied.pk).exists()
    assert StripeEvent.objects.filter(pk__in=[waiting.pk, fresh.pk]).count() == 2


@pytest.mark.django_db
def test_an_event_being_worked_on_is_left_to_its_worker(
    bank: Bank, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.order(owner)
    StripeEvent.objects.create(id="evt_2", type="checkout.session.completed", kind="session", object_id="cs_2")
    seen: list[str] = []

    def meanwhile(kind: str, object_id: str, **_: Any) -> bool:
        seen.append(object_id)
        webhooks.apply("evt_2")
        raise Unavailable

    monkeypatch.setattr(syncing, "sync", meanwhile)
    webhooks.apply("evt_2")
    assert seen == ["cs_2"]


@pytest.mark.django_db(transaction=True)
def test_fifty_deliveries_of_one_event_at_once(bank: Bank, owner: User) -> None:
    """On Postgres, and on SQLite where the run has that: one row, one grant."""
    order = bank.order(owner)
    assert order.session_id is not None
    bank.pay(order.session_id)
    (completed,) = [event for event in bank.events if event["type"] == "checkout.session.completed"]
    body = json.dumps(completed).encode()
    start = Barrier(50)

    def deliver(_: int) -> int:
        try:
            start.wait(30)
            status = post(Client(), body, signed(body))
            webhooks.apply(completed["id"])
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as threads:
        assert set(threads.map(deliver, range(50))) == {200}
    work()
    assert StripeEvent.objects.get().applied_at
    assert Transaction.objects.filter(reason="pack").count() == 1
    assert net(owner) == 110
    assert ledger.verify() == []
