"""One payment: an intent, tried with a card until it succeeds, and a charge for each try that reached the bank.

What a payment is for is not known here: whoever began it looks at the intent's ``status`` afterwards.
"""

from __future__ import annotations

from typing import Any

from sandbox.stripe import customers
from sandbox.stripe.book import Book
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json

DECLINED = "Your card was declined."
UNAUTHENTICATED = "The bank could not confirm that it was you. Choose another way to pay, or try again."


def create(
    book: Book, *, amount: int, currency: str, customer: Json | None, metadata: Json, description: str | None = None
) -> Json:
    """An intent that waits for a way to pay. ``amount`` in the currency's smallest unit."""
    intent = book.new(
        "payment_intent", amount=amount, currency=currency, customer=customer["id"] if customer else None,
        metadata=dict(metadata), description=description, status="requires_payment_method",
        payment_method_types=["card", "sepa_debit"], capture_method="automatic_async",
        receipt_email=None,
    )  # fmt: skip
    intent["client_secret"] = f"{intent['id']}_secret_{''.join(book.rng.choices('abcdefghijkmnpqrstuvwxyz', k=16))}"
    book.emit("payment_intent.created", intent)
    return intent


def attempt(book: Book, intent: Json, method: Json, *, present: bool = True) -> str:
    """Try to pay with a card; returns the intent's new status. ``present``: whether the buyer is there to confirm."""
    card = customers.card_of(book, method["id"])
    if card == "auth" and present:
        intent["payment_method"], intent["status"] = method["id"], "requires_action"
        intent["next_action"] = _authentication(book, intent)
        book.emit("payment_intent.requires_action", intent)
    elif card == "auth":
        charge = _charge(book, intent, method, "failed")
        _fail(book, intent, method, "authentication_required", "This payment needs its holder to confirm it.", charge)
    elif card == "declined":
        charge = _charge(book, intent, method, "failed")
        _fail(book, intent, method, "card_declined", DECLINED, charge)
    elif card == "delayed":
        intent["payment_method"], intent["status"] = method["id"], "processing"
        intent["last_payment_error"] = None
        charge = _charge(book, intent, method, "pending")
        intent["latest_charge"] = charge["id"]
        book.emit("payment_intent.processing", intent)
        book.emit("charge.pending", charge)
    else:
        _succeed(book, intent, method, _charge(book, intent, method, "succeeded"))
    return str(intent["status"])


def _authentication(book: Book, intent: Json) -> Json:
    made = book.build("payment_intent", next_action={"type": "redirect_to_url", "redirect_to_url": {}})["next_action"]
    made["redirect_to_url"]["url"] = f"{book.base}/authenticate/{intent['id']}"
    keep = ("type", "redirect_to_url")
    return {name: value for name, value in made.items() if name in keep}


def authenticate(book: Book, intent: Json, *, approved: bool) -> str:
    """The holder confirms a payment that waits for it, or does not; returns the intent's new status."""
    if intent["status"] != "requires_action":
        raise Refusal("This payment waits for no confirmation.", code="payment_intent_unexpected_state")
    method = book.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if approved:
        _succeed(book, intent, method, _charge(book, intent, method, "succeeded"))
    else:
        _fail(book, intent, method, "payment_intent_authentication_failure", UNAUTHENTICATED, None)
    return str(intent["status"])


def finish(book: Book, intent: Json, *, succeeds: bool) -> str:
    """A payment that takes days arrives, or does not; returns the intent's new status."""
    if intent["status"] != "processing":
        raise Refusal("This payment is not on its way.", code="payment_intent_unexpected_state")
    charge = book.get("charge", intent["latest_charge"])
    method = book.get("payment_method", intent["payment_method"])
    if succeeds:
        charge |= _taken(charge["amount"])
        charge["receipt_url"] = f"{book.base}/receipts/{charge['id']}"
        _succeed(book, intent, method, charge)
    else:
        charge |= {"status": "failed", "paid": False} | _refused("insufficient_funds", "There was not enough money.")
        _fail(book, intent, method, "payment_method_customer_decline", "The bank refused the debit.", charge)
    return str(intent["status"])


def cancel(book: Book, intent: Json, reason: str) -> None:
    """Give up an intent that has not been paid."""
    if intent["status"] in ("requires_payment_method", "requires_action"):
        intent |= {"status": "canceled", "canceled_at": book.now(), "cancellation_reason": reason, "next_action": None}
        book.emit("payment_intent.canceled", intent)


def _succeed(book: Book, intent: Json, method: Json, charge: Json) -> None:
    intent |= {
        "status": "succeeded", "payment_method": method["id"], "amount_received": intent["amount"],
        "latest_charge": charge["id"], "last_payment_error": None, "next_action": None,
    }  # fmt: skip
    book.emit("charge.succeeded", charge)
    book.emit("payment_intent.succeeded", intent)


def _fail(book: Book, intent: Json, method: Json, code: str, message: str, charge: Json | None) -> None:
    error: Json = {"type": "card_error", "code": code, "message": message, "payment_method": method}
    if charge is not None:
        error["charge"] = charge["id"]
        intent["latest_charge"] = charge["id"]
        if code == "card_declined":
            error["decline_code"] = "generic_decline"
    filled = book.build("payment_intent", last_payment_error=error)["last_payment_error"]
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": filled}
    if charge is not None:
        book.emit("charge.failed", charge)
    book.emit("payment_intent.payment_failed", intent)


def _taken(amount: int) -> Json:
    return {"status": "succeeded", "paid": True, "captured": True, "amount_captured": amount}


def _refused(code: str, message: str) -> Json:
    return {"failure_code": code, "failure_message": message}


def _charge(book: Book, intent: Json, method: Json, status: str) -> Json:
    customer = book.objects.get(intent["customer"] or "", {})
    fields: dict[str, Any] = {
        "amount": intent["amount"], "currency": intent["currency"], "customer": intent["customer"],
        "payment_intent": intent["id"], "payment_method": method["id"], "metadata": dict(intent["metadata"]),
        "description": intent["description"], "status": status, "fraud_details": {},
        "billing_details": {"email": customer.get("email"), "name": customer.get("name")},
        "payment_method_details": _details(method),
    }  # fmt: skip
    if status == "succeeded":
        fields |= _taken(intent["amount"])
        fields["outcome"] = {"network_status": "approved_by_network", "type": "authorized", "risk_level": "normal"}
    elif status == "failed":
        fields |= _refused("card_declined", DECLINED)
        fields["outcome"] = {"network_status": "declined_by_network", "type": "issuer_declined", "risk_level": "normal"}
    else:
        fields |= {"captured": True, "amount_captured": intent["amount"]}
    charge = book.new("charge", **fields)
    if status == "succeeded":
        charge["receipt_url"] = f"{book.base}/receipts/{charge['id']}"
    return charge


def _details(method: Json) -> Json:
    if method["type"] == "sepa_debit":
        same = ("bank_code", "country", "fingerprint", "last4")
        return {"type": "sepa_debit", "sepa_debit": {name: method["sepa_debit"][name] for name in same}}
    kept = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {"type": "card", "card": {name: method["card"][name] for name in kept} | {"network": "visa"}}


def find_charges(book: Book, params: Json) -> list[Json]:
    """Charges, newest first."""
    return _matching(book.all("charge"), params, "payment_intent", "customer")


def find_intents(book: Book, params: Json) -> list[Json]:
    """Intents, newest first."""
    return _matching(book.all("payment_intent"), params, "customer")


def _matching(found: list[Json], params: Json, *names: str) -> list[Json]:
    return [one for one in found if all(one[name] == params[name] for name in names if name in params)]
