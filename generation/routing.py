"""Which provider, and why: a pure function from wishes and offers to an ordered list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from generation.provider import Card


@dataclass(frozen=True)
class Wants:
    """What a job asks for. ``provider`` empty: no preference. ``max_credits``: what is held for it."""

    quality: str
    max_credits: int
    provider: str = ""
    options: frozenset[str] = frozenset()
    """Names of options that have to be honoured."""


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
        and wants.options <= offer.card.options
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


def unmet(wants: Wants, offers: Iterable[Offer]) -> frozenset[str]:
    """The options that keep every offer from a job which would have one without them; empty if they do not.

    Those that no such offer honours; where each is honoured by some and no offer honours all, all of them.
    """
    honoured = [card.options for card in rank(replace(wants, options=frozenset()), offers)]
    if not honoured or any(wants.options <= options for options in honoured):
        return frozenset()
    return wants.options.difference(*honoured) or wants.options
