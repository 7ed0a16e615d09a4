"""The customer portal: plans, cancellation, the way to pay, and invoices, as far as the configuration allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.stripe import changes, customers, invoices, portal, subscriptions
from sandbox.stripe.checkout_pages import WAYS, card
from sandbox.stripe.html import Markup, button_form, join, moment, money, page, radios, redirect, sorry, tag
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.server import Answer
from sandbox.stripe.shapes import Json

if TYPE_CHECKING:
    from sandbox.stripe.running import Sandbox


def show(stripe: Sandbox, id: str) -> Answer:
    """The page of a portal session. A flow shows its one part alone."""
    session = stripe.book.get("billing_portal.session", id)
    if _over(stripe, session):
        return sorry("This page has expired", "Open it again where you came from.", 410)
    flow = session["flow"]["type"] if session["flow"] else ""
    features = _features(stripe, session)
    running = subscriptions.find(stripe.book, {"customer": session["customer"]})
    parts: list[object] = []
    if flow in ("", "subscription_cancel", "subscription_update", "subscription_update_confirm"):
        wanted = (session["flow"] or {}).get(flow) or {}
        chosen = [one for one in running if not flow or one["id"] == wanted.get("subscription")]
        parts += [tag("h2", "Subscription")]
        parts += [_subscription(stripe, session, one, features, flow) for one in chosen]
        parts += [] if chosen else [tag("p", "There is no running subscription.")]
    if flow in ("", "payment_method_update") and features["payment_method_update"]["enabled"]:
        parts += [tag("h2", "Way to pay"), tag("p", _way(stripe, session["customer"], running))]
        parts += [
            tag(
                "form",
                radios("Replace it by", "card", WAYS, "ok"),
                tag("button", "Replace", name="do", value="card"),
                method="post",
            )
        ]
    if not flow and features["invoice_history"]["enabled"]:
        parts += [tag("h2", "Invoices"), _invoices(stripe, session["customer"])]
    if session["return_url"]:
        parts.append(tag("p", tag("a", "Back to the site", href=session["return_url"])))
    return page("Your subscription", *parts)


def _over(stripe: Sandbox, session: Json) -> bool:
    return stripe.book.now() > int(session["created"]) + portal.LIFE_SECONDS


def _features(stripe: Sandbox, session: Json) -> Json:
    found: Json = stripe.book.get("billing_portal.configuration", session["configuration"])["features"]
    return found


def _subscription(stripe: Sandbox, session: Json, subscription: Json, features: Json, flow: str) -> Markup:
    here, id = f"/portal/{session['id']}", subscription["id"]
    item = subscriptions.items(subscription)[0]
    end = moment(subscriptions.end_of(subscription))
    name = stripe.book.get("product", item["price"]["product"])["name"]
    ends = f"It ends on {end}." if subscription["cancel_at_period_end"] else f"It renews on {end}."
    parts: list[object] = [tag("p", tag("strong", name), f": {subscription['status'].replace('_', ' ')}. {ends}")]
    if features["subscription_cancel"]["enabled"] and flow in ("", "subscription_cancel"):
        if subscription["cancel_at_period_end"]:
            parts.append(button_form(here, "Keep it after all", do="resume", subscription=id))
        else:
            late = features["subscription_cancel"]["mode"] == "at_period_end"
            words = "Cancel at the end of the period" if late else "Cancel now"
            parts.append(button_form(here, words, do="cancel", subscription=id))
    if features["subscription_update"]["enabled"] and flow != "subscription_cancel":
        for price in _offered(stripe, features):
            if price["id"] != item["price"]["id"] and price["currency"] == subscription["currency"]:
                other = stripe.book.get("product", price["product"])["name"]
                cost = money(price["unit_amount"], price["currency"])
                words = f"Change to {other}, {cost} a {price['recurring']['interval']}"
                parts.append(button_form(here, words, do="change", subscription=id, price=price["id"]))
    return tag("div", *parts)


def _offered(stripe: Sandbox, features: Json) -> list[Json]:
    products = features["subscription_update"]["products"] or []
    found = [stripe.book.get("price", price) for product in products for price in product["prices"]]
    return [price for price in found if price["active"] and price["recurring"]]


def _way(stripe: Sandbox, customer: str, running: list[Json]) -> str:
    default = stripe.book.get("customer", customer)["invoice_settings"]["default_payment_method"]
    used = [default, *(one["default_payment_method"] for one in running)]
    id = next((one for one in reversed(used) if one), None)
    return f"Now: {WAYS[customers.card_of(stripe.book, id)]}." if id else "There is none yet."


def _invoices(stripe: Sandbox, customer: str) -> Markup:
    found = invoices.find(stripe.book, {"customer": customer})
    if not found:
        return tag("p", "There are none yet.")
    rows = [
        tag(
            "li",
            tag("a", one["number"] or "draft", href=f"/invoices/{one['id']}"),
            f" · {moment(one['created'])} · {money(one['total'], one['currency'])} · {one['status']}",
        )
        for one in found
    ]
    return tag("ul", join(rows), class_="list")


def act(stripe: Sandbox, id: str, form: dict[str, str]) -> Answer:
    """The customer presses a button. Raises ``Refusal`` for what the configuration does not allow."""
    session = stripe.book.get("billing_portal.session", id)
    if _over(stripe, session):
        return show(stripe, id)
    features, do = _features(stripe, session), form.get("do", "")
    if do == "card" and features["payment_method_update"]["enabled"]:
        customer = customers.living(stripe.book, session["customer"])
        customers.set_default(stripe.book, customer, customers.new_method(stripe.book, card(form), customer))
    elif do in ("cancel", "resume", "change"):
        subscription = subscriptions.living(stripe.book, form.get("subscription", ""))
        if subscription["customer"] != session["customer"]:
            raise Refusal("This is somebody else's subscription.", status=404)
        _change(stripe, features, subscription, do, form)
    else:
        raise Refusal("The portal does not offer that.")
    done = session["flow"]["after_completion"] if session["flow"] else None
    if done and done["type"] == "redirect":
        return redirect(done["redirect"]["return_url"])
    return redirect(f"/portal/{id}")


def _change(stripe: Sandbox, features: Json, subscription: Json, do: str, form: dict[str, str]) -> None:
    cancel, update, id = features["subscription_cancel"], features["subscription_update"], subscription["id"]
    if do in ("cancel", "resume") and cancel["enabled"]:
        if do == "cancel" and cancel["mode"] == "immediately":
            subscriptions.cancel(stripe.book, {}, id)
        else:
            changes.update(stripe.book, {"cancel_at_period_end": do == "cancel"}, id)
    elif do == "change" and update["enabled"]:
        price = next((one for one in _offered(stripe, features) if one["id"] == form.get("price")), None)
        if price is None:
            raise Refusal("This plan is not offered.")
        items = [{"id": subscriptions.items(subscription)[0]["id"], "price": price["id"]}]
        changes.update(stripe.book, {"items": items, "proration_behavior": update["proration_behavior"]}, id)
    else:
        raise Refusal("The portal does not offer that.")
