"""Sums of money as Stripe counts them and as people read them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format

WHOLE = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
"""Currencies without a minor unit, as Stripe lists them."""
THOUSANDTHS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
SIGNS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}


def decimals(currency: str) -> int:
    """How many digits follow the point in a currency (ISO 4217, lower case)."""
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2


def shown(amount: int, currency: str) -> str:
    """A sum in minor units for people: ``€5``, ``€5.50``, ``CHF 20``; negative with a minus sign in front."""
    places = decimals(currency)
    value = Decimal(abs(amount)).scaleb(-places)
    digits = number_format(value, decimal_pos=0 if value == value.to_integral() else places, force_grouping=True)
    sign = SIGNS.get(currency)
    text = f"{sign}{digits}" if sign else f"{currency.upper()}\u00a0{digits}"
    return f"\u2212{text}" if amount < 0 else text


def per_credit(amount: int, credits: int, currency: str) -> str:
    """What one credit costs, to a tenth of the minor unit where it does not come out even: ``€0.20``, ``€0.167``."""
    places = decimals(currency)
    value = (Decimal(amount) / credits).scaleb(-places)
    if value != round(value, places):
        places += 1
    digits = number_format(round(value, places), decimal_pos=places, force_grouping=True)
    sign = SIGNS.get(currency)
    return f"{sign}{digits}" if sign else f"{currency.upper()}\u00a0{digits}"
