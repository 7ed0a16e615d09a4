"""The catalogue: what is sold, for how much, and how many credits it brings.

Packs are bought once, plans are paid monthly. Both come from settings (CREDIT_PACKS, CREDIT_PLANS), each entry
``CREDITS:AMOUNT`` with the amount in the currency's minor unit, and optionally ``:PRICE`` with the id of a price that
the operator has made at Stripe; without one, the price is made from the catalogue.

The rule for monthly credits: they come with each paid invoice, and like all others they never expire, so what is left
of a month rolls over into the next, and stays after the subscription has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings


@dataclass(frozen=True)
class Item:
    """Something on sale. ``code`` names it in addresses and at Stripe."""

    credits: int
    amount: int
    """Minor units of ``settings.CURRENCY``."""
    monthly: bool
    price: str = ""
    """The id of its price at Stripe; empty: made from the above."""

    @property
    def code(self) -> str:
        """``pack-100`` or ``plan-200``."""
        return f"{'plan' if self.monthly else 'pack'}-{self.credits}"


class Malformed(ValueError):
    """An entry of the settings says nothing sensible; the message quotes it."""


def packs() -> list[Item]:
    """What is bought once, in the operator's order. Raises ``Malformed``."""
    return _items(tuple(settings.CREDIT_PACKS), monthly=False)


def plans() -> list[Item]:
    """What is paid monthly, in the operator's order. Raises ``Malformed``."""
    return _items(tuple(settings.CREDIT_PLANS), monthly=True)


def find(code: str) -> Item | None:
    """The item of that code, if it is on sale."""
    return next((item for item in [*packs(), *plans()] if item.code == code), None)


def plan_of_price(price: str) -> Item | None:
    """The plan for which the operator named that price of Stripe's."""
    return next((plan for plan in plans() if plan.price and plan.price == price), None)


@lru_cache
def _items(entries: tuple[str, ...], *, monthly: bool) -> list[Item]:
    items = [_item(entry, monthly=monthly) for entry in entries]
    codes = [item.code for item in items]
    if len(codes) > len(set(codes)):
        raise Malformed("two entries sell the same number of credits")
    return items


def _item(entry: str, *, monthly: bool) -> Item:
    credits, _, rest = entry.strip().partition(":")
    amount, _, price = rest.partition(":")
    numbers = [number for number in (credits, amount) if number.isascii() and number.isdigit() and int(number) > 0]
    if len(numbers) < 2 or (price and not price.startswith("price_")):
        raise Malformed(f"{entry!r} is not CREDITS:AMOUNT or CREDITS:AMOUNT:price_…")
    return Item(credits=int(credits), amount=int(amount), monthly=monthly, price=price)
