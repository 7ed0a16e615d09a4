"""Customers, and the cards they pay with: good, bad, one that needs authentication, and a debit that takes days."""

from __future__ import annotations

from typing import Any, Literal

from sandbox.stripe.book import Book, merge_metadata
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json

Card = Literal["ok", "declined", "auth", "delayed"]
CARDS: dict[Card, str] = {"ok": "4242", "declined": "0002", "auth": "3155", "delayed": "3000"}
"""Ways to pay with their last four digits."""


def create(book: Book, params: Json) -> Json:
    """A new customer."""
    customer = book.new(
        "customer", balance=0, delinquent=False, tax_exempt="none", metadata={}, next_invoice_sequence=1
    )
    customer["invoice_prefix"] = "".join(book.rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=8))
    customer["invoice_settings"] = _blank_settings(book)
    _set(customer, params)
    book.emit("customer.created", customer)
    return customer


def _blank_settings(book: Book) -> Json:
    settings = book.build("customer", invoice_settings={})["invoice_settings"]
    assert isinstance(settings, dict)
    return settings


def _set(customer: Json, params: Json) -> None:
    merge_metadata(customer, params.get("metadata"))
    for name in ("email", "name", "phone", "description", "preferred_locales", "tax_exempt"):
        if name in params:
            customer[name] = params[name] or None
    if "address" in params:
        blank = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
        customer["address"] = blank | params["address"] if params["address"] else None


def update(book: Book, params: Json, id: str) -> Json:
    """Change a customer."""
    customer = living(book, id)
    before = {name: customer[name] for name in params if name in customer}
    _set(customer, params)
    book.emit("customer.updated", customer, {k: v for k, v in before.items() if customer[k] != v})
    return customer


def living(book: Book, id: str, param: str = "customer") -> Json:
    """The customer. Raises ``Refusal`` when there is none, or none any more."""
    customer = book.get("customer", id, param)
    if customer.get("deleted"):
        raise Refusal(f"No such customer: '{id}'", code="resource_missing", param=param)
    return customer


def delete(book: Book, params: Json, id: str) -> Json:
    """Forget a customer. What they paid stays. Whoever calls has ended their subscriptions."""
    customer = living(book, id, "id")
    book.emit("customer.deleted", customer)
    gone = {"id": id, "object": "customer", "deleted": True}
    book.objects[id] = gone
    return gone


def find(book: Book, params: Json) -> list[Json]:
    """Customers, newest first; ``email`` as it is written."""
    there = [one for one in book.all("customer") if not one.get("deleted")]
    return [one for one in there if "email" not in params or one["email"] == params["email"]]


def new_method(book: Book, card: Card, customer: Json | None = None) -> Json:
    """A way to pay, kept for later with the customer if there is one. Raises ``Refusal`` for a card unknown to us."""
    if card not in CARDS:
        raise Refusal(f"No such card: '{card}'; there are {', '.join(CARDS)}.", param="card")
    way = _way(book, card)
    method = book.new("payment_method", customer=customer["id"] if customer else None, metadata={}, **way)
    if customer:
        method["billing_details"] |= {"email": customer["email"], "name": customer["name"]}
        book.emit("payment_method.attached", method)
    book.note(method["id"])["card"] = card
    return method


def _way(book: Book, card: Card) -> dict[str, Any]:
    mark = "".join(book.rng.choices("abcdef0123456789", k=16))
    if card == "delayed":
        return {
            "type": "sepa_debit",
            "sepa_debit": {"last4": CARDS[card], "country": "DE", "bank_code": "37040044", "fingerprint": mark},
        }
    detail = {
        "brand": "visa", "display_brand": "visa", "last4": CARDS[card], "exp_month": 12, "country": "US",
        "exp_year": 2040, "funding": "credit", "fingerprint": mark,
        "networks": {"available": ["visa"]}, "three_d_secure_usage": {"supported": True},
        "checks": {"cvc_check": "pass"},
    }  # fmt: skip
    return {"type": "card", "card": detail}


def card_of(book: Book, method_id: str) -> Card:
    """How a way to pay behaves."""
    card: Card = book.note(method_id)["card"]
    return card


def set_default(book: Book, customer: Json, method: Json) -> None:
    """Have a customer's invoices paid this way from now on, those of running subscriptions too."""
    before = {"invoice_settings": dict(customer["invoice_settings"])}
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    book.emit("customer.updated", customer, before)
    for subscription in book.all("subscription"):
        if subscription["customer"] == customer["id"] and subscription["status"] in ("active", "past_due", "trialing"):
            old = {"default_payment_method": subscription["default_payment_method"]}
            subscription["default_payment_method"] = method["id"]
            book.emit("customer.subscription.updated", subscription, old)
