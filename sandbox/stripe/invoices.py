"""An invoice: its lines, what is owed, and its payment. Whether a subscription hangs on it is not known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.stripe import catalogue, payments
from sandbox.stripe.book import Book
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json, a_list


@dataclass
class Line:
    """What a line is about. ``amount`` in the smallest unit, negative when given back; ``period``: from, to."""

    price: Json
    quantity: int
    amount: int
    period: tuple[int, int]
    description: str
    item: str = ""
    """The subscription's item, if there is one."""
    proration: bool = False


def draft(
    book: Book,
    *,
    customer: Json,
    lines: list[Line],
    reason: str,
    period: tuple[int, int],
    currency: str,
    subscription: Json | None = None,
    promotion: Json | None = None,
    metadata: Json | None = None,
) -> Json:
    """A new invoice, still a draft, with what the customer's balance takes off."""
    id = book.new_id("invoice")
    subtotal = sum(line.amount for line in lines)
    off = catalogue.taken_off(book, promotion, subtotal) if promotion and subtotal > 0 else 0
    total = subtotal - off
    due = max(0, total + customer["balance"])
    invoice = book.new(
        "invoice", id=id, customer=customer["id"], customer_email=customer["email"], customer_name=customer["name"],
        customer_address=customer["address"], customer_tax_exempt="none", customer_tax_ids=[], currency=currency,
        billing_reason=reason, collection_method="charge_automatically", auto_advance=True, status="draft",
        period_start=period[0], period_end=period[1], subtotal=subtotal, subtotal_excluding_tax=subtotal, total=total,
        total_excluding_tax=total, total_taxes=[], total_pretax_credit_amounts=[], amount_due=due,
        amount_remaining=due, starting_balance=customer["balance"], metadata=metadata or {}, account_country="US",
        account_name="Sandbox", issuer={"type": "self"}, discounts=[], status_transitions={}, payment_settings={},
        total_discount_amounts=[], automatic_tax={}, default_payment_method=None, parent=_parent(subscription),
    )  # fmt: skip
    if promotion and off:
        invoice["total_discount_amounts"] = [{"amount": off, "discount": _discount(book, invoice, promotion)["id"]}]
        invoice["discounts"] = [one["discount"] for one in invoice["total_discount_amounts"]]
    shown = [_line(book, invoice, line, subscription) for line in lines]
    invoice["lines"] = a_list(f"/v1/invoices/{id}/lines", shown)
    book.emit("invoice.created", invoice)
    return invoice


def _parent(subscription: Json | None) -> Json | None:
    if subscription is None:
        return None
    details = {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}
    return {"type": "subscription_details", "subscription_details": details}


def _discount(book: Book, invoice: Json, promotion: Json) -> Json:
    source = {"type": "coupon", "coupon": promotion["promotion"]["coupon"]}
    return book.new(
        "discount", customer=invoice["customer"], invoice=invoice["id"], promotion_code=promotion["id"],
        start=book.now(), source=source,
    )  # fmt: skip


