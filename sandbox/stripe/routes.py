"""Which calls there are: a path, the library's type of its parameters, those that are acted on, and who answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe import params as of
from stripe.params import billing_portal as of_portal
from stripe.params import checkout as of_checkout

from sandbox.stripe import (
    catalogue,
    changes,
    customers,
    disputes,
    invoices,
    payments,
    portal,
    refunds,
    sessions,
    subscriptions,
)
from sandbox.stripe.book import Book
from sandbox.stripe.shapes import Json

Handler = Callable[..., Any]


@dataclass(frozen=True)
class Route:
    """One call. ``handler`` gets the book, the parameters and the ids in the path; it returns an object or a list."""

    method: str
    pattern: re.Pattern[str]
    parameters: type
    honours: frozenset[str]
    handler: Handler
    is_list: bool = False


LISTED = "limit starting_after ending_before created expand"


def post(path: str, parameters: type, honours: str, handler: Handler) -> Route:
    """A call that changes something."""
    return Route("POST", _pattern(path), parameters, frozenset(f"{honours} expand".split()), handler)


def get(path: str, name: str, parameters: type) -> Route:
    """A call for one object of the kind ``name``."""

    def one(book: Book, params: Json, id: str) -> Json:
        return book.get(name, id)

    return Route("GET", _pattern(path), parameters, frozenset({"expand"}), one)


def find(path: str, parameters: type, honours: str, handler: Handler) -> Route:
    """A call for a list, newest first."""
    return Route("GET", _pattern(path), parameters, frozenset(f"{honours} {LISTED}".split()), handler, is_list=True)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("/v1/" + path.replace("*", r"([^/]+)"))


def every(name: str) -> Handler:
    """All objects of a kind."""

    def found(book: Book, params: Json) -> list[Json]:
        return book.all(name)

    return found


def _expire(book: Book, params: Json, id: str) -> Json:
    return sessions.expire(book, book.get("checkout.session", id, "session"))


def _forget(book: Book, params: Json, id: str) -> Json:
    for subscription in subscriptions.find(book, {"customer": id}):
        subscriptions.end(book, subscription, "cancellation_requested")
    return customers.delete(book, params, id)


def _lines(book: Book, params: Json, id: str) -> list[Json]:
    found = sessions.lines(book, book.get("checkout.session", id, "session"))["data"]
    assert isinstance(found, list)
    return found


def _events(book: Book, params: Json) -> list[Json]:
    wanted = set(params.get("types", ())) | {params["type"]} if "type" in params else set(params.get("types", ()))
    return [one for one in book.all("event") if not wanted or one["type"] in wanted]


CUSTOMER = "email name phone description metadata address preferred_locales tax_exempt"
PRICE = "currency unit_amount product product_data recurring.interval recurring.interval_count tax_behavior"
LINE = " ".join(f"line_items.price_data.{name}" for name in PRICE.split())
SESSION = (
    "mode customer customer_email client_reference_id line_items.price line_items.quantity success_url cancel_url"
    " metadata payment_intent_data.metadata payment_intent_data.description payment_intent_data.receipt_email"
    " subscription_data.metadata subscription_data.description allow_promotion_codes automatic_tax.enabled"
    " customer_update invoice_creation.enabled invoice_creation.invoice_data.metadata expires_at locale"
    " billing_address_collection customer_creation submit_type payment_method_types"
)

SUBSCRIPTION = (
    "cancel_at_period_end items.id items.price items.quantity items.deleted proration_behavior metadata"
    " default_payment_method cancellation_details"
)
PORTAL = (
    "business_profile default_return_url login_page metadata name features.customer_update features.invoice_history"
    " features.payment_method_update features.subscription_cancel features.subscription_update.enabled"
    " features.subscription_update.default_allowed_updates features.subscription_update.proration_behavior"
    " features.subscription_update.products.product features.subscription_update.products.prices"
)

ROUTES = [
    post("customers", of.CustomerCreateParams, CUSTOMER, customers.create),
    find("customers", of.CustomerListParams, "email", customers.find),
    get("customers/*", "customer", of.CustomerRetrieveParams),
    post("customers/*", of.CustomerUpdateParams, CUSTOMER, customers.update),
    Route("DELETE", _pattern("customers/*"), of.CustomerDeleteParams, frozenset({"expand"}), _forget),
    get("payment_methods/*", "payment_method", of.PaymentMethodRetrieveParams),
    post("products", of.ProductCreateParams, "name active description tax_code metadata", catalogue.create_product),
    find("products", of.ProductListParams, "", every("product")),
    get("products/*", "product", of.ProductRetrieveParams),
    post(
        "prices",
        of.PriceCreateParams,
        f"{PRICE} active lookup_key transfer_lookup_key nickname metadata",
        catalogue.create_price,
    ),
    find("prices", of.PriceListParams, "lookup_keys active currency product type", catalogue.find_prices),
    get("prices/*", "price", of.PriceRetrieveParams),
    post("prices/*", of.PriceUpdateParams, "active lookup_key nickname metadata", catalogue.update_price),
    find("promotion_codes", of.PromotionCodeListParams, "active code", catalogue.find_promotions),
    get("promotion_codes/*", "promotion_code", of.PromotionCodeRetrieveParams),
    get("coupons/*", "coupon", of.CouponRetrieveParams),
    post("checkout/sessions", of_checkout.SessionCreateParams, f"{SESSION} {LINE}", sessions.create),
    find(
        "checkout/sessions",
        of_checkout.SessionListParams,
        "customer payment_intent subscription status",
        sessions.find,
    ),
    get("checkout/sessions/*", "checkout.session", of_checkout.SessionRetrieveParams),
    find("checkout/sessions/*/line_items", of_checkout.SessionListLineItemsParams, "", _lines),
    post("checkout/sessions/*/expire", of_checkout.SessionExpireParams, "", _expire),
    find("payment_intents", of.PaymentIntentListParams, "customer", payments.find_intents),
    get("payment_intents/*", "payment_intent", of.PaymentIntentRetrieveParams),
    find("charges", of.ChargeListParams, "payment_intent customer", payments.find_charges),
    get("charges/*", "charge", of.ChargeRetrieveParams),
    post("refunds", of.RefundCreateParams, "payment_intent charge amount reason metadata", refunds.create),
    find("refunds", of.RefundListParams, "payment_intent charge", refunds.find),
    get("refunds/*", "refund", of.RefundRetrieveParams),
    find("disputes", of.DisputeListParams, "payment_intent charge", disputes.find),
    get("disputes/*", "dispute", of.DisputeRetrieveParams),
    find("subscriptions", of.SubscriptionListParams, "customer status price", subscriptions.find),
    get("subscriptions/*", "subscription", of.SubscriptionRetrieveParams),
    post("subscriptions/*", of.SubscriptionUpdateParams, SUBSCRIPTION, changes.update),
    Route(
        "DELETE",
        _pattern("subscriptions/*"),
        of.SubscriptionCancelParams,
        frozenset({"cancellation_details", "expand"}),
        subscriptions.cancel,
    ),
    find("invoices", of.InvoiceListParams, "customer status subscription collection_method", invoices.find),
    get("invoices/*", "invoice", of.InvoiceRetrieveParams),
    find("invoice_payments", of.InvoicePaymentListParams, "invoice payment status", invoices.find_payments),
    get("invoice_payments/*", "invoice_payment", of.InvoicePaymentRetrieveParams),
    post("billing_portal/configurations", of_portal.ConfigurationCreateParams, PORTAL, portal.configure),
    find("billing_portal/configurations", of_portal.ConfigurationListParams, "active is_default", portal.find),
    get("billing_portal/configurations/*", "billing_portal.configuration", of_portal.ConfigurationRetrieveParams),
    post(
        "billing_portal/sessions",
        of_portal.SessionCreateParams,
        "customer return_url configuration flow_data locale",
        portal.open_session,
    ),
    find("events", of.EventListParams, "type types", _events),
    get("events/*", "event", of.EventRetrieveParams),
]
