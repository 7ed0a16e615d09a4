"""A Checkout session until it is paid: what is to be bought, at what price, and until when."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.stripe import catalogue, customers, payments
from sandbox.stripe.book import ALPHABET, Book, merge_metadata
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json, a_list

LONGEST_SECONDS = 24 * 3600
SHORTEST_SECONDS = 30 * 60
LEEWAY_SECONDS = 60


def create(book: Book, params: Json) -> Json:
    """A new, open session. Raises ``Refusal``."""
    mode = params.get("mode", "")
    if mode not in ("payment", "subscription"):
        raise Refusal("The sandbox knows the modes payment and subscription.", param="mode", code="sandbox_unsupported")
    customer = customers.living(book, params["customer"]) if "customer" in params else None
    _look(book, params, mode, customer)
    lines = [_line(book, one, mode) for one in params.get("line_items", [])]
    currencies = {line["currency"] for line in lines}
    if len(currencies) != 1 or (mode == "subscription" and not any(line["price"]["recurring"] for line in lines)):
        wanted = "one recurring price" if mode == "subscription" else "one line item, all in one currency"
        raise Refusal(f"There must be at least {wanted}.", param="line_items")
    total = sum(line["amount_total"] for line in lines)
    session = book.new(
        "checkout.session", id="cs_test_" + "".join(book.rng.choices(ALPHABET, k=58)), mode=mode, status="open",
        customer=customer["id"] if customer else None, customer_email=params.get("customer_email"),
        customer_details={"email": customer["email"], "tax_exempt": "none"} if customer else None,
        client_reference_id=params.get("client_reference_id"), currency=currencies.pop(), amount_subtotal=total,
        amount_total=total, total_details={}, success_url=params["success_url"], cancel_url=params.get("cancel_url"),
        expires_at=params.get("expires_at", book.now() + LONGEST_SECONDS), payment_status="unpaid", metadata={},
        automatic_tax=_tax(params), ui_mode="hosted_page", payment_method_types=["card", "sepa_debit"],
        allow_promotion_codes=params.get("allow_promotion_codes"), locale=params.get("locale"), custom_text={},
        payment_method_collection="always" if mode == "subscription" else "if_required",
        billing_address_collection=params.get("billing_address_collection"), submit_type=params.get("submit_type"),
        customer_creation=None if customer or mode != "payment" else params.get("customer_creation", "if_required"),
        invoice_creation=_invoice_creation(params) if mode == "payment" else None, discounts=[],
    )  # fmt: skip
    session["url"] = f"{book.base}/pay/{session['id']}"
    merge_metadata(session, params.get("metadata"))
    note = book.note(session["id"])
    note["lines"] = lines
    for kind in ("payment_intent_data", "subscription_data", "invoice_creation", "customer_update"):
        note[kind] = params.get(kind) or {}
    book.plan(session["expires_at"], "expire", session["id"])
    return session


def _look(book: Book, params: Json, mode: str, customer: Json | None) -> None:
    for name in ("success_url", "cancel_url"):
        parts = urlsplit(params.get(name) or "")
        if (name == "success_url" or name in params) and not (parts.scheme in ("http", "https") and parts.netloc):
            code = "url_invalid" if name in params else "parameter_missing"
            raise Refusal("Not a valid URL" if name in params else f"Missing {name}.", code=code, param=name)
    if customer and "customer_email" in params:
        raise Refusal("Give `customer` or `customer_email`, not both.", param="customer")
    if "customer_update" in params and not customer:
        raise Refusal("`customer_update` needs `customer`.", param="customer_update")
    taxed = (
        params.get("automatic_tax", {}).get("enabled") and params.get("customer_update", {}).get("address") != "auto"
    )
    if taxed and customer and not customer["address"]:
        raise Refusal(
            "Automatic tax needs the customer's address: give one, or set `customer_update[address]` to 'auto'.",
            code="customer_tax_location_invalid",
        )
    other = {"payment": "subscription_data", "subscription": "payment_intent_data"}[mode]
    for name in (other, *(("invoice_creation",) if mode == "subscription" else ())):
        if name in params:
            raise Refusal(f"`{name}` does not go with the mode `{mode}`.", param=name)
    ahead = params.get("expires_at", book.now() + LONGEST_SECONDS) - book.now()
    if not SHORTEST_SECONDS - LEEWAY_SECONDS <= ahead <= LONGEST_SECONDS + LEEWAY_SECONDS:
        raise Refusal(
            "`expires_at` must lie between 30 minutes and 24 hours ahead.",
            param="expires_at",
        )


def _tax(params: Json) -> Json:
    enabled = params.get("automatic_tax", {}).get("enabled", False)
    return {"enabled": enabled, "status": "complete" if enabled else None, "provider": "stripe" if enabled else None}


def _invoice_creation(params: Json) -> Json:
    given = params.get("invoice_creation") or {}
    data = {"metadata": given.get("invoice_data", {}).get("metadata", {})}
    return {"enabled": given.get("enabled", False), "invoice_data": data}


def _line(book: Book, given: Json, mode: str) -> Json:
    if ("price" in given) == ("price_data" in given):
        raise Refusal("A line needs either `price` or `price_data`.", code="parameter_missing", param="line_items")
    if "price" in given:
        price = book.get("price", given["price"], "line_items[0][price]")
        if not price["active"]:
            raise Refusal("This price is not active.", code="price_inactive", param="line_items[0][price]")
    else:
        price = catalogue.new_price(book, given["price_data"], active=False)
    if price["recurring"] and mode == "payment":
        raise Refusal("A recurring price needs the mode `subscription`.", param="mode")
    quantity = given.get("quantity", 0)
    if quantity <= 0:
        raise Refusal("Quantity is required.", code="parameter_missing", param="line_items[0][quantity]")
    amount = price["unit_amount"] * quantity
    product = book.get("product", price["product"])
    return book.build(
        "item", amount_subtotal=amount, amount_total=amount, currency=price["currency"], price=price,
        quantity=quantity, description=product["name"], metadata={},
    )  # fmt: skip


def lines(book: Book, session: Json) -> Json:
    """What is bought, as a list object."""
    return a_list(f"/v1/checkout/sessions/{session['id']}/line_items", book.note(session["id"])["lines"])


def find(book: Book, params: Json) -> list[Json]:
    """Sessions, newest first."""
    names = [n for n in ("customer", "payment_intent", "subscription", "status") if n in params]
    found = book.all("checkout.session")
    return [one for one in found if all(one[name] == params[name] for name in names)]


def is_open(session: Json) -> Json:
    """The session. Raises ``Refusal`` when it has ended."""
    if session["status"] != "open":
        raise Refusal(
            f"Only an open session can be paid or expired; this one is {session['status']}.",
            code="checkout_session_ended",
        )
    return session


def expire(book: Book, session: Json) -> Json:
    """End an open session. Raises ``Refusal`` when it has ended."""
    is_open(session)
    session |= {"status": "expired", "url": None}
    if intent := book.note(session["id"]).get("intent"):
        payments.cancel(book, book.get("payment_intent", intent), "abandoned")
    book.emit("checkout.session.expired", session)
    return session


def apply(book: Book, session: Json, code: str) -> None:
    """Take a promotion off; an empty code takes it back. Raises ``Refusal`` for one that there is not."""
    is_open(session)
    promotion = catalogue.promotion(book, code) if code else None
    if code and not (promotion and session["allow_promotion_codes"]):
        raise Refusal("This code is invalid.", code="promotion_code_invalid", param="promotion")
    discounts, off = [], 0
    if promotion:
        discounts = [{"coupon": promotion["promotion"]["coupon"], "promotion_code": promotion["id"]}]
        off = catalogue.taken_off(book, promotion, session["amount_subtotal"])
    session["discounts"] = discounts
    session["amount_total"] = session["amount_subtotal"] - off
    session["total_details"]["amount_discount"] = off
    for line in reversed(book.note(session["id"])["lines"]):  # the last lines give first: the parts sum up exactly
        line["amount_discount"] = min(off, line["amount_subtotal"])
        line["amount_total"] = line["amount_subtotal"] - line["amount_discount"]
        off -= line["amount_discount"]
