"""The page for whoever runs the site here: what buyers, banks and time would do, one button each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.stripe import checkout, clock, customers, disputes, refunds, sessions, subscriptions
from sandbox.stripe.hooks import MODES
from sandbox.stripe.html import Markup, button_form, join, moment, money, note, page, redirect, tag
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.server import Answer
from sandbox.stripe.shapes import Json

if TYPE_CHECKING:
    from sandbox.stripe.running import Sandbox

SHOWN = 20
DAY = 86400


def show(stripe: Sandbox, *, sentence: str = "") -> Answer:
    """The page."""
    book = stripe.book
    return page(
        "Sandbox for Stripe",
        tag("p", "Whatever is paid on this site comes from here. Play the buyer's bank, and let time pass."),
        note(sentence) if sentence else "",
        tag("h2", "Clock"),
        tag("p", f"It is {moment(book.now())} here."),
        button_form("/do/advance", "+1 day", days=1),
        button_form("/do/advance", "+1 month", days=31),
        tag("h2", "Payments"),
        _list([_payment(stripe, one) for one in book.all("payment_intent")[:SHOWN]], "Nobody has paid yet."),
        tag("h2", "Subscriptions"),
        _list([_subscription(stripe, one) for one in book.all("subscription")[:SHOWN]], "There are none."),
        tag("h2", "Open Checkout pages"),
        _list([_session(one) for one in sessions.find(book, {"status": "open"})[:SHOWN]], "There are none."),
        tag("h2", "Events"),
        _delivery(stripe),
        _list([_event(stripe, one) for one in book.all("event")[:SHOWN]], "Nothing has happened yet."),
        status=400 if sentence else 200,
        wide=True,
    )


def _list(rows: list[Markup], none: str) -> Markup:
    return tag("ul", join(rows), class_="list") if rows else tag("p", none)


def _who(stripe: Sandbox, customer: str | None) -> str:
    found = stripe.book.objects.get(customer or "", {})
    return str(found.get("email") or customer or "a guest")


def _payment(stripe: Sandbox, intent: Json) -> Markup:
    book, id, currency = stripe.book, intent["id"], intent["currency"]
    words = f"{money(intent['amount'], currency)} by {_who(stripe, intent['customer'])}: {_words(intent['status'])}"
    parts: list[object] = []
    if intent["status"] == "processing":
        parts += [
            button_form("/do/settle", "It arrives", intent=id, succeeds="yes"),
            button_form("/do/settle", "It fails", intent=id, succeeds="no"),
        ]
    charge = book.objects.get(intent["latest_charge"] or "")
    if charge and charge["status"] == "succeeded":
        left = charge["amount"] - charge["amount_refunded"]
        if charge["amount_refunded"]:
            words += f", {money(charge['amount_refunded'], currency)} given back"
        if left and not book.note(charge["id"]).get("withdrawn"):
            parts.append(_refund(id, left, currency))
        if not charge["disputed"]:
            parts.append(button_form("/do/dispute", "Dispute", intent=id))
            parts.append(button_form("/do/dispute", "Inquire", intent=id, inquiry="yes"))
        parts += [_refund_state(one) for one in refunds.find(book, {"payment_intent": id})]
        parts += [_dispute(one) for one in disputes.find(book, {"payment_intent": id})]
    shown = [tag("p", words), *parts, tag("div", tag("code", id), class_="small")]
    return tag("li", *shown)


def _words(status: str) -> str:
    return status.replace("_", " ")


def _refund(id: str, left: int, currency: str) -> Markup:
    amount = tag(
        "label", f"Of {money(left, currency)}, in the smallest unit ",
        tag("input", type="number", name="amount", min=1, max=left, value=left),
    )  # fmt: skip
    pending = tag("label", tag("input", type="checkbox", name="pending", value="yes"), " arrives later")
    return button_form("/do/refund", "Refund", amount, pending, intent=id)


def _refund_state(refund: Json) -> Markup:
    words = tag("p", f"Refund of {money(refund['amount'], refund['currency'])}: {refund['status']}", class_="small")
    if refund["status"] != "pending":
        return words
    return join(
        [
            words,
            button_form("/do/settle_refund", "The refund arrives", refund=refund["id"], succeeds="yes"),
            button_form("/do/settle_refund", "The refund fails", refund=refund["id"], succeeds="no"),
        ]
    )


def _dispute(dispute: Json) -> Markup:
    words = tag("p", f"Dispute of {money(dispute['amount'], dispute['currency'])}: {_words(dispute['status'])}")
    id = dispute["id"]
    if dispute["status"] in disputes.INQUIRIES:
        escalate = button_form("/do/escalate", "It becomes a dispute", dispute=id)
        return join([words, escalate, button_form("/do/close", "Close the inquiry", dispute=id, won="yes")])
    if dispute["status"] not in disputes.OPEN:
        return words
    win = button_form("/do/close", "We win", dispute=id, won="yes")
    return join([words, win, button_form("/do/close", "We lose", dispute=id, won="no")])


def _subscription(stripe: Sandbox, subscription: Json) -> Markup:
    id = subscription["id"]
    end = moment(subscriptions.end_of(subscription))
    words = f"{_who(stripe, subscription['customer'])}: {_words(subscription['status'])}, period until {end}"
    parts: list[object] = []
    if subscription["status"] in subscriptions.ALIVE:
        parts = [
            button_form("/do/renewal", "To the end of its period", subscription=id),
            button_form("/do/card", "Its card works", customer=subscription["customer"], card="ok"),
            button_form("/do/card", "Its card is declined", customer=subscription["customer"], card="declined"),
        ]
    return tag("li", tag("p", words), *parts, tag("div", tag("code", id), class_="small"))


def _session(session: Json) -> Markup:
    words = money(session["amount_total"], session["currency"])
    link = tag("a", f"Pay {words}", href=f"/pay/{session['id']}")
    expire = button_form("/do/expire", "Let it expire", session=session["id"])
    return tag("li", tag("p", link, f", open until {moment(session['expires_at'])}"), expire)


def _delivery(stripe: Sandbox) -> Markup:
    options = [tag("option", words, value=mode, selected=mode == stripe.hooks.mode) for mode, words in MODES.items()]
    choice = tag("label", "Events reach the site ", tag("select", join(options), name="mode"))
    parts = [button_form("/do/mode", "Set", choice)]
    if stripe.hooks.kept:
        parts.append(button_form("/do/deliver", f"Send the {len(stripe.hooks.kept)} that are kept"))
    return join(parts)


def _event(stripe: Sandbox, event: Json) -> Markup:
    on_its_way = event["id"] in stripe.hooks.waiting()
    state = "on its way" if on_its_way else "not delivered" if event["pending_webhooks"] else "delivered"
    words = tag("p", tag("code", event["type"]), f" · {moment(event['created'])} · {state}")
    return tag("li", words, button_form("/do/send", "Send again", event=event["id"]) if stripe.hooks.target else "")


def _refund_now(stripe: Sandbox, form: dict[str, str]) -> None:
    amount = form.get("amount", "")
    if not amount.isdecimal() or len(amount) > 12:
        raise Refusal("The amount is a whole number, in the smallest unit.")
    stripe.refund(form["intent"], int(amount), pending=form.get("pending") == "yes")


def _advance(stripe: Sandbox, form: dict[str, str]) -> None:
    days = form.get("days", "")
    if days not in ("1", "31"):
        raise Refusal("The clock moves by a day or a month.")
    clock.advance(stripe.book, int(days) * DAY)


def _card(stripe: Sandbox, form: dict[str, str]) -> None:
    known = [one for one in customers.CARDS if one == form["card"]]
    if not known:
        raise Refusal("There is no such card.")
    stripe.set_card(form["customer"], known[0])


def _mode(stripe: Sandbox, form: dict[str, str]) -> None:
    known = [one for one in MODES if one == form["mode"]]
    if not known:
        raise Refusal("There is no such way.")
    stripe.hooks.mode = known[0]


def _settle(stripe: Sandbox, form: dict[str, str]) -> None:
    intent = stripe.book.get("payment_intent", form["intent"])
    checkout.settle(stripe.book, intent, succeeds=form["succeeds"] == "yes")


ACTIONS: dict[str, Callable[[Sandbox, dict[str, str]], object]] = {
    "advance": _advance,
    "renewal": lambda stripe, form: stripe.advance_to_renewal(form["subscription"]),
    "refund": _refund_now,
    "settle_refund": lambda stripe, form: stripe.settle_refund(form["refund"], succeeds=form["succeeds"] == "yes"),
    "dispute": lambda stripe, form: stripe.dispute(form["intent"], inquiry=form.get("inquiry") == "yes"),
    "escalate": lambda stripe, form: stripe.escalate(form["dispute"]),
    "close": lambda stripe, form: stripe.close_dispute(form["dispute"], won=form["won"] == "yes"),
    "settle": _settle,
    "expire": lambda stripe, form: stripe.expire(form["session"]),
    "card": _card,
    "mode": _mode,
    "send": lambda stripe, form: stripe.send_again(form["event"]),
    "deliver": lambda stripe, form: stripe.release(),
}


def act(stripe: Sandbox, name: str, form: dict[str, str]) -> Answer:
    """Do what a button says. Raises ``Refusal`` when that cannot be."""
    if name not in ACTIONS:
        raise Refusal("There is no such button.", status=404)
    try:
        ACTIONS[name](stripe, form)
    except KeyError as error:
        raise Refusal(f"The form lacks {error}.") from error
    return redirect("/")
