"""What an object of Stripe's looks like: read off the official library's resource classes, so that it cannot drift.

``make`` gives every field that a class declares a neutral value (``None`` where it may be absent, the first literal, 0,
"", [] or a nested object) and overrides those that it is told. Fields that Stripe leaves out unless asked for are left
out here too: code that reads them without asking must fail here as it would there.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import inspect
import sys
import types
import typing
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import stripe
from stripe import ListObject, StripeObject, billing_portal, checkout
from stripe._stripe_object import UntypedStripeObject

Json = dict[str, Any]

CLASSES: dict[str, Any] = {
    str(found.OBJECT_NAME): found
    for found in (
        stripe.BalanceTransaction,
        stripe.Charge,
        stripe.Coupon,
        stripe.Customer,
        stripe.Discount,
        stripe.Dispute,
        stripe.Event,
        stripe.Invoice,
        stripe.InvoiceLineItem,
        stripe.InvoicePayment,
        stripe.LineItem,
        stripe.PaymentIntent,
        stripe.PaymentMethod,
        stripe.Plan,
        stripe.Price,
        stripe.Product,
        stripe.PromotionCode,
        stripe.Refund,
        stripe.Subscription,
        stripe.SubscriptionItem,
        billing_portal.Configuration,
        billing_portal.Session,
        checkout.Session,
    )
}
"""The classes by the name in their objects' ``object``."""

UNASKED = {
    "charge": {"refunds", "level3"},
    "checkout.session": {"line_items"},
    "customer": {"cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"},
    "invoice": {"payments", "confirmation_secret"},
    "price": {"currency_options", "tiers"},
    "coupon": {"applies_to", "currency_options"},
}
"""Fields that Stripe gives only to those who ask by ``expand``, or that only some accounts have."""

NONE = type(None)


@functools.cache
def names(module_name: str) -> dict[str, Any]:
    """What annotations in a module of the library may name: its names, and those imported for type checkers alone."""
    module = sys.modules[module_name]
    found = dict(vars(module))
    head = inspect.getsource(module).partition("\n\nclass ")[0]
    for line in ast.walk(ast.parse(head)):
        if isinstance(line, ast.ImportFrom) and line.module and ".params" not in line.module:
            source = importlib.import_module(line.module)
            found |= {alias.asname or alias.name: getattr(source, alias.name) for alias in line.names}
    return found


def resolve(annotation: Any, module_name: str) -> Any:
    """An annotation of the library's as the type it means."""
    holder = type("Holder", (), {"__annotations__": {"it": annotation}})
    return typing.get_type_hints(holder, globalns=names(module_name))["it"]


@functools.cache
def hints(shape: Any) -> dict[str, Any]:
    """The declared fields of a resource class, or of a class nested in one, with their types."""
    found: dict[str, Any] = {}
    for one in reversed(shape.__mro__):
        if one.__module__.startswith("stripe.") and one is not StripeObject:
            for name, annotation in inspect.get_annotations(one).items():
                if not name.startswith("_"):
                    found[name] = resolve(annotation, one.__module__)
    return {name: hint for name, hint in found.items() if get_origin(hint) is not typing.ClassVar}


def arms(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union; of any other type, that type alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def is_free(hint: Any) -> bool:
    """Whether it is an object whose fields nobody declares, such as ``metadata``."""
    return hint is UntypedStripeObject or get_origin(hint) in (UntypedStripeObject, dict)


def shape_of(hint: Any) -> Any:
    """The nested class among the alternatives of a type, if there is just that."""
    found = [one for one in arms(hint) if isinstance(one, type) and issubclass(one, StripeObject) and not is_free(one)]
    return found[0] if len(found) == 1 and found[0] is not ListObject else None


def _neutral(hint: Any) -> Any:
    choices = arms(hint)
    if NONE in choices:
        return None
    first = choices[0]
    if get_origin(first) is Literal:
        return get_args(first)[0]
    if get_origin(first) is list:
        return []
    if get_origin(first) is ListObject:
        return {"object": "list", "data": [], "has_more": False, "url": ""}
    if is_free(first):
        return {}
    plain: dict[Any, Any] = {int: 0, bool: False, float: 0.0, str: "", Decimal: "0"}
    return plain[first] if first in plain else copy.deepcopy(_blank(first))


@functools.cache
def _blank(shape: Any) -> Json:
    name = getattr(shape, "OBJECT_NAME", "") if shape in CLASSES.values() else ""
    left_out = {"deleted"} | UNASKED.get(name, set())
    found = {name: _neutral(hint) for name, hint in hints(shape).items() if name not in left_out}
    return {name: found.pop(name) for name in ("id", "object") if name in found} | found


def fill(hint: Any, value: Any) -> Any:
    """``value`` with the fields that it leaves out; ``TypeError`` for one that the library does not declare."""
    shape = shape_of(hint)
    if isinstance(value, dict) and shape is not None:
        declared = hints(shape)
        if unknown := value.keys() - declared.keys():
            raise TypeError(f"{shape.__qualname__} has no {', '.join(sorted(unknown))}")
        return copy.deepcopy(_blank(shape)) | {name: fill(declared[name], one) for name, one in value.items()}
    if isinstance(value, list):
        inner = next((get_args(one)[0] for one in arms(hint) if get_origin(one) is list), None)
        return [fill(inner, one) for one in value] if inner is not None else value
    return value


def make(name: str, /, **fields: Any) -> Json:
    """A complete object of the class called ``name``, such as ``checkout.session``."""
    made = fill(CLASSES[name], fields)
    assert isinstance(made, dict)
    return _one_way(name, made)


def _one_way(name: str, made: Json) -> Json:
    """Of the fields that stand for ways to pay, only the one in use is there."""
    shape = CLASSES[name]
    if name == "payment_method":
        ways = {field for field, hint in hints(shape).items() if shape_of(hint) and NONE in arms(hint)}
        return {field: value for field, value in made.items() if field not in ways or value is not None}
    if name == "charge" and made["payment_method_details"]:
        made["payment_method_details"] = {k: v for k, v in made["payment_method_details"].items() if v is not None}
    return made


def a_list(url: str, data: list[Json], *, has_more: bool = False) -> Json:
    """A list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
