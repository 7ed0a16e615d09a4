"""Which provider, and why: a pure function from wishes and offers to an ordered list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generation.provider import Card


@dataclass(frozen=True)
class Wants:
    """What a job asks for. ``provider`` empty: no preference. ``max_credits``: what is held for it."""

    quality: str
    max_credits: int
    provider: str = ""


@dataclass(frozen=True)
class Offer:
    """A card with its present health."""

    card: Card
    healthy: bool = True


def rank(wants: Wants, offers: Iterable[Offer]) -> list[Card]:
    """The cards that may take the job, best first; the same input gives the same order.

    A named provider is a restriction, not a hint: the photo goes to nobody else. Otherwise the healthy come
    first, then the cheaper, then the quicker, then by name.
    """
    allowed = [
        offer
        for offer in offers
        if wants.quality in offer.card.credits
        and offer.card.credits[wants.quality] <= wants.max_credits
        and wants.provider in ("", offer.card.name)
    ]
    allowed.sort(
        key=lambda offer: (
            not offer.healthy,
            offer.card.credits[wants.quality],
            offer.card.typical_seconds.get(wants.quality, 3600.0),
            offer.card.name,
        )
    )
    return [offer.card for offer in allowed]
