"""A subscription's life at the stand-in, moved on by its clock: renewed, past due, recovered, changed, ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from sandbox.stripe import Refusal, Sandbox
from sandbox.stripe.shapes import Json
from sandbox.stripe.subscriptions import RETRY_SECONDS
from tests.sandbox.stripes import client, happened, plan, sandbox, subscribed

FIRST = datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def running():
    with sandbox(now=lambda: FIRST) as stand_in:
        yield stand_in


def status(running: Sandbox, subscription: Json) -> str:
    return str(running.get("subscription", subscription["id"])["status"])


def bills(running: Sandbox) -> list[tuple[str, str, int]]:
    return [(one["billing_reason"], one["status"], one["total"]) for one in running.all("invoice")]


def until(running: Sandbox, subscription: Json) -> str:
    item = running.get("subscription", subscription["id"])["items"]["data"][0]
    return datetime.fromtimestamp(item["current_period_end"], UTC).date().isoformat()


def test_it_begins_with_a_paid_invoice(running) -> None:
    one = subscribed(running, subscription_data={"metadata": {"account": "1"}})
    invoice = running.get("invoice", one["latest_invoice"])
    assert (one["status"], one["metadata"], until(running, one)) == ("active", {"account": "1"}, "2027-02-28")
    assert (invoice["billing_reason"], invoice["status"], invoice["amount_paid"]) == (
        "subscription_create",
        "paid",
        1000,
    )
    details = invoice["parent"]["subscription_details"]
    assert (details["subscription"], details["metadata"]) == (one["id"], {"account": "1"})
    [line] = invoice["lines"]["data"]
    item = one["items"]["data"][0]
    assert line["pricing"]["price_details"]["price"] == item["price"]["id"]
    assert line["period"] == {"start": item["current_period_start"], "end": item["current_period_end"]}
    session = running.all("checkout.session")[0]
    assert (session["subscription"], session["invoice"], session["payment_intent"]) == (one["id"], invoice["id"], None)
    [payment] = client(running).v1.invoice_payments.list({"invoice": invoice["id"]}).data
    assert running.get("payment_intent", str(payment.payment.payment_intent))["status"] == "succeeded"


def test_a_month_is_one_of_the_calendar(running) -> None:
    one = subscribed(running)
    ends = []
    for _ in range(3):
        ends.append(until(running, one))
        running.advance_to_renewal(one["id"])
    assert ends == ["2027-02-28", "2027-03-31", "2027-04-30"]
    assert bills(running) == [("subscription_create", "paid", 1000), *[("subscription_cycle", "paid", 1000)] * 3]


def test_a_long_leap_bills_each_period_at_its_own_time(running) -> None:
    one = subscribed(running)
    running.advance(100)
    times = [datetime.fromtimestamp(each["created"], UTC).date().isoformat() for each in running.all("invoice")]
    assert times == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
    assert running.now() == int(FIRST) + 100 * 86400
    assert until(running, one) == "2027-05-31"


def test_an_unpaid_renewal_recovers_with_a_better_card(running) -> None:
    one = subscribed(running)
    running.set_card(one["customer"], "declined")
    running.advance_to_renewal(one["id"])
    assert (status(running, one), bills(running)[-1]) == ("past_due", ("subscription_cycle", "open", 1000))
    invoice = running.all("invoice")[-1]
    assert invoice["next_payment_attempt"] == running.now() + RETRY_SECONDS[0]
    assert "invoice.payment_failed" in happened(running)
    running.set_card(one["customer"], "ok")
    running.advance(seconds=RETRY_SECONDS[0])
    assert (status(running, one), bills(running)[-1][1]) == ("active", "paid")
    assert running.get("invoice", invoice["id"])["attempt_count"] == 2
    assert happened(running)[-1] == "customer.subscription.updated"


def test_the_customer_can_pay_an_open_invoice(running) -> None:
    one = subscribed(running)
    running.set_card(one["customer"], "auth")
    running.advance_to_renewal(one["id"])
    assert "invoice.payment_action_required" in happened(running)
    invoice = running.get("subscription", one["id"])["latest_invoice"]
    assert running.pay_invoice(invoice, "declined") == "failed"
    assert running.pay_invoice(invoice, "ok") == "paid"
    assert status(running, one) == "active"
    with pytest.raises(Refusal):
        running.pay_invoice(invoice)


def test_three_failures_end_it(running) -> None:
    one = subscribed(running)
    running.set_card(one["customer"], "declined")
    running.advance_to_renewal(one["id"])
    running.advance(seconds=sum(RETRY_SECONDS) - 1)
    assert status(running, one) == "past_due"
    running.advance(seconds=1)
    ended = running.get("subscription", one["id"])
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    assert happened(running).count("invoice.payment_failed") == 3
    assert happened(running)[-1] == "customer.subscription.deleted"
    count = len(running.all("invoice"))
    running.advance(90)
    assert len(running.all("invoice")) == count
    assert running.all("invoice")[-1]["next_payment_attempt"] is None


def test_canceled_at_the_end_of_its_period_or_not_after_all(running) -> None:
    api, one = client(running), subscribed(running)
    later = api.v1.subscriptions.update(one["id"], {"cancel_at_period_end": True})
    assert (later.status, later.cancel_at) == ("active", later["items"].data[0].current_period_end)
    back = api.v1.subscriptions.update(one["id"], {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at) == (None, None)
    running.advance_to_renewal(one["id"])
    assert status(running, one) == "active"
    running.update_subscription(one["id"], cancel_at_period_end=True)
    running.advance_to_renewal(one["id"])
    ended = running.get("subscription", one["id"])
    assert (ended["status"], ended["ended_at"]) == ("canceled", running.now())
    assert len(running.all("invoice")) == 2
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.subscriptions.update(one["id"], {"cancel_at_period_end": False})


def test_canceled_now(running) -> None:
    api, one = client(running), subscribed(running)
    assert api.v1.subscriptions.cancel(one["id"]).status == "canceled"
    assert api.v1.subscriptions.list({"customer": one["customer"]}).data == []
    assert [each.id for each in api.v1.subscriptions.list({"status": "all"}).data] == [one["id"]]
    running.advance(60)
    assert len(running.all("invoice")) == 1


@pytest.mark.parametrize(
    ("behaviour", "now", "then"),
    [
        ("none", [], 3000),
        ("create_prorations", [], 3000 + 1000),
        ("always_invoice", [("subscription_update", "paid", 1000)], 3000),
    ],
)
def test_a_dearer_plan_half_way(behaviour: Any, now: list[Any], then: int, running) -> None:
    one, big = subscribed(running), plan(running, 3000, key="big")
    item = one["items"]["data"][0]
    half = (item["current_period_end"] - item["current_period_start"]) // 2
    running.advance(seconds=half)
    changed = client(running).v1.subscriptions.update(
        one["id"], {"items": [{"id": item["id"], "price": big.id}], "proration_behavior": behaviour}
    )
    assert [each.price.id for each in changed["items"].data] == [big.id]
    assert until(running, one) == "2027-02-28"
    assert bills(running)[1:] == now
    previous = next(e for e in reversed(running.events) if e["type"] == "customer.subscription.updated")
    assert previous["data"]["previous_attributes"]["items"]["data"][0]["price"]["unit_amount"] == 1000
    running.advance_to_renewal(one["id"])
    assert bills(running)[-1] == ("subscription_cycle", "paid", then)


def test_a_cheaper_plan_leaves_a_balance(running) -> None:
    big = plan(running, 3000, key="big")
    one, small = subscribed(running, price=big), plan(running)
    item = one["items"]["data"][0]
    running.advance(seconds=(item["current_period_end"] - item["current_period_start"]) // 2)
    running.update_subscription(
        one["id"], items=[{"id": item["id"], "price": small.id}], proration_behavior="always_invoice"
    )
    assert bills(running)[-1] == ("subscription_update", "paid", -1000)
    assert running.get("customer", one["customer"])["balance"] == -1000
    running.advance_to_renewal(one["id"])
    last = running.all("invoice")[-1]
    assert (last["total"], last["starting_balance"], last["amount_due"], last["ending_balance"]) == (1000, -1000, 0, 0)


def test_another_interval_begins_a_new_period(running) -> None:
    one, yearly = subscribed(running), plan(running, 9000, key="yearly", interval="year")
    running.advance(seconds=14 * 86400)
    item = one["items"]["data"][0]["id"]
    running.update_subscription(one["id"], items=[{"id": item, "price": yearly.id}])
    assert until(running, one) == "2028-02-14"
    assert bills(running)[-1] == ("subscription_update", "paid", 9000 - 500)


def test_a_change_without_the_items_id_adds_a_second_item(running) -> None:
    one, big = subscribed(running), plan(running, 3000, key="big")
    changed = client(running).v1.subscriptions.update(one["id"], {"items": [{"price": big.id}]})
    assert len(changed["items"].data) == 2
    with pytest.raises(stripe.InvalidRequestError):
        client(running).v1.subscriptions.update(one["id"], {"items": [{"id": "si_other", "price": big.id}]})


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_first_payment_that_takes_days(succeeds: bool, running) -> None:
    one = subscribed(running, "delayed")
    assert (status(running, one), bills(running)) == ("active", [("subscription_create", "open", 1000)])
    intent = running.all("payment_intent")[-1]["id"]
    running.settle(intent, succeeds=succeeds)
    assert status(running, one) == ("active" if succeeds else "past_due")
    assert ("invoice.paid" in happened(running)) is succeeds
    assert ("invoice.payment_failed" in happened(running)) is not succeeds
    assert happened(running)[-1] == f"checkout.session.async_payment_{'succeeded' if succeeds else 'failed'}"


def test_a_promotion_is_for_the_first_invoice(running) -> None:
    session = client(running).v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "allow_promotion_codes": True,
            "success_url": "https://site.example/done",
            "line_items": [{"price": plan(running).id, "quantity": 2}],
        }
    )
    running.pay(session.id, promotion="SANDBOXFREE")
    assert running.get("checkout.session", session.id)["payment_status"] == "no_payment_required"
    one = running.all("subscription")[0]
    running.advance_to_renewal(one["id"])
    assert bills(running) == [("subscription_create", "paid", 0), ("subscription_cycle", "paid", 2000)]


def test_who_is_forgotten_pays_no_more(running) -> None:
    one = subscribed(running)
    client(running).v1.customers.delete(one["customer"])
    assert status(running, one) == "canceled"
    running.advance(60)
    assert len(running.all("invoice")) == 1


def test_the_clock_goes_forward_only(running) -> None:
    with pytest.raises(ValueError, match="forward"):
        running.advance(-1)
