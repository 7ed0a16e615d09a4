"""Changes of a running subscription: canceled at its period's end or not after all, another price, another quantity.

What a change costs is reckoned by the second (``periods.share``): the unused part of the old price is given back, the
rest of the period is charged at the new one. A price with another interval starts a new period, which is paid at once.
"""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

from sandbox.stripe import catalogue, invoices, periods, subscriptions
from sandbox.stripe.book import Book, merge_metadata
from sandbox.stripe.invoices import Line
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json


def update(book: Book, params: Json, id: str) -> Json:
    """Change a subscription. Raises ``Refusal``."""
    subscription = subscriptions.living(book, id)
    old = copy.deepcopy(subscription)
    merge_metadata(subscription, params.get("metadata"))
    if "default_payment_method" in params:
        method = book.get("payment_method", params["default_payment_method"], "default_payment_method")
        subscription["default_payment_method"] = method["id"]
    if "cancel_at_period_end" in params:
        _cancel_later(book, subscription, wanted=params["cancel_at_period_end"])
    subscription["cancellation_details"] |= params.get("cancellation_details") or {}
    invoice = _change(book, subscription, params) if "items" in params else None
    before = {name: old[name] for name in old if old[name] != subscription[name]}
    if before:
        book.emit("customer.subscription.updated", subscription, before)
    if invoice:
        subscriptions.collect(book, subscription, invoice)
    return subscription


def _cancel_later(book: Book, subscription: Json, *, wanted: bool) -> None:
    subscription |= {
        "cancel_at_period_end": wanted,
        "cancel_at": subscriptions.end_of(subscription) if wanted else None,
        "canceled_at": book.now() if wanted else None,
    }
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def _change(book: Book, subscription: Json, params: Json) -> Json | None:
    """Change the items; returns an invoice if one is due now."""
    behaviour = params.get("proration_behavior", "create_prorations")
    lines: list[Line] = []
    restart = False
    for given in params["items"]:
        item = _item(subscription, given)
        price = book.get("price", given["price"], "items[0][price]") if "price" in given else None
        if price and (not price["recurring"] or price["currency"] != subscription["currency"]):
            raise Refusal("The price must recur, in the subscription's currency.", param="items[0][price]")
        if item and given.get("deleted"):
            lines += _credit(book, item)
            subscription["items"]["data"].remove(item)
        elif item:
            lines += _credit(book, item)
            restart = restart or bool(price and _cycle(price) != _cycle(item["price"]))
            if price:
                item |= {"price": copy.deepcopy(price), "plan": catalogue.plan_of(book, price)}
            item["quantity"] = given.get("quantity", item["quantity"])
            lines += [] if restart else _debit(book, item)
        elif price:
            added = subscriptions.add(book, subscription, price, given.get("quantity", 1))
            lines += _debit(book, added)
        else:
            raise Refusal("A new item needs a price.", code="parameter_missing", param="items[0][price]")
    if not subscriptions.items(subscription):
        raise Refusal("A subscription needs an item.", param="items")
    if behaviour == "none":
        lines = []
    if restart:
        lines += _restart(book, subscription)
    if restart or (behaviour == "always_invoice" and lines):
        now = book.now()
        return subscriptions.new_invoice(book, subscription, lines, "subscription_update", (now, now))
    book.note(subscription["id"])["pending"] += [asdict(line) for line in lines]
    return None


def _item(subscription: Json, given: Json) -> Json | None:
    if "id" not in given:
        return None
    found = next((one for one in subscriptions.items(subscription) if one["id"] == given["id"]), None)
    if found is None:
        raise Refusal(f"No such subscription item: '{given['id']}'", code="resource_missing", param="items[0][id]")
    return found


def _cycle(price: Json) -> tuple[Any, Any]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _part(book: Book, item: Json) -> tuple[int, tuple[int, int], str]:
    start, end = subscriptions.period_of(item)
    now = min(max(book.now(), start), end)
    name = book.get("product", item["price"]["product"])["name"]
    return periods.share(item["price"]["unit_amount"] * item["quantity"], (start, end), now), (now, end), name


def _credit(book: Book, item: Json) -> list[Line]:
    amount, period, name = _part(book, item)
    words = f"Unused time on {name}"
    return [Line(copy.deepcopy(item["price"]), item["quantity"], -amount, period, words, item["id"], proration=True)]


def _debit(book: Book, item: Json) -> list[Line]:
    amount, period, name = _part(book, item)
    words = f"Remaining time on {name}"
    return [Line(copy.deepcopy(item["price"]), item["quantity"], amount, period, words, item["id"], proration=True)]


def _restart(book: Book, subscription: Json) -> list[Line]:
    now = book.now()
    book.note(subscription["id"]).update(anchor=now, cycles=1)
    subscription["billing_cycle_anchor"] = now
    for item in subscriptions.items(subscription):
        item["current_period_start"] = now
        item["current_period_end"] = periods.after(now, item["price"]["recurring"], 1)
    book.plan(subscriptions.end_of(subscription), "renew", subscription["id"])
    return [subscriptions.full(book, item) for item in subscriptions.items(subscription)]


def pay_invoice(book: Book, invoice: Json, method: Json) -> str:
    """The customer pays an open invoice; returns what ``invoices.attempt`` returns. Raises ``Refusal``."""
    if invoice["status"] != "open":
        raise Refusal(f"This invoice is {invoice['status']}.", code="invoice_not_payable")
    return subscriptions.after(book, invoice, invoices.attempt(book, invoice, method, present=True))
