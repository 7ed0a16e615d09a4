"""Which provider, and why: pure functions from wishes and offers to an ordered list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from generation.provider import Card
from generation.restrictions import Restrictions

FLAKY_SHARE, FLAKY_LEAST = 0.3, 5
"""A provider is flaky when this share of its recent attempts failed, of at least so many."""
UNKNOWN_SECONDS = 3600.0


@dataclass(frozen=True)
class Wants:
    """What a job asks for. ``provider`` empty: no preference. ``max_credits``: what is held for it."""

    quality: str
    max_credits: int
    provider: str = ""
    options: frozenset[str] = frozenset()
    """Names of options that have to be honoured."""
    format: str = "glb"
    views: frozenset[str] = frozenset({"front"})
    restrictions: Restrictions = field(default_factory=Restrictions)


@dataclass(frozen=True)
class Health:
    """How a provider has been doing lately, and how much it has to do."""

    usable: bool = True
    """Not taken out: neither failing, nor throttled, nor misconfigured, or let back for a probe."""
    misconfigured: bool = False
    """Out until its operator mends it: no new job should be promised to it."""
    attempts: int = 0
    failures: int = 0
    throttled: int = 0
    median: float | None = None
    slowest: float | None = None
    """Seconds that its recent calls took: half of them at most ``median``, 95 % at most ``slowest``."""
    running: int = 0

    def flaky(self) -> bool:
        """Whether too many of its recent attempts failed."""
        return self.attempts >= FLAKY_LEAST and self.failures >= FLAKY_SHARE * self.attempts


@dataclass(frozen=True)
class Offer:
    """A card with its present health."""

    card: Card
    health: Health = field(default_factory=Health)

    def seconds(self, quality: str) -> float:
        """How long a job would take there now: as calls do, and longer the more stand in line or were sent away."""
        own = self.health.median or self.card.typical_seconds.get(quality, UNKNOWN_SECONDS)
        rounds = self.health.running // self.card.slots if self.card.slots else 0
        return own * (1 + rounds) * (1 + self.health.throttled / (1 + self.health.attempts))


def allowed(wants: Wants, card: Card) -> bool:
    """Whether a provider may have the job at all, its health aside."""
    return (
        wants.quality in card.credits
        and card.credits[wants.quality] <= wants.max_credits
        and wants.provider in ("", card.name)
        and wants.options <= card.options
        and wants.format in card.formats
        and wants.views <= card.views
        and wants.restrictions.allow(card)
    )


def rank(wants: Wants, offers: Iterable[Offer]) -> list[Card]:
    """The cards that may take the job, best first; the same input gives the same order.

    A named provider is a restriction, not a hint: the photo goes to nobody else. Otherwise the usable come first,
    those that fail often last among them; then the cheaper, then the quicker as things are, then by name.
    """
    found = [offer for offer in offers if allowed(wants, offer.card)]
    found.sort(
        key=lambda offer: (
            not offer.health.usable,
            offer.health.flaky(),
            offer.card.credits[wants.quality],
            offer.seconds(wants.quality),
            offer.card.name,
        )
    )
    return [offer.card for offer in found]


def unmet(wants: Wants, offers: Iterable[Offer]) -> frozenset[str]:
    """The options that keep every offer from a job which would have one without them; empty if they do not.

    Those that no such offer honours; where each is honoured by some and no offer honours all, all of them.
    """
    honoured = [card.options for card in rank(replace(wants, options=frozenset()), offers)]
    if not honoured or any(wants.options <= options for options in honoured):
        return frozenset()
    return wants.options.difference(*honoured) or wants.options


def hindrance(wants: Wants, offers: Iterable[Offer]) -> str:
    """The one wish without which somebody would take the job: the name of a field of ``Wants``; empty if none is.

    Looked at in the order in which people would rather give one up.
    """
    without = {
        "options": replace(wants, options=frozenset()),
        "format": replace(wants, format="glb"),
        "views": replace(wants, views=frozenset({"front"})),
        "max_credits": replace(wants, max_credits=2**31),
        "restrictions": replace(wants, restrictions=Restrictions()),
    }
    offers = list(offers)
    return next((name for name, less in without.items() if rank(less, offers)), "")
