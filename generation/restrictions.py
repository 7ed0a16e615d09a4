"""Who may not get a person's photos: chosen for an account or for one job, and never overridden by the router."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from generation.provider import Card


@dataclass(frozen=True, kw_only=True)
class Restrictions:
    """Each field only ever narrows; the usual values narrow nothing. What a card does not say counts as the worst."""

    regions: frozenset[str] | None = None
    """The only regions, as on cards ("self" for this site's own machines); ``None``: anywhere."""
    no_retention: bool = False
    """Only where nothing is kept once the answer is there."""
    no_training: bool = False
    """Only where nothing is learnt from photos."""
    self_hosted: bool = False
    """Only on machines of this site's operator."""
    never: frozenset[str] = frozenset()
    """Names of providers that are out."""

    def allow(self, card: Card) -> bool:
        """Whether the photo may go there."""
        return (
            card.name not in self.never
            and (self.regions is None or (card.region != "" and card.region in self.regions))
            and not (self.no_retention and card.keeps != timedelta(0))
            and not (self.no_training and card.trains_on_input is not False)
            and not (self.self_hosted and not card.self_hosted)
        )

    def __and__(self, other: Restrictions) -> Restrictions:
        """What both allow."""
        both = [regions for regions in (self.regions, other.regions) if regions is not None]
        return Restrictions(
            regions=frozenset.intersection(*both) if both else None,
            no_retention=self.no_retention or other.no_retention,
            no_training=self.no_training or other.no_training,
            self_hosted=self.self_hosted or other.self_hosted,
            never=self.never | other.never,
        )

    def stored(self) -> dict[str, Any]:
        """As JSON, without what narrows nothing."""
        kept: dict[str, Any] = {
            name: True for name in ("no_retention", "no_training", "self_hosted") if getattr(self, name)
        }
        if self.regions is not None:
            kept["regions"] = sorted(self.regions)
        if self.never:
            kept["never"] = sorted(self.never)
        return kept

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Restrictions:
        """The record that ``stored()`` gave."""
        regions = stored.get("regions")
        return cls(
            regions=None if regions is None else frozenset(regions),
            no_retention=bool(stored.get("no_retention")),
            no_training=bool(stored.get("no_training")),
            self_hosted=bool(stored.get("self_hosted")),
            never=frozenset(stored.get("never", ())),
        )
