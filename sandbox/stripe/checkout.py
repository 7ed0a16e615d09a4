"""The buyer pays: what a payment, a refusal, a bank's question or a delay means for a session and what hangs on it."""

from __future__ import annotations

from sandbox.stripe import customers, invoices, payments, subscriptions
from sandbox.stripe.book import Book
from sandbox.stripe.customers import Card
from sandbox.stripe.invoices import Line
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.sessions import is_open
from sandbox.stripe.shapes import Json


def pay(book: Book, session: Json, card: Card) -> str:
    """The buyer presses the button. Returns "complete", "declined" or "requires_action". Raises ``Refusal``."""
    is_open(session)
    customer = _buyer(book, session)
    method = customers.new_method(book, card, customer if session["mode"] == "subscription" else None)
    if not session["amount_total"]:
        _complete(book, session, "no_payment_required", method)
        return "complete"
    intent = _intent(book, session, customer)
    return _after(book, session, payments.attempt(book, intent, method))


def _buyer(book: Book, session: Json) -> Json | None:
    if session["customer"]:
        customer = customers.living(book, session["customer"])
        if book.note(session["id"])["customer_update"].get("address") == "auto" and not customer["address"]:
            customers.update(book, {"address": {"country": "US", "postal_code": "10001"}}, customer["id"])
        return customer
    email = session["customer_email"] or "buyer@example.com"
    session["customer_details"] = book.build("checkout.session", customer_details={"email": email})["customer_details"]
    invoiced = session["invoice_creation"] and session["invoice_creation"]["enabled"]
    if session["mode"] == "payment" and session["customer_creation"] != "always" and not invoiced:
        return None
    customer = customers.create(book, {"email": email})
    session["customer"] = customer["id"]
    return customer


def _intent(book: Book, session: Json, customer: Json | None) -> Json:
    note = book.note(session["id"])
    if "intent" in note:
        intent = book.get("payment_intent", note["intent"])
        if intent["status"] != "requires_payment_method":
            raise Refusal("This payment waits for its holder.", code="payment_intent_unexpected_state")
        intent["amount"] = session["amount_total"]
        return intent
    data = note["payment_intent_data"]
    subscribing = session["mode"] == "subscription"
    intent = payments.create(
        book, amount=session["amount_total"], currency=session["currency"], customer=customer,
        metadata=data.get("metadata", {}),
        description="Subscription creation" if subscribing else data.get("description"),
    )  # fmt: skip
    intent["receipt_email"] = data.get("receipt_email")
    note["intent"] = intent["id"]
    if not subscribing:  # a subscription's session names none: its invoice does
        session["payment_intent"] = intent["id"]
    book.note(intent["id"])["session"] = session["id"]
    return intent


def _after(book: Book, session: Json, status: str) -> str:
    if status in ("succeeded", "processing"):
        intent = book.get("payment_intent", book.note(session["id"])["intent"])
        method = book.get("payment_method", intent["payment_method"])
        _complete(book, session, "paid" if status == "succeeded" else "unpaid", method)
        return "complete"
    return "requires_action" if status == "requires_action" else "declined"


def authenticate(book: Book, intent: Json, *, approved: bool) -> str:
    """The holder confirms a payment at their bank, or does not; returns what ``pay`` or ``pay_invoice`` returns."""
    note = book.note(intent["id"])
    if "invoice" not in note:
        session = is_open(book.get("checkout.session", note["session"]))
        return _after(book, session, payments.authenticate(book, intent, approved=approved))
    invoice = book.get("invoice", note["invoice"])
    status = payments.authenticate(book, intent, approved=approved)
    return subscriptions.after(book, invoice, invoices.settled(book, invoice, status))


def _complete(book: Book, session: Json, payment_status: str, method: Json) -> None:
    session |= {"status": "complete", "payment_status": payment_status, "url": None}
    for discount in session["discounts"]:
        book.get("promotion_code", discount["promotion_code"])["times_redeemed"] += 1
        book.get("coupon", discount["coupon"])["times_redeemed"] += 1
    if session["mode"] == "subscription":
        _subscribe(book, session, method)
    elif payment_status != "unpaid":
        _bill(book, session)
    book.emit("checkout.session.completed", session)


def _promotion(book: Book, session: Json) -> Json | None:
    codes = [book.get("promotion_code", one["promotion_code"]) for one in session["discounts"]]
    return codes[0] if codes else None


def _subscribe(book: Book, session: Json, method: Json) -> None:
    note = book.note(session["id"])
    data = note["subscription_data"]
    subscription = subscriptions.create(
        book, customer=book.get("customer", session["customer"]), lines=note["lines"], method=method,
        metadata=data.get("metadata", {}), description=data.get("description"),
    )  # fmt: skip
    session["subscription"] = subscription["id"]
    invoice = subscriptions.first_invoice(book, subscription, note["lines"], _promotion(book, session))
    session["invoice"] = invoice["id"]
    _pay_with(book, session, invoice)


def _bill(book: Book, session: Json) -> None:
    """The invoice for what has been paid, where the session was told to make one and its customer is still there."""
    wanted = session["invoice_creation"]
    if not wanted or not wanted["enabled"] or book.get("customer", session["customer"]).get("deleted"):
        return
    now = book.now()
    lines = [
        Line(one["price"], one["quantity"], one["amount_subtotal"], (now, now), one["description"])
        for one in book.note(session["id"])["lines"]
    ]
    invoice = invoices.draft(
        book, customer=book.get("customer", session["customer"]), lines=lines, reason="manual", period=(now, now),
        currency=session["currency"], promotion=_promotion(book, session),
        metadata=dict(wanted["invoice_data"]["metadata"]),
    )  # fmt: skip
    invoices.finalize(book, invoice)
    session["invoice"] = invoice["id"]
    _pay_with(book, session, invoice)


def _pay_with(book: Book, session: Json, invoice: Json) -> None:
    id = book.note(session["id"]).get("intent")
    if id and invoice["amount_due"]:
        invoices.attach(book, invoice, book.get("payment_intent", id))
        invoice |= {"attempted": True, "attempt_count": 1}
    if not invoice["amount_due"] or session["payment_status"] == "paid":
        invoices.paid(book, invoice)


def settle(book: Book, intent: Json, *, succeeds: bool) -> None:
    """A payment that took days arrives, or does not. Raises ``Refusal`` when it is not on its way."""
    status = payments.finish(book, intent, succeeds=succeeds)
    note = book.note(intent["id"])
    if "invoice" in note:
        invoice = book.get("invoice", note["invoice"])
        subscriptions.after(book, invoice, invoices.settled(book, invoice, status))
    session = book.objects.get(note.get("session", ""))
    if session is None or session["payment_status"] == "paid" or note.get("told"):
        return
    note["told"] = True  # tries to collect a first invoice that come later are no matter of the session's
    if succeeds:
        session["payment_status"] = "paid"
        if session["mode"] == "payment":
            _bill(book, session)
    book.emit(f"checkout.session.async_payment_{'succeeded' if succeeds else 'failed'}", session)
