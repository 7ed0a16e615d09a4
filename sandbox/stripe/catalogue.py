"""What is sold and what is taken off: products, prices, coupons, and two promotion codes that are always there."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.book import Book, merge_metadata
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import Json

PROMOTIONS = {"SANDBOX25": 25.0, "SANDBOXFREE": 100.0}
"""Codes that a buyer may type, and how many percent they take off, once."""


def seed(book: Book) -> None:
    """The promotion codes; nothing if they are there."""
    for code, percent in PROMOTIONS.items() if not book.kinds["promotion_code"] else ():
        coupon = book.new(
            "coupon", name=f"{percent:g} % off", duration="once", percent_off=percent, valid=True, metadata={}
        )
        promotion = {"type": "coupon", "coupon": coupon["id"]}
        book.new("promotion_code", code=code, active=True, promotion=promotion, metadata={})


def promotion(book: Book, code: str) -> Json | None:
    """The promotion code that reads so, whatever its case."""
    typed = code.strip().upper()
    return next((one for one in book.all("promotion_code") if one["active"] and one["code"] == typed), None)


def taken_off(book: Book, code: Json, amount: int) -> int:
    """How much a promotion code takes off an amount, rounded half up."""
    percent = book.get("coupon", code["promotion"]["coupon"])["percent_off"]
    return min(amount, int(amount * percent / 100 + 0.5))


def create_product(book: Book, params: Json) -> Json:
    """A product."""
    product = book.new("product", name=params["name"], active=params.get("active", True), metadata={}, type="service")
    product["updated"] = product["created"]
    product["description"] = params.get("description")
    product["tax_code"] = params.get("tax_code")
    merge_metadata(product, params.get("metadata"))
    book.emit("product.created", product)
    return product


def create_price(book: Book, params: Json) -> Json:
    """A price, with its product if that is new. Raises ``Refusal``."""
    key = params.get("lookup_key")
    holder = next((one for one in book.all("price") if key and one["lookup_key"] == key), None)
    if holder and not params.get("transfer_lookup_key"):
        raise Refusal(
            f"The price {holder['id']} has this lookup key.",
            code="resource_already_exists",
            param="lookup_key",
        )
    price = new_price(book, params, active=params.get("active", True))
    if holder:
        holder["lookup_key"] = None
        book.emit("price.updated", holder, {"lookup_key": key})
    return price


def new_price(book: Book, params: Json, *, active: bool) -> Json:
    """A price as ``create_price`` and a line's ``price_data`` describe it. Raises ``Refusal``."""
    if "unit_amount" not in params:
        raise Refusal("Missing required param: unit_amount.", code="parameter_missing", param="unit_amount")
    if params["unit_amount"] < 0:
        raise Refusal("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    if ("product" in params) == ("product_data" in params):
        raise Refusal("A price needs either `product` or `product_data`.", code="parameter_missing", param="product")
    if "product" in params:
        product = book.get("product", params["product"], "product")
    else:
        product = create_product(book, {"active": active} | params["product_data"])
    recurring = params.get("recurring")
    fields: dict[str, Any] = {}
    if recurring:
        cycle = {"interval": recurring["interval"], "interval_count": recurring.get("interval_count", 1)}
        fields["recurring"] = cycle | {"usage_type": "licensed"}
    price = book.new(
        "price", active=active, currency=params["currency"].lower(), product=product["id"],
        unit_amount=params["unit_amount"], unit_amount_decimal=str(params["unit_amount"]),
        type="recurring" if recurring else "one_time", tax_behavior=params.get("tax_behavior", "unspecified"),
        lookup_key=params.get("lookup_key"), nickname=params.get("nickname"), **fields,
    )  # fmt: skip
    merge_metadata(price, params.get("metadata"))
    book.emit("price.created", price)
    return price


def update_price(book: Book, params: Json, id: str) -> Json:
    """Change what may be changed about a price."""
    price = book.get("price", id, "price")
    before = {name: price[name] for name in params if name in price}
    merge_metadata(price, params.get("metadata"))
    for name in ("active", "lookup_key", "nickname"):
        if name in params:
            price[name] = params[name] if name == "active" else params[name] or None
    book.emit("price.updated", price, before)
    return price


def find_prices(book: Book, params: Json) -> list[Json]:
    """Prices, newest first."""
    found = book.all("price")
    for name in ("active", "currency", "product", "type"):
        if name in params:
            found = [one for one in found if one[name] == params[name]]
    if "lookup_keys" in params:
        found = [one for one in found if one["lookup_key"] in params["lookup_keys"]]
    return found


def find_promotions(book: Book, params: Json) -> list[Json]:
    """Promotion codes, newest first."""
    found = book.all("promotion_code")
    return [one for one in found if all(one[name] == params[name] for name in ("active", "code") if name in params)]


def plan_of(book: Book, price: Json) -> Json:
    """A recurring price as subscriptions still show it beside the price."""
    cycle = price["recurring"]
    return book.build(
        "plan", id=price["id"], active=price["active"], amount=price["unit_amount"], created=price["created"],
        amount_decimal=price["unit_amount_decimal"], currency=price["currency"], product=price["product"],
        interval=cycle["interval"], interval_count=cycle["interval_count"], metadata={}, usage_type="licensed",
        billing_scheme="per_unit",
    )  # fmt: skip
