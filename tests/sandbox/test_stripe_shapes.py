"""What the stand-in shows is what the official library's classes declare: nothing more or less, of the right types."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import pytest
import stripe
from stripe import ListObject, StripeObject

from sandbox.stripe import Refusal, Sandbox
from sandbox.stripe.shapes import CLASSES, NONE, UNASKED, arms, hints, is_free, make
from tests.sandbox.stripes import buying, client, paid, plan, sandbox, subscribed

PLAIN = {str: str, int: int, float: (int, float), bool: bool, Decimal: str}
DELETED = {"id", "object", "deleted"}


def faults(hint: Any, value: Any, at: str) -> list[str]:
    """What is wrong with a value for a declared type, each with its path."""
    choices = arms(hint)
    if value is None:
        return [] if NONE in choices else [f"{at}: null"]
    found: list[str] = []
    for one in choices:
        wrong = [] if one is NONE else _faults(one, value, at)
        if one is not NONE and not wrong:
            return []
        found = wrong or found
    if any(get_origin(one) is Literal for one in choices) and isinstance(value, str):
        known = [word for one in choices if get_origin(one) is Literal for word in get_args(one)]
        return [] if value in known else [f"{at}: {value!r} is none of {known[:6]}"]
    return found or [f"{at}: {value!r} is no {hint}"]


def _faults(hint: Any, value: Any, at: str) -> list[str]:
    if get_origin(hint) is Literal:
        return [] if value in get_args(hint) else [f"{at}: {value!r}"]
    if get_origin(hint) is list:
        if not isinstance(value, list):
            return [f"{at}: no list"]
        return [wrong for i, one in enumerate(value) for wrong in faults(get_args(hint)[0], one, f"{at}[{i}]")]
    if get_origin(hint) is ListObject or hint is ListObject:
        if not isinstance(value, dict) or value.keys() != {"object", "data", "has_more", "url"}:
            return [f"{at}: no list object"]
        return [] if value["object"] == "list" and not get_args(hint) else faults_of_list(hint, value, at)
    if is_free(hint):
        anything = get_args(hint)[:1] != (str,)
        fits = isinstance(value, dict) and (anything or all(isinstance(one, str) for one in value.values()))
        return [] if fits else [f"{at}: {value!r}"]
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return object_faults(hint, value, at) if isinstance(value, dict) else [f"{at}: {value!r} is no object"]
    if hint in PLAIN and isinstance(value, PLAIN[hint]):  # type: ignore[arg-type]  # classes, all of them
        return [] if isinstance(value, bool) == (hint is bool) else [f"{at}: {value!r}"]
    return [f"{at}: {value!r} is no {hint}"]


def faults_of_list(hint: Any, value: Any, at: str) -> list[str]:
    inner = get_args(hint)[0]
    return [wrong for i, one in enumerate(value["data"]) for wrong in faults(inner, one, f"{at}.data[{i}]")]


def object_faults(shape: type, value: dict[str, Any], at: str) -> list[str]:
    """What is wrong with a JSON object of a class."""
    declared = hints(shape)
    found = [f"{at}.{name}: unknown" for name in value.keys() - declared.keys()]
    for name, hint in declared.items():
        if name in value:
            found += faults(enumeration(hint), value[name], f"{at}.{name}")
        elif NONE not in arms(hint):
            found.append(f"{at}.{name}: missing")
    return found


def enumeration(hint: Any) -> Any:
    """``Literal[…] | str`` without the ``str``, which stands for words that only newer versions know."""
    choices = arms(hint)
    if any(get_origin(one) is Literal for one in choices) and str in choices:
        rest = tuple(one for one in choices if one is not str)
        return rest[0] if len(rest) == 1 else Any | None if not rest else _union(rest)
    return hint


def _union(parts: tuple[Any, ...]) -> Any:
    made = parts[0]
    for one in parts[1:]:
        made = made | one
    return made


def check(value: dict[str, Any]) -> None:
    """Nothing is wrong with an object as it was sent."""
    if value.get("deleted"):
        assert value.keys() == DELETED
        return
    wrong = object_faults(CLASSES[value["object"]], value, value["object"])
    assert wrong == [], "\n".join(wrong)
    assert not value.keys() & UNASKED.get(value["object"], set())
    built = StripeObject.construct_from(json.loads(json.dumps(value)), "sk_test")
    assert json.loads(json.dumps(built.to_dict(), default=str)) == value  # decimals are text on the wire


def live_through_everything(running: Sandbox) -> None:
    """Every kind of object in every state that the stand-in knows."""
    api = client(running)
    for card in ("ok", "auth", "delayed"):
        paid(running, card, allow_promotion_codes=True, metadata={"order": "1"})
    for approved, card in ((False, "auth"), (True, "declined")):
        session = api.v1.checkout.sessions.create(buying(expires_at=running.now() + 3600))
        assert running.pay(session.id, card, approved=approved) == "declined"  # type: ignore[arg-type]
    waiting = api.v1.checkout.sessions.create(buying())
    running.pay(waiting.id, "auth")
    free = api.v1.checkout.sessions.create(buying(allow_promotion_codes=True, invoice_creation={"enabled": True}))
    running.pay(free.id, promotion="SANDBOXFREE")
    invoiced = paid(running, invoice_creation={"enabled": True, "invoice_data": {"metadata": {"a": "b"}}})
    assert invoiced["invoice"]
    slow = [one["id"] for one in running.all("payment_intent") if one["status"] == "processing"]
    running.settle(slow[0])
    failing = paid(running, "delayed")
    running.settle(failing["payment_intent"], succeeds=False)

    charged = [paid(running)["payment_intent"] for _ in range(5)]
    running.refund(charged[0], 500)
    pending = running.refund(charged[0], 500, pending=True)
    running.settle_refund(pending["id"], succeeds=False)
    running.refund(charged[0], 700, pending=True)
    running.close_dispute(running.dispute(charged[1])["id"], won=True)
    running.close_dispute(running.dispute(charged[2], amount=100)["id"], won=False)
    running.escalate(running.dispute(charged[3], inquiry=True)["id"])
    running.close_dispute(running.dispute(charged[4], inquiry=True)["id"], won=True)

    big = plan(running, 3000, key="big")
    yearly = plan(running, 9000, key="yearly", interval="year")
    one = subscribed(running, price=plan(running), allow_promotion_codes=True)
    api.v1.subscriptions.update(one["id"], {"cancel_at_period_end": True, "metadata": {"a": "b"}})
    api.v1.subscriptions.update(one["id"], {"cancel_at_period_end": False})
    item = one["items"]["data"][0]["id"]
    api.v1.subscriptions.update(
        one["id"], {"items": [{"id": item, "price": big.id}], "proration_behavior": "always_invoice"}
    )
    running.advance(10)
    api.v1.subscriptions.update(one["id"], {"items": [{"id": item, "price": yearly.id}]})
    running.set_card(one["customer"], "auth")
    running.advance(400)
    two = subscribed(running, "delayed", price=big)
    running.set_card(two["customer"], "declined")
    running.advance_to_renewal(two["id"])
    api.v1.subscriptions.cancel(two["id"])
    configuration = api.v1.billing_portal.configurations.create(
        {
            "business_profile": {"headline": "Plans"},
            "features": {
                "invoice_history": {"enabled": True},
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
                "subscription_update": {
                    "enabled": True,
                    "default_allowed_updates": ["price"],
                    "proration_behavior": "always_invoice",
                    "products": [{"product": str(big.product), "prices": [big.id]}],
                },
            },
        }
    )
    three = subscribed(running, price=big)
    for flow in (
        {"type": "payment_method_update"},
        {"type": "subscription_cancel", "subscription_cancel": {"subscription": three["id"]}},
        {
            "type": "subscription_update",
            "subscription_update": {"subscription": three["id"]},
            "after_completion": {"type": "redirect", "redirect": {"return_url": "https://site.example/billing"}},
        },
    ):
        given: Any = {"customer": three["customer"], "configuration": configuration.id, "flow_data": flow}
        api.v1.billing_portal.sessions.create(given)
    api.v1.customers.delete(three["customer"])


@pytest.fixture(scope="module")
def lived():
    with sandbox() as running:
        live_through_everything(running)
        yield running


def test_every_kept_object_is_what_its_class_declares(lived) -> None:
    kinds = set()
    for id in list(lived.book.objects):
        value = lived.book.objects[id]
        kinds.add(value["object"])
        check(json.loads(json.dumps(value)))
    assert kinds >= {
        "billing_portal.configuration", "billing_portal.session", "charge", "checkout.session", "coupon", "customer",
        "discount", "dispute", "event", "invoice", "invoice_payment", "payment_intent", "payment_method", "price",
        "product", "promotion_code", "refund", "subscription",
    }  # fmt: skip


def test_every_event_shows_an_object_of_its_time(lived) -> None:
    types = {event["type"] for event in lived.events}
    for event in lived.events:
        check(event["data"]["object"])
        assert (event["api_version"], event["livemode"]) == (stripe.api_version, False)
        known = CLASSES[event["data"]["object"]["object"]]
        assert event.get("data", {}).get("previous_attributes", {}).keys() <= hints(known).keys()
    assert types >= {
        "charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated", "charge.updated",
        "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.failed", "charge.pending",
        "charge.refunded", "charge.succeeded", "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed", "checkout.session.expired", "customer.created", "customer.deleted",
        "customer.subscription.created", "customer.subscription.deleted", "customer.subscription.updated",
        "customer.updated", "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_failed",
        "invoice.payment_action_required", "invoice_payment.paid", "payment_intent.canceled", "payment_intent.created",
        "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.requires_action",
        "payment_intent.succeeded", "price.created", "product.created", "refund.created", "refund.failed",
        "refund.updated",
    }  # fmt: skip


def test_every_state_was_reached(lived) -> None:
    def states(kind: str) -> set[str]:
        return {str(one["status"]) for one in lived.all(kind) if "status" in one}

    assert states("checkout.session") == {"open", "complete", "expired"} - {"open"}
    assert states("charge") == {"succeeded", "failed", "pending"}
    assert states("refund") == {"succeeded", "failed", "pending"}
    assert states("dispute") == {"won", "lost", "needs_response", "warning_closed"}
    assert states("subscription") >= {"canceled"}
    assert states("invoice") >= {"paid", "open"}
    payments = {one["payment_status"] for one in lived.all("checkout.session")}
    assert payments == {"paid", "unpaid", "no_payment_required"}


def test_every_reference_leads_to_something(lived) -> None:
    """An id that stands for an object is the id of one that there is."""
    for value in list(lived.book.objects.values()):
        if value.get("deleted"):
            continue
        for name, hint in hints(CLASSES[value["object"]]).items():
            kinds = [one for one in arms(hint) if isinstance(one, type) and one in set(CLASSES.values())]
            if str in arms(hint) and kinds and value.get(name) is not None:
                assert value[name] in lived.book.objects, (value["object"], name, value[name])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "red"}, "unknown"),
        ({"amount": "5"}, "amount"),
        ({"amount": None}, "null"),
        ({"status": "eaten"}, "status"),
        ({"refunded": 1}, "refunded"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"payment_method_details": {}}, "missing"),
    ],
)
def test_the_check_sees_what_is_wrong(change: dict[str, Any], fault: str) -> None:
    good = make("charge", id="ch_1", currency="eur")
    assert object_faults(CLASSES["charge"], good, "charge") == []
    assert any(fault in one for one in object_faults(CLASSES["charge"], good | change, "charge"))
    without = {name: value for name, value in good.items() if name != "amount"}
    assert object_faults(CLASSES["charge"], without, "charge") == ["charge.amount: missing"]


def test_a_field_that_the_library_does_not_know_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="no colour"):
        make("charge", colour="red")
    with pytest.raises(TypeError, match="no iban"):
        make("charge", billing_details={"iban": "DE00"})


def test_a_refusal_has_the_shape_of_an_error() -> None:
    body = Refusal("No.", code="resource_missing", param="id").body()["error"]
    assert body == {"type": "invalid_request_error", "message": "No.", "code": "resource_missing", "param": "id"}
