"""When the whole ledger was last looked at, and how many of its invariants were broken (``verification.py``).

That reads every line, so it is done once an hour, and whoever watches the site is told what was found then.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import redis
from django.core.cache import cache
from django.utils import timezone

from billing import verification

logger = logging.getLogger(__name__)

KEY: Final = "last-verification"
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True)
class Verified:
    """The last look."""

    at: datetime
    differences: int


def verify_now() -> Verified:
    """Look, remember when and with what result, and say so where something is wrong."""
    found = Verified(timezone.now(), len(verification.differences()))
    if found.differences:
        logger.error("the books do not balance", extra={"count": found.differences})
    cache.set(KEY, found, int(KEPT.total_seconds()))
    return found


def last_verified() -> Verified | None:
    """The last look; ``None`` when nobody remembers one."""
    try:
        found: Verified | None = cache.get(KEY)
    except (redis.RedisError, OSError):
        return None
    return found
