"""Sums of money and numbers of credits as pages show them."""

from __future__ import annotations

from django import template
from django.conf import settings

from billing import money as sums
from billing.packs import Item

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """A sum in minor units: “€5”, “€5.50”."""
    return sums.shown(amount, currency)


@register.filter
def price(item: Item) -> str:
    """What something in the catalogue costs, in the currency of this site."""
    return sums.shown(item.amount, settings.CURRENCY)


@register.filter
def per_credit(item: Item) -> str:
    """What one of its credits costs: “€0.20”."""
    return sums.per_credit(item.amount, item.credits, settings.CURRENCY)


@register.filter
def signed(number: int) -> str:
    """A number with its sign, as in a ledger: “+20”, “−2”, “0”."""
    return f"+{number}" if number > 0 else below_zero(number)


@register.filter
def below_zero(number: int) -> str:
    """A number with a real minus sign, where it has one."""
    return f"−{-number}" if number < 0 else str(number)
