"""Calls of the stand-in by the official library: keys, parameters, errors, repetition, pages of lists, lost answers."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.stripe import Sandbox
from tests.sandbox.stripes import KEY, NOW, buying, client, paid, plan, sandbox, subscribed


def made(running: Sandbox, kind: str) -> int:
    return len(running.all(kind))


def test_only_the_key_opens(running) -> None:
    with pytest.raises(stripe.AuthenticationError):
        client(running, key="sk_test_other").v1.customers.list()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.build_opener().open(running.url + "/v1/customers")
    assert made(running, "customer") == 0


def refusals(running: Sandbox) -> dict[str, tuple[Callable[[Any], Any], str | None, str | None]]:
    bad: Any = {"colour": "red"}
    return {
        "unknown parameter": (lambda api: api.v1.customers.create(bad), "parameter_unknown", "colour"),
        "unknown inside": (
            lambda api: api.v1.checkout.sessions.create(buying(automatic_tax={"on": True})),
            "parameter_unknown",
            "automatic_tax[on]",
        ),
        "unknown in a list": (lambda api: api.v1.charges.list(bad), "parameter_unknown", "colour"),
        "wrong type": (lambda api: api.v1.refunds.create({"amount": "x"}), "parameter_invalid_integer", "amount"),
        "no such word": (lambda api: api.v1.checkout.sessions.create(buying(mode="gift")), None, "mode"),
        "missing": (lambda api: api.v1.prices.create({"unit_amount": 5}), "parameter_missing", "currency"),
        "missing address": (
            lambda api: api.v1.checkout.sessions.create({k: v for k, v in buying().items() if k != "success_url"}),
            "parameter_missing",
            "success_url",
        ),
        "no address": (
            lambda api: api.v1.checkout.sessions.create(buying(success_url="/done")),
            "url_invalid",
            "success_url",
        ),
        "nobody": (lambda api: api.v1.customers.retrieve("cus_nobody"), "resource_missing", "id"),
        "another kind": (lambda api: api.v1.customers.retrieve(plan(running).id), "resource_missing", "id"),
        "not done here": (
            lambda api: api.v1.checkout.sessions.create(buying(payment_intent_data={"capture_method": "manual"})),
            "sandbox_unsupported",
            "payment_intent_data[capture_method]",
        ),
        "recurring in payment": (
            lambda api: api.v1.checkout.sessions.create(
                buying(line_items=[{"price": plan(running, key="r").id, "quantity": 1}])
            ),
            None,
            "mode",
        ),
        "nothing recurring": (
            lambda api: api.v1.checkout.sessions.create(buying(mode="subscription")), None, "line_items"
        ),
        "too late": (
            lambda api: api.v1.checkout.sessions.create(buying(expires_at=int(NOW) + 90_000)), None, "expires_at"
        ),
        "a second lookup key": (
            lambda api: [plan(running, key="twice"), plan(running, key="twice")],
            "resource_already_exists",
            "lookup_key",
        ),
        "tax without an address": (
            lambda api: api.v1.checkout.sessions.create(
                buying(customer=api.v1.customers.create().id, automatic_tax={"enabled": True})
            ),
            "customer_tax_location_invalid",
            None,
        ),
        "the portal's default": (
            lambda api: api.v1.billing_portal.sessions.create({"customer": api.v1.customers.create().id}),
            "parameter_missing",
            "configuration",
        ),
        "not expandable": (
            lambda api: api.v1.charges.list({"expand": ["data.amount"]}) if paid(running) else None, None, "expand"
        ),
        "a page too long": (
            lambda api: api.v1.events.list({"limit": 101}), "parameter_invalid_integer", "limit"
        ),
    }  # fmt: skip


NAMES = list(refusals(None))  # type: ignore[arg-type]  # nothing is called yet


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_is_the_librarys_error(name: str, running) -> None:
    call, code, param = refusals(running)[name]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        call(client(running))
    assert (refused.value.code, refused.value.param) == (code, param)
    assert refused.value.http_status == (404 if code == "resource_missing" else 400)
    assert str(refused.value.request_id).startswith("req_")


def test_a_repeated_key_gets_the_first_answer_again(running) -> None:
    api = client(running)
    given = buying(metadata={"order": "1"})
    first = api.v1.checkout.sessions.create(given, {"idempotency_key": "order-1"})
    running.pay(first.id)
    again = api.v1.checkout.sessions.create(given, {"idempotency_key": "order-1"})
    assert again.to_dict() == first.to_dict()
    assert again.last_response is not None
    assert first.last_response is not None
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.last_response.headers
    other = api.v1.checkout.sessions.create(given, {"idempotency_key": "order-2"})
    assert other.id != first.id
    assert made(running, "checkout.session") == 2


def test_a_key_is_for_one_request(running) -> None:
    api = client(running)
    api.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        api.v1.customers.create({"email": "b@example.com"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        api.v1.products.create({"name": "b"}, {"idempotency_key": "k"})
    assert made(running, "customer") == 1


def test_a_refusal_is_repeated_too_unless_the_parameters_were_wrong(running) -> None:
    api = client(running)
    intent = paid(running)["payment_intent"]
    given: Any = {"payment_intent": intent, "amount": 5000}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.refunds.create(given, {"idempotency_key": "r"})
    assert (refused.value.headers or {})["Idempotent-Replayed"] == "true"
    wrong: Any = {"payment_intent": intent, "amount": "all"}
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.refunds.create(wrong, {"idempotency_key": "s"})
    assert api.v1.refunds.create({"payment_intent": intent}, {"idempotency_key": "s"}).amount == 2000


@pytest.mark.parametrize("how", [500, 503, "hang_up_before", "hang_up_after"])
def test_a_lost_answer_is_asked_for_again_and_done_once(how, running) -> None:
    running.fail(how, path="/v1/customers")
    found = client(running).v1.customers.create({"email": "a@example.com"})
    assert [one["id"] for one in running.all("customer")] == [found.id]
    assert len(running.calls) == 2
    assert len({call.headers["idempotency-key"] for call in running.calls}) == 1


def test_without_retries_the_effect_is_there_and_the_answer_is_not(running) -> None:
    running.fail("hang_up_after", method="POST")
    api = client(running, retries=0)
    with pytest.raises(stripe.APIConnectionError):
        api.v1.customers.create({"email": "a@example.com"})
    assert made(running, "customer") == 1
    running.fail(500, times=2)
    running.mend()
    assert api.v1.customers.list({"email": "a@example.com"}).data[0].email == "a@example.com"


def test_lists_come_in_pages_newest_first(running) -> None:
    api = client(running)
    ids = [api.v1.checkout.sessions.create(buying()).id for _ in range(7)]
    first = api.v1.checkout.sessions.list({"limit": 3})
    assert [one.id for one in first.data] == ids[:3:-1]
    assert first.has_more
    second = api.v1.checkout.sessions.list({"limit": 4, "starting_after": first.data[-1].id})
    assert [one.id for one in second.data] == ids[3::-1]
    assert not second.has_more
    before = api.v1.checkout.sessions.list({"limit": 2, "ending_before": ids[3]})
    assert [one.id for one in before.data] == ids[5:3:-1]
    assert before.has_more
    assert [one.id for one in api.v1.checkout.sessions.list({"limit": 2}).auto_paging_iter()] == ids[::-1]


def test_lists_are_filtered(running) -> None:
    api = client(running)
    old = paid(running)
    running.advance(1)
    new = paid(running, "delayed")
    since = api.v1.checkout.sessions.list({"created": {"gte": running.now()}})
    assert [one.id for one in since.data] == [new["id"]]
    until = api.v1.checkout.sessions.list({"created": {"lt": running.now()}, "status": "complete"})
    assert [one.id for one in until.data] == [old["id"]]
    by_payment = api.v1.checkout.sessions.list({"payment_intent": old["payment_intent"]})
    assert [one.id for one in by_payment.data] == [old["id"]]
    refund = running.refund(old["payment_intent"], 100)
    assert [one.id for one in api.v1.refunds.list({"payment_intent": old["payment_intent"]}).data] == [refund["id"]]
    assert api.v1.refunds.list({"payment_intent": new["payment_intent"]}).data == []
    dispute = running.dispute(old["payment_intent"])
    assert [one.id for one in api.v1.disputes.list({"created": {"gte": running.now()}}).data] == [dispute["id"]]
    charges = api.v1.charges.list({"payment_intent": old["payment_intent"]}).data
    assert [(one.amount, one.amount_refunded) for one in charges] == [(2000, 100)]
    types = {one.type for one in api.v1.events.list({"types": ["refund.created", "charge.refunded"]}).data}
    assert types == {"refund.created", "charge.refunded"}


def test_fields_are_expanded_on_request_only(running) -> None:
    api = client(running)
    session = paid(running, customer=api.v1.customers.create({"email": "a@example.com"}).id)
    plain = api.v1.checkout.sessions.retrieve(session["id"])
    assert isinstance(plain.payment_intent, str)
    with pytest.raises(AttributeError):
        _ = plain.line_items
    expand: Any = {"expand": ["line_items", "payment_intent.latest_charge", "customer"]}
    full = api.v1.checkout.sessions.retrieve(session["id"], expand)
    assert full.line_items is not None
    assert full.line_items.data[0].description == "100 credits"
    assert isinstance(full.payment_intent, stripe.PaymentIntent)
    assert isinstance(full.payment_intent.latest_charge, stripe.Charge)
    assert isinstance(full.customer, stripe.Customer)
    listed = api.v1.checkout.sessions.list({"expand": ["data.payment_intent"]}).data[0]
    assert isinstance(listed.payment_intent, stripe.PaymentIntent)
    subscription = subscribed(running)
    invoice = api.v1.invoices.retrieve(
        subscription["latest_invoice"], {"expand": ["payments.data.payment.payment_intent"]}
    )
    assert invoice.payments is not None
    assert isinstance(invoice.payments.data[0].payment.payment_intent, stripe.PaymentIntent)
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription["id"]


def test_customers_are_changed_found_and_forgotten(running) -> None:
    api = client(running)
    one = api.v1.customers.create({"email": "a@example.com", "metadata": {"account": "1", "old": "x"}})
    changed = api.v1.customers.update(one.id, {"name": "Ada", "metadata": {"old": "", "new": "y"}})
    assert changed.metadata is not None
    assert (changed.name, changed.metadata.to_dict()) == ("Ada", {"account": "1", "new": "y"})
    assert [each.id for each in api.v1.customers.list({"email": "a@example.com"}).data] == [one.id]
    assert api.v1.customers.delete(one.id).deleted
    assert getattr(api.v1.customers.retrieve(one.id), "deleted", False)
    assert api.v1.customers.list({"email": "a@example.com"}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.checkout.sessions.create(buying(customer=one.id))


def test_prices_are_found_by_their_lookup_key_which_can_move(running) -> None:
    api = client(running)
    old = plan(running, 1000)
    given: Any = {
        "currency": "eur",
        "unit_amount": 1200,
        "product": str(old.product),
        "recurring": {"interval": "month"},
    }
    given |= {"lookup_key": "plan", "transfer_lookup_key": True}
    new = api.v1.prices.create(given)
    found = api.v1.prices.list({"lookup_keys": ["plan"], "active": True}).data
    assert [(one.id, one.unit_amount, one.product) for one in found] == [(new.id, 1200, old.product)]
    assert not api.v1.prices.update(old.id, {"active": False}).active
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.checkout.sessions.create(buying(mode="subscription", line_items=[{"price": old.id, "quantity": 1}]))


def test_the_same_seed_gives_the_same_run() -> None:
    def run() -> list[dict[str, Any]]:
        with sandbox() as running:
            paid(running, customer_email="a@example.com")
            host = running.url
            # The library makes the idempotency keys of its calls by chance.
            return [
                {**event, "request": None, "data": str(event["data"]).replace(host, "")} for event in running.events
            ]

    assert run() == run()


def test_many_threads_get_what_they_asked_for(running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def buy(number: int) -> str:
        api = stripe.StripeClient(KEY, base_addresses={"api": running.url}, max_network_retries=2)
        session = api.v1.checkout.sessions.create(buying(), {"idempotency_key": f"order-{number % 10}"})
        return str(session.id)

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(buy, range(40)))
    assert len(set(ids)) == 10
    assert made(running, "checkout.session") == 10
