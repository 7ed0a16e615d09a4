"""How long jobs took lately, from photo to model, by provider and quality: what the create page says before the button.

“Usually 8–12 s” is the middle three fifths of what was measured; where too little was, the card's own word stands.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from statistics import quantiles
from typing import Final

from django.core.cache import cache
from django.utils import timezone
from redis import RedisError

from generation import registry
from generation.models import Attempt

logger = logging.getLogger(__name__)

WINDOW: Final = timedelta(days=7)
SAMPLES: Final = 300
"""So many attempts of each provider are looked at, the newest."""
FEWEST: Final = 5
"""Fewer jobs than this say nothing about the next."""
FRESH_SECONDS: Final = 60

Usual = tuple[int, int]
"""Seconds, from and to: three of five jobs took so long."""


def usual() -> dict[tuple[str, str], Usual]:
    """By provider and quality; what was measured too seldom is missing. Asked of the database once a minute."""
    try:
        known: dict[tuple[str, str], Usual] | None = cache.get("jobs:usual")
        if known is None:
            known = measured()
            cache.set("jobs:usual", known, FRESH_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("the cache did not answer", extra={"error": type(error).__name__})
        known = measured()
    return known


def measured() -> dict[tuple[str, str], Usual]:
    """The same, from the rows of now."""
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for card in registry.cards():
        recent = (
            Attempt.objects.filter(provider=card.name, started_at__gte=timezone.now() - WINDOW)
            .filter(state=Attempt.State.FINISHED, job__ready_at__isnull=False)  # not of those that came to nothing
            .order_by("-started_at")
            .values_list("job__quality", "job__created_at", "job__ready_at")
        )
        for quality, began, ready in recent[:SAMPLES]:
            if ready is not None:
                seconds[card.name, quality].append((ready - began).total_seconds())
    return {whose: _middle(found) for whose, found in seconds.items() if len(found) >= FEWEST}


def _middle(seconds: list[float]) -> Usual:
    fifths = quantiles(seconds, n=5, method="inclusive")
    return max(1, round(fifths[0])), max(1, round(fifths[-1]))
