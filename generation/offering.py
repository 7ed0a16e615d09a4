"""Who could take a person's photo now, as the create page shows it before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from generation import health
from generation.choices import region
from generation.durations import Usual, usual
from generation.models import ProcessingLimits
from generation.provider import QUALITIES, Card
from generation.restrictions import Restrictions
from generation.routing import Offer, Wants, rank

WITHOUT_LIMIT = 2**31

NARROWED = {
    "self_hosted": _("not one of this site’s own machines"),
    "no_retention": _("keeps photos for a time, or does not say"),
    "no_training": _("may learn from photos, or does not say"),
    "regions": _("not in a place that you allow"),
    "never": _("you ruled it out by name"),
}
"""Why a restriction keeps photos from a provider, by the field of ``Restrictions``."""


@dataclass(frozen=True)
class Shown:
    """An offer as people see it. ``excluded``: the account's limits keep photos from it; ``state``: a word or empty."""

    card: Card
    region: str
    excluded: bool
    state: str
    reasons: list[str] = field(default_factory=list)
    """Why it is excluded."""
    ranks: Mapping[str, int] = field(default_factory=dict)
    """Its place in the router's order, by quality; the first that takes all choices is the best available."""
    usual: Mapping[str, Usual] = field(default_factory=dict)
    """How long its jobs took lately, by quality."""

    @property
    def open(self) -> bool:
        """Whether it can be chosen."""
        return not self.excluded and self.state != "misconfigured"


def offers(owner: User) -> list[Shown]:
    """All providers that are set up: those that may be chosen first, in the router's order."""
    limits = ProcessingLimits.of(owner.pk)
    found = health.offers()
    ranked = {quality: [card.name for card in rank(Wants(quality, WITHOUT_LIMIT), found)] for quality in QUALITIES}
    last, measured = len(found), usual()
    shown = [_shown(offer, limits, ranked, measured) for offer in found]
    return sorted(shown, key=lambda one: (not one.open, one.ranks.get("standard", last), one.card.name))


@dataclass(frozen=True)
class Quote:
    """What one quality costs and how long it takes, for now."""

    credits: int
    seconds: float
    usual: Usual | None = None
    """As measured; ``None`` where too little was."""


def quoted(shown: Iterable[Shown], provider: str) -> dict[str, Quote | None]:
    """What each quality shows before a script runs: the chosen provider's price, or the best offer's."""
    open_to_us = [one for one in shown if one.open]
    chosen = [one for one in open_to_us if one.card.name == provider] or open_to_us
    found: dict[str, Quote | None] = {}
    for quality in QUALITIES:
        ranked = {one.ranks[quality]: one.card for one in chosen if quality in one.ranks}
        card = ranked[min(ranked)] if ranked else None
        measured = {one.card.name: one.usual.get(quality) for one in chosen}
        found[quality] = (
            Quote(card.credits[quality], card.typical_seconds.get(quality, 0), measured[card.name]) if card else None
        )
    return found


def reasons(limits: Restrictions, card: Card) -> list[str]:
    """Why the limits keep photos from a provider; empty when they do not."""
    return [
        str(sentence)
        for name, sentence in NARROWED.items()
        if not replace(Restrictions(), **{name: getattr(limits, name)}).allow(card)
    ]


def _shown(
    offer: Offer,
    limits: Restrictions,
    ranked: Mapping[str, list[str]],
    measured: Mapping[tuple[str, str], Usual],
) -> Shown:
    state = ""
    if offer.health.misconfigured:
        state = "misconfigured"
    elif not offer.health.usable:
        state = "away"
    elif offer.card.slots is not None and offer.health.running >= offer.card.slots:
        state = "busy"
    return Shown(
        offer.card,
        region(offer.card.region),
        not limits.allow(offer.card),
        state,
        reasons(limits, offer.card),
        {quality: names.index(offer.card.name) for quality, names in ranked.items() if offer.card.name in names},
        {
            quality: measured[offer.card.name, quality]
            for quality in QUALITIES
            if (offer.card.name, quality) in measured
        },
    )
