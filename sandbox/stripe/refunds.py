"""Money given back: whole, in parts, at once, or pending until it arrives or fails."""

from __future__ import annotations

from sandbox.stripe.book import Book, merge_metadata
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json


def create(book: Book, params: Json) -> Json:
    """Give back all that is left of a charge, or ``amount``. Raises ``Refusal``."""
    charge = _charge(book, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise Refusal("This charge has not succeeded, so it cannot be refunded.", code="charge_not_refundable")
    if charge["disputed"] and book.note(charge["id"]).get("withdrawn"):
        raise Refusal(f"Charge {charge['id']} is disputed; its money is gone already.", code="charge_disputed")
    if left <= 0:
        raise Refusal(f"Charge {charge['id']} is refunded already.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount <= 0:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise Refusal(f"A refund of {amount} is more than the {left} that are left of the charge.", param="amount")
    pending = book.refunds_wait
    refund = book.new(
        "refund", amount=amount, charge=charge["id"], currency=charge["currency"], metadata={},
        payment_intent=charge["payment_intent"], reason=params.get("reason"),
        status="pending" if pending else "succeeded", pending_reason="processing" if pending else None,
        destination_details={"type": "card", "card": {"type": "refund"}},
    )  # fmt: skip
    refund["destination_details"] = {k: v for k, v in refund["destination_details"].items() if v is not None}
    merge_metadata(refund, params.get("metadata"))
    _count(charge, amount)
    book.emit("refund.created", refund)
    book.emit("charge.refunded", charge)
    return refund


def _charge(book: Book, params: Json) -> Json:
    if "charge" in params:
        return book.get("charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise Refusal(
            "A refund needs `payment_intent` or `charge`.",
            code="parameter_missing",
        )
    intent = book.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None:
        raise Refusal("This PaymentIntent has no successful charge to refund.", code="charge_not_refundable")
    return book.get("charge", intent["latest_charge"])


def _count(charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]


def settle(book: Book, refund: Json, *, succeeds: bool) -> None:
    """A refund arrives, or fails: a pending one, or (``succeeds`` false) one that was thought to have arrived."""
    before = {"status": refund["status"], "pending_reason": refund["pending_reason"]}
    if refund["status"] != "pending" and (succeeds or refund["status"] != "succeeded"):
        raise Refusal(f"This refund is {refund['status']}.", code="refund_unexpected_state")
    refund |= {"status": "succeeded" if succeeds else "failed", "pending_reason": None}
    if succeeds:
        book.emit("refund.updated", refund, before)
        return
    refund["failure_reason"] = "lost_or_stolen_card"
    charge = book.get("charge", refund["charge"])
    earlier = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    _count(charge, -refund["amount"])
    book.emit("refund.updated", refund, before)
    book.emit("refund.failed", refund)
    book.emit("charge.updated", charge, earlier)


def find(book: Book, params: Json) -> list[Json]:
    """Refunds, newest first."""
    names = [name for name in ("payment_intent", "charge") if name in params]
    return [one for one in book.all("refund") if all(one[name] == params[name] for name in names)]
