"""What becomes of a payment at the stand-in: Checkout in all its outcomes, refunds in parts, disputes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.stripe import Refusal, Sandbox
from tests.sandbox.stripes import buying, client, happened, paid


def session(running: Sandbox, **options: Any) -> str:
    return str(client(running).v1.checkout.sessions.create(buying(**options)).id)


def test_a_payment_that_succeeds(running) -> None:
    api = client(running)
    id = session(running, client_reference_id="7", metadata={"o": "1"}, payment_intent_data={"metadata": {"o": "1"}})
    opened = api.v1.checkout.sessions.retrieve(id)
    assert (opened.status, opened.payment_status, opened.payment_intent) == ("open", "unpaid", None)
    assert running.pay(id) == "complete"
    done = api.v1.checkout.sessions.retrieve(id, {"expand": ["payment_intent.latest_charge"]})
    assert (done.status, done.payment_status, done.url, done.client_reference_id) == ("complete", "paid", None, "7")
    intent = done.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received, intent.metadata.to_dict()) == ("succeeded", 2000, {"o": "1"})
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.paid, intent.latest_charge.refunded) == (True, False)
    assert happened(running)[-3:] == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    with pytest.raises(Refusal):
        running.pay(id)


def test_a_declined_card_leaves_the_page_open_for_a_better_one(running) -> None:
    api, id = client(running), session(running)
    assert running.pay(id, "declined") == "declined"
    tried = api.v1.checkout.sessions.retrieve(id, {"expand": ["payment_intent"]})
    assert tried.status == "open"
    assert isinstance(tried.payment_intent, stripe.PaymentIntent)
    assert tried.payment_intent.status == "requires_payment_method"
    assert tried.payment_intent.last_payment_error is not None
    assert tried.payment_intent.last_payment_error.code == "card_declined"
    assert running.pay(id, "ok") == "complete"
    done = api.v1.checkout.sessions.retrieve(id)
    assert done.payment_intent == tried.payment_intent.id
    assert [one.status for one in api.v1.charges.list({"payment_intent": tried.payment_intent.id}).data] == [
        "succeeded",
        "failed",
    ]


@pytest.mark.parametrize("approved", [True, False])
def test_authentication(approved: bool, running) -> None:
    id = session(running)
    assert running.pay(id, "auth") == "requires_action"
    with pytest.raises(Refusal):
        running.pay(id, "ok")  # the bank is still asking
    assert running.authenticate(id, approved=approved) == ("complete" if approved else "declined")
    found = running.get("checkout.session", id)
    assert (found["status"], found["payment_status"]) == (("complete", "paid") if approved else ("open", "unpaid"))


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_delayed_payment(succeeds: bool, running) -> None:
    found = paid(running, "delayed")
    assert (found["status"], found["payment_status"]) == ("complete", "unpaid")
    assert happened(running)[-1] == "checkout.session.completed"
    running.settle(found["payment_intent"], succeeds=succeeds)
    after = running.get("checkout.session", found["id"])
    assert after["payment_status"] == ("paid" if succeeds else "unpaid")
    assert happened(running)[-1] == f"checkout.session.async_payment_{'succeeded' if succeeds else 'failed'}"
    with pytest.raises(Refusal):
        running.settle(found["payment_intent"])


@pytest.mark.parametrize(
    ("code", "total", "status"), [("sandbox25", 1500, "paid"), ("SANDBOXFREE", 0, "no_payment_required")]
)
def test_promotion_codes(code: str, total: int, status: str, running) -> None:
    id = session(running, allow_promotion_codes=True)
    with pytest.raises(Refusal):
        running.pay(id, promotion="OTHER")
    running.pay(id, promotion=code)
    found = running.get("checkout.session", id)
    assert (found["amount_total"], found["total_details"]["amount_discount"]) == (total, 2000 - total)
    assert (found["payment_status"], found["payment_intent"] is None) == (status, total == 0)
    assert sum(line["amount_total"] for line in running.book.note(id)["lines"]) == total


def test_no_code_where_none_is_allowed(running) -> None:
    with pytest.raises(Refusal):
        running.pay(session(running), promotion="SANDBOX25")


def test_a_session_expires_by_the_clock_or_on_request(running) -> None:
    api, early, late = client(running), session(running, expires_at=running.now() + 1800), session(running)
    running.advance(seconds=1799)
    assert running.get("checkout.session", early)["status"] == "open"
    running.advance(seconds=2)
    assert running.get("checkout.session", early)["status"] == "expired"
    assert running.events[-1]["created"] == running.get("checkout.session", early)["expires_at"]
    assert api.v1.checkout.sessions.expire(late).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.checkout.sessions.expire(late)
    with pytest.raises(Refusal):
        running.pay(early)
    assert happened(running).count("checkout.session.expired") == 2


def test_an_expired_session_gives_up_its_payment(running) -> None:
    id = session(running)
    running.pay(id, "declined")
    running.expire(id)
    assert running.get("payment_intent", running.get("checkout.session", id)["payment_intent"])["status"] == "canceled"


def test_an_invoice_for_one_purchase(running) -> None:
    found = paid(running, invoice_creation={"enabled": True, "invoice_data": {"metadata": {"order": "1"}}})
    invoice = running.get("invoice", found["invoice"])
    assert (invoice["status"], invoice["billing_reason"], invoice["parent"]) == ("paid", "manual", None)
    assert (invoice["amount_paid"], invoice["metadata"]) == (2000, {"order": "1"})
    payments = client(running).v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": found["payment_intent"]}}
    )
    assert [(one.invoice, one.status) for one in payments.data] == [(invoice["id"], "paid")]
    assert happened(running)[-1] == "checkout.session.completed"


def test_refunds_add_up(running) -> None:
    api, intent = client(running), paid(running)["payment_intent"]
    for amount, total, whole in ((500, 500, False), (300, 800, False), (1200, 2000, True)):
        api.v1.refunds.create({"payment_intent": intent, "amount": amount})
        charge = api.v1.charges.list({"payment_intent": intent}).data[0]
        assert (charge.amount_refunded, charge.refunded) == (total, whole)
    shown = [e["data"]["object"]["amount_refunded"] for e in running.events if e["type"] == "charge.refunded"]
    assert shown == [500, 800, 2000]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"


@pytest.mark.parametrize("amount", [0, -1, 2001])
def test_no_more_than_was_paid_is_refunded(amount: int, running) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client(running).v1.refunds.create({"payment_intent": paid(running)["payment_intent"], "amount": amount})
    assert running.all("refund") == []


def test_a_pending_refund_counts_until_it_fails(running) -> None:
    intent = paid(running)["payment_intent"]
    refund = running.refund(intent, pending=True)
    charge = running.get("charge", refund["charge"])
    assert (refund["status"], charge["refunded"]) == ("pending", True)
    running.settle_refund(refund["id"], succeeds=False)
    assert running.get("charge", charge["id"])["amount_refunded"] == 0
    assert happened(running)[-3:] == ["refund.updated", "refund.failed", "charge.updated"]
    again = running.refund(intent, 600, pending=True)
    running.settle_refund(again["id"])
    assert running.get("refund", again["id"])["status"] == "succeeded"
    running.settle_refund(again["id"], succeeds=False)  # banks send money back that had arrived
    assert running.get("charge", charge["id"])["amount_refunded"] == 0


@pytest.mark.parametrize(
    ("won", "events", "moved"),
    [
        (True, ["closed", "funds_reinstated"], [-2000, 2000]),
        (False, ["closed"], [-2000]),
    ],
)
def test_a_dispute(won: bool, events: list[str], moved: list[int], running) -> None:
    intent = paid(running)["payment_intent"]
    dispute = running.dispute(intent, reason="product_not_received")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client(running).v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_disputed"
    running.close_dispute(dispute["id"], won=won)
    found = client(running).v1.disputes.retrieve(dispute["id"])
    assert (found.status, found.reason) == ("won" if won else "lost", "product_not_received")
    assert [one.amount for one in found.balance_transactions] == moved
    expected = ["created", "funds_withdrawn", *events]
    assert [one for one in happened(running) if "dispute" in one] == [f"charge.dispute.{one}" for one in expected]
    with pytest.raises(Refusal):
        running.close_dispute(dispute["id"], won=won)
    with pytest.raises(Refusal):
        running.dispute(intent)


def test_an_inquiry_takes_nothing_unless_it_grows(running) -> None:
    first = running.dispute(paid(running)["payment_intent"], inquiry=True)
    assert (first["status"], first["balance_transactions"]) == ("warning_needs_response", [])
    running.close_dispute(first["id"], won=False)
    assert running.get("dispute", first["id"])["status"] == "warning_closed"
    second = running.dispute(paid(running)["payment_intent"], inquiry=True)
    running.escalate(second["id"])
    found = running.get("dispute", second["id"])
    assert (found["status"], len(found["balance_transactions"])) == ("needs_response", 1)
    assert [one for one in happened(running) if "dispute" in one] == [
        "charge.dispute.created",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]


def test_what_was_not_paid_is_not_given_back(running) -> None:
    intent = paid(running, "delayed")["payment_intent"]
    for act in (running.refund, running.dispute):
        with pytest.raises(Refusal):
            act(intent)