def _line(book: Book, invoice: Json, line: Line, subscription: Json | None) -> Json:
    price = line.price
    fields: dict[str, Any] = {}
    if subscription is not None:
        details = {"subscription": subscription["id"], "subscription_item": line.item, "proration": line.proration}
        fields["parent"] = {"type": "subscription_item_details", "subscription_item_details": details}
        fields["subscription"] = subscription["id"]
    return book.build(
        "line_item", amount=line.amount, subtotal=line.amount, currency=invoice["currency"], invoice=invoice["id"],
        description=line.description, quantity=line.quantity, quantity_decimal=str(line.quantity),
        discountable=not line.proration, discount_amounts=[], pretax_credit_amounts=[], taxes=[],
        period={"start": line.period[0], "end": line.period[1]}, metadata={},
        pricing={
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        **fields,
    )  # fmt: skip


def finalize(book: Book, invoice: Json) -> None:
    """A draft gets its number and its addresses, and is owed."""
    customer = book.get("customer", invoice["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    customer["next_invoice_sequence"] += 1
    customer["balance"] = min(0, invoice["total"] + invoice["starting_balance"])
    url = f"{book.base}/invoices/{invoice['id']}"
    invoice |= {
        "status": "open", "number": number, "effective_at": book.now(), "ending_balance": customer["balance"],
        "hosted_invoice_url": url, "invoice_pdf": f"{url}/pdf",
    }  # fmt: skip
    invoice["status_transitions"]["finalized_at"] = book.now()
    book.emit("invoice.finalized", invoice)


def attach(book: Book, invoice: Json, intent: Json) -> None:
    """Have an intent pay an invoice."""
    book.new(
        "invoice_payment", amount_requested=invoice["amount_due"], currency=invoice["currency"], invoice=invoice["id"],
        is_default=True, payment={"type": "payment_intent", "payment_intent": intent["id"]}, status="open",
        status_transitions={},
    )  # fmt: skip
    _slim(book.all("invoice_payment")[0])
    book.note(intent["id"])["invoice"] = invoice["id"]
    book.note(invoice["id"])["intent"] = intent["id"]


def _slim(payment: Json) -> None:
    payment["payment"] = {name: value for name, value in payment["payment"].items() if value is not None}


def attempt(book: Book, invoice: Json, method: Json | None, *, present: bool) -> str:
    """Try to pay what is owed; returns "paid", "failed", "requires_action" or "processing"."""
    if not invoice["amount_due"]:
        paid(book, invoice)
        return "paid"
    intent = intent_of(book, invoice)
    if intent is None:
        intent = payments.create(
            book, amount=invoice["amount_due"], currency=invoice["currency"], metadata={},
            customer=book.get("customer", invoice["customer"]), description="Subscription update",
        )  # fmt: skip
        attach(book, invoice, intent)
    if intent["status"] == "processing":
        raise Refusal("A payment is on its way already.", code="payment_intent_unexpected_state")
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    status = payments.attempt(book, intent, method, present=present) if method else "requires_payment_method"
    return settled(book, invoice, status)


def settled(book: Book, invoice: Json, status: str) -> str:
    """Take over what became of the intent; returns what ``attempt`` returns."""
    if status == "succeeded":
        paid(book, invoice)
        return "paid"
    if status == "requires_payment_method":
        intent = intent_of(book, invoice)
        error = intent["last_payment_error"] if intent else None
        if error and error["code"] == "authentication_required":
            book.emit("invoice.payment_action_required", invoice)
        book.emit("invoice.payment_failed", invoice)
        return "failed"
    if status == "requires_action":
        book.emit("invoice.payment_action_required", invoice)
    return status


def paid(book: Book, invoice: Json) -> None:
    """Nothing is owed any more."""
    invoice |= {
        "status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0, "attempted": True,
        "auto_advance": False, "next_payment_attempt": None,
    }  # fmt: skip
    invoice["status_transitions"]["paid_at"] = book.now()
    for payment in payments_of(book, invoice["id"]):
        if payment["status"] == "open":
            payment |= {"status": "paid", "amount_paid": payment["amount_requested"]}
            payment["status_transitions"]["paid_at"] = book.now()
            book.emit("invoice_payment.paid", payment)
    book.emit("invoice.paid", invoice)
    book.emit("invoice.payment_succeeded", invoice)


def intent_of(book: Book, invoice: Json) -> Json | None:
    """The intent that pays an invoice, once there is one."""
    id = book.note(invoice["id"]).get("intent")
    return book.get("payment_intent", id) if id else None


def payments_of(book: Book, invoice: str) -> list[Json]:
    """The payments of an invoice, newest first."""
    return [one for one in book.all("invoice_payment") if one["invoice"] == invoice]


def subscription_of(invoice: Json) -> str | None:
    """The id of the subscription that an invoice is for."""
    return invoice["parent"]["subscription_details"]["subscription"] if invoice["parent"] else None


def find(book: Book, params: Json) -> list[Json]:
    """Invoices, newest first."""
    found = book.all("invoice")
    if "subscription" in params:
        found = [one for one in found if subscription_of(one) == params["subscription"]]
    names = [name for name in ("customer", "status", "collection_method") if name in params]
    return [one for one in found if all(one[name] == params[name] for name in names)]


def find_payments(book: Book, params: Json) -> list[Json]:
    """Payments of invoices, newest first, by ``invoice`` or by the intent that pays."""
    found = book.all("invoice_payment")
    for name in ("invoice", "status"):
        if name in params:
            found = [one for one in found if one[name] == params[name]]
    intent = params.get("payment", {}).get("payment_intent")
    return [one for one in found if not intent or one["payment"].get("payment_intent") == intent]
