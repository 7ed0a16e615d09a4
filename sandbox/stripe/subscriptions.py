"""A subscription's life: renewed by the clock, changed, past due when a renewal is not paid, and ended.

A renewal that fails is tried again ``RETRY_SECONDS`` after each failure; when the last try fails, the subscription is
canceled and its invoice stays open.
"""

from __future__ import annotations

import copy
from typing import Any

from sandbox.stripe import catalogue, invoices, periods
from sandbox.stripe.book import Book
from sandbox.stripe.invoices import Line
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json, a_list

DAY = 86400
RETRY_SECONDS = (3 * DAY, 5 * DAY)
"""After the first and after the second failure: three tries within eight days."""
ALIVE = ("active", "past_due", "trialing")


def create(book: Book, *, customer: Json, lines: list[Json], metadata: Json, method: Json, description: Any) -> Json:
    """A subscription to the recurring ones among a session's lines, active from now; its invoice comes separately."""
    now = book.now()
    subscription = book.new(
        "subscription", customer=customer["id"], status="active", billing_cycle_anchor=now, start_date=now,
        currency=lines[0]["currency"], default_payment_method=method["id"], metadata=dict(metadata), discounts=[],
        collection_method="charge_automatically", description=description, default_tax_rates=[],
        automatic_tax={}, billing_mode={"type": "flexible"}, invoice_settings={"issuer": {"type": "self"}},
        payment_settings={"save_default_payment_method": "off"}, cancellation_details={},
    )  # fmt: skip
    note = book.note(subscription["id"])
    note |= {"anchor": now, "cycles": 1, "pending": []}
    subscription["items"] = a_list(f"/v1/subscription_items?subscription={subscription['id']}", [])
    for line in lines:
        if line["price"]["recurring"]:
            add(book, subscription, line["price"], line["quantity"])
    book.plan(end_of(subscription), "renew", subscription["id"])
    book.emit("customer.subscription.created", subscription)
    return subscription


def add(book: Book, subscription: Json, price: Json, quantity: int) -> Json:
    """A further item, from the period that is running."""
    note = book.note(subscription["id"])
    start, end = (
        periods.after(note["anchor"], price["recurring"], note["cycles"] - 1),
        periods.after(note["anchor"], price["recurring"], note["cycles"]),
    )
    item = book.build(
        "subscription_item", subscription=subscription["id"], price=price, plan=catalogue.plan_of(book, price),
        quantity=quantity, current_period_start=start, current_period_end=end, metadata={}, tax_rates=[], discounts=[],
    )  # fmt: skip
    subscription["items"]["data"].append(item)
    return item


def items(subscription: Json) -> list[Json]:
    """Its items."""
    found: list[Json] = subscription["items"]["data"]
    return found


def end_of(subscription: Json) -> int:
    """When its period ends."""
    return max(int(item["current_period_end"]) for item in items(subscription))


def period_of(item: Json) -> tuple[int, int]:
    """An item's period: from, to."""
    return item["current_period_start"], item["current_period_end"]


def first_invoice(book: Book, subscription: Json, lines: list[Json], promotion: Json | None) -> Json:
    """What a new subscription costs, one-time lines included; finalized, not paid."""
    now = book.now()
    wanted = []
    for line in lines:
        item = next((one for one in items(subscription) if one["price"]["id"] == line["price"]["id"]), None)
        period = period_of(item) if item else (now, now)
        words = f"{line['quantity']} × {line['description']}"
        wanted.append(
            Line(line["price"], line["quantity"], line["amount_subtotal"], period, words, item["id"] if item else "")
        )
    return new_invoice(book, subscription, wanted, "subscription_create", (now, now), promotion)


def new_invoice(
    book: Book,
    subscription: Json,
    lines: list[Line],
    reason: str,
    period: tuple[int, int],
    promotion: Json | None = None,
) -> Json:
    """An invoice for a subscription, finalized. ``period``: the one that it looks back on."""
    invoice = invoices.draft(
        book, customer=book.get("customer", subscription["customer"]), lines=lines, reason=reason, period=period,
        currency=subscription["currency"], subscription=subscription, promotion=promotion,
    )  # fmt: skip
    subscription["latest_invoice"] = invoice["id"]
    invoices.finalize(book, invoice)
    return invoice


