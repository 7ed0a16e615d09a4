"""An invoice, which can be paid on its page while it is open, and the receipt of a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.stripe import changes, customers, invoices
from sandbox.stripe.checkout_pages import WAYS, card
from sandbox.stripe.html import button_form, moment, money, note, page, radios, redirect, slip, tag
from sandbox.stripe.server import Answer

if TYPE_CHECKING:
    from sandbox.stripe.running import Sandbox


def show(stripe: Sandbox, id: str) -> Answer:
    """The page of an invoice."""
    invoice = stripe.book.get("invoice", id)
    currency = invoice["currency"]
    rows: list[tuple[object, object]] = [
        (line["description"], money(line["amount"], currency)) for line in invoice["lines"]["data"]
    ]
    rows += [("Promotion", money(-one["amount"], currency)) for one in invoice["total_discount_amounts"]]
    if invoice["starting_balance"]:
        rows.append(("Balance from before", money(invoice["starting_balance"], currency)))
    intent = invoices.intent_of(stripe.book, invoice)
    pay: object = ""
    if invoice["status"] == "open" and intent and intent["status"] == "requires_action":
        return redirect(f"/authenticate/{intent['id']}")
    if invoice["status"] == "open" and intent and intent["status"] == "processing":
        pay = tag("p", "A payment is on its way.")
    elif invoice["status"] == "open":
        error = intent["last_payment_error"] if intent else None
        pay = tag(
            "div",
            note(f"{error['message']} Nothing was paid.") if error else "",
            button_form(f"/invoices/{id}", "Pay", radios("How to pay", "card", WAYS, "ok"), first=True),
        )
    return page(
        f"Invoice {invoice['number'] or '(draft)'}",
        slip(
            [
                ("Date", moment(invoice["created"])),
                ("For", invoice["customer_email"] or "–"),
                ("State", invoice["status"]),
            ]
        ),
        slip(rows, ("Due", money(invoice["amount_due"], currency))),
        pay,
    )


def pay(stripe: Sandbox, id: str, form: dict[str, str]) -> Answer:
    """The customer pays an open invoice."""
    method = customers.new_method(stripe.book, card(form))
    changes.pay_invoice(stripe.book, stripe.book.get("invoice", id), method)
    return redirect(f"/invoices/{id}")


def receipt(stripe: Sandbox, id: str) -> Answer:
    """What was paid, and what of it was given back."""
    charge = stripe.book.get("charge", id)
    way = charge["payment_method_details"]
    rows: list[tuple[object, object]] = [
        ("Date", moment(charge["created"])),
        ("Paid with", f"{way['type'].replace('_', ' ')} {way[way['type']]['last4']}"),
        ("Paid", money(charge["amount"], charge["currency"])),
    ]
    if charge["amount_refunded"]:
        rows.append(("Given back", money(-charge["amount_refunded"], charge["currency"])))
    return page(
        "Receipt", slip(rows, ("Stays", money(charge["amount"] - charge["amount_refunded"], charge["currency"])))
    )
