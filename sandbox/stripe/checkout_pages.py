"""The pages on which a buyer pays: the order, a choice of cards, and the bank's question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.stripe import checkout, sessions
from sandbox.stripe.customers import CARDS, Card
from sandbox.stripe.html import Markup, button_form, h, money, note, page, radios, redirect, slip, sorry, tag
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.server import Answer
from sandbox.stripe.shapes import Json

if TYPE_CHECKING:
    from sandbox.stripe.running import Sandbox

WAYS: dict[str, str] = {
    "ok": f"Card {CARDS['ok']}: pays at once",
    "declined": f"Card {CARDS['declined']}: is declined",
    "auth": f"Card {CARDS['auth']}: the bank asks first",
    "delayed": f"Bank debit {CARDS['delayed']}: takes days",
}


def card(form: dict[str, str]) -> Card:
    """The chosen way to pay. Raises ``Refusal`` for none that there is."""
    for known in CARDS:
        if form.get("card") == known:
            return known
    raise Refusal("Choose a way to pay.", param="card")


def show(stripe: Sandbox, id: str, *, sentence: str = "", wrong_code: str = "") -> Answer:
    """The page of a session."""
    session = stripe.book.get("checkout.session", id)
    if session["status"] != "open":
        return _over(session)
    note_ = stripe.book.note(id)
    intent = stripe.book.objects.get(note_.get("intent", ""), {})
    if intent.get("status") == "requires_action":
        return redirect(f"/authenticate/{intent['id']}")
    if not sentence and intent.get("last_payment_error"):
        sentence = f"{intent['last_payment_error']['message']} Nothing was paid."
    words = "Subscribe" if session["mode"] == "subscription" else "Pay"
    amount = money(session["amount_total"], session["currency"])
    return page(
        "Subscribe" if session["mode"] == "subscription" else "Pay",
        _order(session, note_["lines"]),
        _code(session, wrong_code) if session["allow_promotion_codes"] else "",
        note(sentence) if sentence else "",
        button_form(f"/pay/{id}", f"{words} {amount}", radios("How to pay", "card", WAYS, "ok"), first=True),
        tag("p", tag("a", "Back", href=session["cancel_url"])) if session["cancel_url"] else "",
        status=402 if sentence else 400 if wrong_code else 200,
    )


def _over(session: Json) -> Answer:
    if session["status"] == "expired":
        back = tag("p", tag("a", "Back", href=session["cancel_url"])) if session["cancel_url"] else ""
        return page(
            "This page has expired", tag("p", "Nothing was paid. Start again where you came from."), back, status=410
        )
    return page(
        "This is paid already" if session["payment_status"] != "unpaid" else "This payment is on its way",
        tag("p", "There is nothing more to do here."),
        tag("p", tag("a", "Go on", href=after(session))),
        status=410,
    )


def after(session: Json) -> str:
    """Where the buyer goes on."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _order(session: Json, lines: list[Json]) -> Markup:
    rows: list[tuple[object, object]] = []
    for line in lines:
        cycle = line["price"]["recurring"]
        often = "" if not cycle else f", every {_every(cycle)}"
        rows.append((f"{line['quantity']} × {line['description']}{often}", _money(session, line["amount_subtotal"])))
    if off := session["total_details"]["amount_discount"]:
        rows.append(("Promotion", _money(session, -off)))
    return slip(rows, ("Total today", _money(session, session["amount_total"])))


def _every(cycle: Json) -> str:
    count, unit = cycle["interval_count"], cycle["interval"]
    return str(unit) if count == 1 else f"{count} {unit}s"


def _money(session: Json, amount: int) -> str:
    return money(amount, session["currency"])


def _code(session: Json, wrong: str) -> Markup:
    used = bool(session["discounts"])
    field = tag(
        "label",
        "Promotion code",
        tag(
            "input", type="text", name="promotion", value=wrong, autocomplete="off",
            aria_describedby="code-says" if wrong or used else None, aria_invalid="true" if wrong else None,
        ),
    )  # fmt: skip
    says = "There is no such code." if wrong else "The code is applied." if used else ""
    return tag(
        "form",
        tag("div", field, tag("button", "Apply", name="apply", value="yes"), class_="row"),
        tag("p", says, id="code-says", class_="bad" if wrong else "good") if says else "",
        method="post",
        action=f"/pay/{session['id']}",
    )


def act(stripe: Sandbox, id: str, form: dict[str, str]) -> Answer:
    """The buyer presses a button on the page of a session."""
    session = stripe.book.get("checkout.session", id)
    if session["status"] != "open":
        return _over(session)
    if "promotion" in form:
        try:
            sessions.apply(stripe.book, session, form["promotion"].strip())
        except Refusal:
            return show(stripe, id, wrong_code=form["promotion"])
        return redirect(f"/pay/{id}")
    outcome = checkout.pay(stripe.book, session, card(form))
    return redirect(after(session) if outcome == "complete" else f"/pay/{id}")


def ask(stripe: Sandbox, id: str) -> Answer:
    """The bank's question."""
    intent = stripe.book.get("payment_intent", id)
    if intent["status"] != "requires_action":
        return sorry("Nothing to confirm", "This payment does not wait for you.", 410)
    return page(
        "Your bank asks",
        tag("p", "Is it you who pays ", tag("strong", h(money(intent["amount"], intent["currency"]))), "?"),
        button_form(f"/authenticate/{id}", "Yes, pay", first=True, answer="yes"),
        button_form(f"/authenticate/{id}", "No, refuse", answer="no"),
    )


def answer(stripe: Sandbox, id: str, form: dict[str, str]) -> Answer:
    """The holder answers the bank's question."""
    intent = stripe.book.get("payment_intent", id)
    if intent["status"] != "requires_action":
        return ask(stripe, id)
    owner = stripe.book.note(id)
    invoice = owner.get("invoice")  # as it was before the answer: a session's payment gets one by it
    checkout.authenticate(stripe.book, intent, approved=form.get("answer") == "yes")
    if invoice:
        return redirect(f"/invoices/{invoice}")
    session = stripe.book.get("checkout.session", owner["session"])
    return redirect(after(session) if session["status"] == "complete" else f"/pay/{session['id']}")
