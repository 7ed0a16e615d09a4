"""What models cost here, from the providers' cards."""

from __future__ import annotations

from django import template

from generation import health, registry
from generation.provider import QUALITIES, Card
from generation.routing import Wants, rank

register = template.Library()

WITHOUT_LIMIT = 2**31


@register.simple_tag
def price_list() -> list[Card]:
    """The cards of all providers that are set up: this site's own engine, its own machines, others; cheapest first."""
    cards = [offer.card for offer in health.offers() if not offer.health.misconfigured]

    def order(card: Card) -> tuple[bool, bool, list[int]]:
        prices = [card.credits.get(quality, WITHOUT_LIMIT) for quality in QUALITIES]
        return card.name != registry.DEFAULT, not card.self_hosted, prices

    return sorted(cards, key=order)


@register.simple_tag
def standard_price() -> int | None:
    """Credits that a standard model costs at the provider that the router would choose; ``None`` where nobody makes it.

    A free one counts as none: no number of them can be said.
    """
    ranked = rank(Wants("standard", WITHOUT_LIMIT), health.offers())
    return (ranked[0].credits["standard"] or None) if ranked else None


@register.filter
def buys(credits: int, price: int) -> int:
    """How many models so many credits are enough for."""
    return credits // price
