"""A buyer's bank takes a payment back: the money goes at once, and returns if the case is won. An inquiry only asks."""

from __future__ import annotations

from sandbox.stripe.book import Book
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json

FEE = 1500
ANSWER_WITHIN_SECONDS = 7 * 86400
OPEN = {"needs_response", "under_review"}
INQUIRIES = {"warning_needs_response", "warning_under_review"}


def start(book: Book, intent: Json, *, amount: int | None, reason: str, inquiry: bool) -> Json:
    """Dispute a payment, or inquire about it. Raises ``Refusal`` when it was not paid or is disputed already."""
    charge = book.get("charge", intent["latest_charge"] or "")
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise Refusal("This payment cannot be disputed.", code="charge_not_disputable")
    dispute = book.new(
        "dispute", amount=charge["amount"] if amount is None else amount, charge=charge["id"],
        currency=charge["currency"], payment_intent=intent["id"], reason=reason, metadata={},
        status="warning_needs_response" if inquiry else "needs_response", is_charge_refundable=inquiry,
        evidence_details={"due_by": book.now() + ANSWER_WITHIN_SECONDS},
        payment_method_details={"type": "card", "card": {"brand": "visa", "case_type": "chargeback"}},
    )  # fmt: skip
    dispute["payment_method_details"] = {k: v for k, v in dispute["payment_method_details"].items() if v is not None}
    if inquiry:
        dispute["payment_method_details"]["card"]["case_type"] = "inquiry"
    charge["disputed"] = True
    book.emit("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(book, dispute, charge)
    return dispute


def _withdraw(book: Book, dispute: Json, charge: Json) -> None:
    _move(book, dispute, -dispute["amount"], FEE, "Chargeback withdrawal")
    book.note(charge["id"])["withdrawn"] = True
    book.emit("charge.dispute.funds_withdrawn", dispute)


def _move(book: Book, dispute: Json, amount: int, fee: int, words: str) -> None:
    moved = book.build(
        "balance_transaction", amount=amount, fee=fee, net=amount - fee, currency=dispute["currency"],
        description=f"{words} for {dispute['charge']}", source=dispute["id"], type="adjustment", status="available",
        available_on=book.now(), reporting_category="dispute" if amount < 0 else "dispute_reversal",
        balance_type="payments",
    )  # fmt: skip
    dispute["balance_transactions"].append(moved)


def escalate(book: Book, dispute: Json) -> None:
    """An inquiry becomes a dispute, and the money goes. Raises ``Refusal`` when it is no open inquiry."""
    if dispute["status"] not in INQUIRIES:
        raise Refusal("This is no open inquiry.", code="dispute_unexpected_state")
    before = {"status": dispute["status"]}
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    book.emit("charge.dispute.updated", dispute, before)
    _withdraw(book, dispute, book.get("charge", dispute["charge"]))


def close(book: Book, dispute: Json, *, won: bool) -> None:
    """Decide a dispute. An inquiry just closes, whatever ``won`` says. Raises ``Refusal`` when it is decided."""
    if dispute["status"] in INQUIRIES:
        dispute["status"] = "warning_closed"
        book.emit("charge.dispute.closed", dispute)
        return
    if dispute["status"] not in OPEN:
        raise Refusal("This dispute is closed.", code="dispute_unexpected_state")
    dispute["status"] = "won" if won else "lost"
    if won:
        book.note(dispute["charge"])["withdrawn"] = False
        _move(book, dispute, dispute["amount"], 0, "Chargeback reversal")
    book.emit("charge.dispute.closed", dispute)
    if won:
        book.emit("charge.dispute.funds_reinstated", dispute)


def find(book: Book, params: Json) -> list[Json]:
    """Disputes, newest first."""
    names = [name for name in ("payment_intent", "charge") if name in params]
    return [one for one in book.all("dispute") if all(one[name] == params[name] for name in names)]