def renew(book: Book, subscription: Json) -> None:
    """Its period has ended: end it, or begin the next and collect for it."""
    if subscription["cancel_at_period_end"]:
        end(book, subscription, "cancellation_requested")
        return
    note = book.note(subscription["id"])
    old = {name: copy.deepcopy(subscription[name]) for name in ("items", "latest_invoice")}
    before = (min(item["current_period_start"] for item in items(subscription)), end_of(subscription))
    note["cycles"] += 1
    lines = [Line(**one) for one in note["pending"]]
    note["pending"] = []
    for item in items(subscription):
        cycle = item["price"]["recurring"]
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = periods.after(note["anchor"], cycle, note["cycles"])
        lines.append(full(book, item))
    book.plan(end_of(subscription), "renew", subscription["id"])
    invoice = new_invoice(book, subscription, lines, "subscription_cycle", before)
    book.emit("customer.subscription.updated", subscription, old)
    collect(book, subscription, invoice)


def full(book: Book, item: Json) -> Line:
    """The line for an item's whole period."""
    price = item["price"]
    name = book.get("product", price["product"])["name"]
    words = f"{item['quantity']} × {name}"
    return Line(price, item["quantity"], price["unit_amount"] * item["quantity"], period_of(item), words, item["id"])


def collect(book: Book, subscription: Json, invoice: Json) -> str:
    """Try to pay an invoice without the customer; returns what ``invoices.attempt`` returns."""
    customer = book.get("customer", subscription["customer"])
    id = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    method = book.get("payment_method", id) if id else None
    return after(book, invoice, invoices.attempt(book, invoice, method, present=False))


def after(book: Book, invoice: Json, outcome: str) -> str:
    """What an invoice's payment or failure means for its subscription; returns the outcome."""
    id = invoices.subscription_of(invoice)
    subscription = book.get("subscription", id) if id else None
    if subscription is None or subscription["status"] == "canceled":
        return outcome
    if outcome == "paid":
        still = [one for one in invoices.find(book, {"subscription": id}) if one["status"] == "open"]
        if subscription["status"] == "past_due" and not still:
            _become(book, subscription, "active")
    elif outcome == "failed":
        tries = invoice["attempt_count"]
        if tries > len(RETRY_SECONDS):
            invoice |= {"next_payment_attempt": None, "auto_advance": False}
            end(book, subscription, "payment_failed")
            return outcome
        invoice["next_payment_attempt"] = book.now() + RETRY_SECONDS[max(tries, 1) - 1]
        book.plan(invoice["next_payment_attempt"], "retry", invoice["id"])
        if subscription["status"] == "active":
            _become(book, subscription, "past_due")
    return outcome


def _become(book: Book, subscription: Json, status: str) -> None:
    before = {"status": subscription["status"]}
    subscription["status"] = status
    book.emit("customer.subscription.updated", subscription, before)


def retry(book: Book, invoice: Json) -> None:
    """Try again to collect an open invoice."""
    id = invoices.subscription_of(invoice)
    collect(book, book.get("subscription", id or ""), invoice)


def end(book: Book, subscription: Json, reason: str) -> None:
    """It is over, now."""
    now = book.now()
    subscription |= {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    subscription["cancellation_details"]["reason"] = reason
    for invoice in invoices.find(book, {"subscription": subscription["id"], "status": "open"}):
        invoice |= {"auto_advance": False, "next_payment_attempt": None}
    book.emit("customer.subscription.deleted", subscription)


def living(book: Book, id: str) -> Json:
    """The subscription. Raises ``Refusal`` when there is none or it has ended."""
    subscription = book.get("subscription", id, "subscription_exposed_id")
    if subscription["status"] not in ALIVE:
        raise Refusal(f"This subscription is {subscription['status']}.", code="resource_missing", status=404)
    return subscription


def cancel(book: Book, params: Json, id: str) -> Json:
    """End it now, without giving anything back."""
    subscription = living(book, id)
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    end(book, subscription, "cancellation_requested")
    return subscription


def find(book: Book, params: Json) -> list[Json]:
    """Subscriptions, newest first: those not canceled unless ``status`` says otherwise."""
    found, status = book.all("subscription"), params.get("status")
    if status == "ended":
        found = [one for one in found if one["status"] in ("canceled", "incomplete_expired")]
    elif status is None:
        found = [one for one in found if one["status"] != "canceled"]
    elif status != "all":
        found = [one for one in found if one["status"] == status]
    if "customer" in params:
        found = [one for one in found if one["customer"] == params["customer"]]
    return [one for one in found if "price" not in params or params["price"] in {i["price"]["id"] for i in items(one)}]
