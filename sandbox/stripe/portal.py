"""The customer portal's configurations and sessions. What its pages do is in ``portal_pages.py``."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import customers, subscriptions
from sandbox.stripe.book import Book, merge_metadata
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json

LIFE_SECONDS = 3600


def configure(book: Book, params: Json) -> Json:
    """A new configuration. Raises ``Refusal`` for products and prices that there are not."""
    features: Json = params["features"]
    for product in (features.get("subscription_update") or {}).get("products") or []:
        book.get("product", product["product"], "features[subscription_update][products][0][product]")
        for price in product["prices"]:
            book.get("price", price, "features[subscription_update][products][0][prices][0]")
    made = book.new(
        "billing_portal.configuration", active=True, is_default=False, updated=book.now(), metadata={},
        business_profile=_profile(params.get("business_profile") or {}),
        default_return_url=params.get("default_return_url"), login_page=params.get("login_page") or {"enabled": False},
        name=params.get("name"), features=_features(features),
    )  # fmt: skip
    merge_metadata(made, params.get("metadata"))
    book.emit("billing_portal.configuration.created", made)
    return made


def _profile(given: Json) -> Json:
    names = ("headline", "privacy_policy_url", "terms_of_service_url")
    return {name: given[name] for name in names if name in given}


def _features(given: Json) -> Json:
    made: dict[str, Any] = {name: dict(feature) for name, feature in given.items()}
    cancel = made.setdefault("subscription_cancel", {"enabled": False})
    cancel.setdefault("mode", "at_period_end")
    cancel.setdefault("proration_behavior", "none")
    reasons = {"enabled": False, "options": []}
    cancel["cancellation_reason"] = reasons | cancel.get("cancellation_reason", {})
    change = made.setdefault("subscription_update", {"enabled": False})
    change.setdefault("proration_behavior", "none")
    change.setdefault("default_allowed_updates", [])
    change["products"] = [
        {"product": one["product"], "prices": one["prices"], "adjustable_quantity": {"enabled": False, "minimum": 1}}
        for one in change.get("products") or []
    ]
    for name in ("customer_update", "invoice_history", "payment_method_update"):
        made.setdefault(name, {"enabled": False})
    made["customer_update"].setdefault("allowed_updates", [])
    return made


def find(book: Book, params: Json) -> list[Json]:
    """Configurations, newest first."""
    names = [name for name in ("active", "is_default") if name in params]
    return [one for one in book.all("billing_portal.configuration") if all(one[n] == params[n] for n in names)]


def open_session(book: Book, params: Json) -> Json:
    """A session: an address for one customer. Raises ``Refusal``."""
    if "customer" not in params:
        raise Refusal("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = customers.living(book, params["customer"])
    if "configuration" not in params:
        raise Refusal(
            "Name a configuration: the test mode has no default one.", code="parameter_missing", param="configuration"
        )
    configuration = book.get("billing_portal.configuration", params["configuration"], "configuration")
    back = params.get("return_url", configuration["default_return_url"])
    session = book.new(
        "billing_portal.session", customer=customer["id"], configuration=configuration["id"], return_url=back,
        locale=params.get("locale"), flow=_flow(book, customer, params.get("flow_data")),
    )  # fmt: skip
    session["url"] = f"{book.base}/portal/{session['id']}"
    book.emit("billing_portal.session.created", session)
    return session


def _flow(book: Book, customer: Json, given: Json | None) -> Json | None:
    if not given:
        return None
    kind = given["type"]
    if kind in ("subscription_cancel", "subscription_update", "subscription_update_confirm"):
        id = given.get(kind, {}).get("subscription")
        if not id:
            raise Refusal(f"Missing flow_data[{kind}].", code="parameter_missing", param=f"flow_data[{kind}]")
        if subscriptions.living(book, id)["customer"] != customer["id"]:
            raise Refusal("This is another customer's subscription.", param=f"flow_data[{kind}][subscription]")
    return {"after_completion": {"type": "portal_homepage"}} | given
