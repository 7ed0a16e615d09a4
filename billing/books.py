"""When the ledger was last looked at, and how many of its invariants were broken (``verification.py``).

Each hour reads what is new, each night what is new since the last signed page (``journal.py``), and signs the next one
where that is sound; once a week all of it is read. Whoever watches the site is told what was found then.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import redis
from django.core.cache import cache
from django.utils import timezone

from billing import journal, verification
from billing.models import Transaction

logger = logging.getLogger(__name__)

KEY: Final = "last-verification"
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True)
class Verified:
    """The last look; ``upto`` is the newest transaction there was, and ``before`` that of the look before it.

    Transactions are numbered before they are committed: the next look begins at ``before``, so that one which was under
    way while we looked is looked at, too. ``standing`` differences are those of the last look at everything,
    ``nightly`` those that were found since the last signed page, last night.
    """

    at: datetime
    differences: int
    upto: int = 0
    before: int = 0
    standing: int = 0
    nightly: int = 0


def verify_now() -> Verified:
    """Look at everything, remember when and with what result, and say so where something is wrong."""
    last, upto = last_verified(), _newest()
    count = len(verification.differences())
    return _remember(Verified(timezone.now(), count, upto, last.upto if last else 0, standing=count))


def look() -> Verified:
    """Look at what is new since the look before last; since the last signed page where nobody remembers one.

    What the last night found stays wrong until the next one finds it mended, and what the last look at everything did
    until the next of those.
    """
    last, upto = last_verified(), _newest()
    if last is None or not last.upto:
        signed = journal.upto()
        if not signed:
            return verify_now()
        last = Verified(timezone.now(), 0, upto, signed)
    count = last.standing + last.nightly + len(verification.news(last.before))
    return _remember(replace(last, at=timezone.now(), differences=count, upto=upto, before=last.upto))


def close_day() -> Verified:
    """Look at what is on no page yet, and sign the next one where that is sound; at everything before the first page.

    While something is not, its page waits, and each night looks at it again.
    """
    now, signed = timezone.now(), journal.upto()
    if not signed:
        told = verify_now()
        sound = not told.differences
    else:
        upto, found = _newest(), len(verification.news(signed))
        last = last_verified() or Verified(now, 0, upto)
        count = last.standing + found
        told = _remember(replace(last, at=now, differences=count, upto=upto, before=last.upto, nightly=found))
        sound = not found
    if sound:
        journal.close(now)
    return told


def last_verified() -> Verified | None:
    """The last look; ``None`` when nobody remembers one."""
    try:
        found: Verified | None = cache.get(KEY)
    except (redis.RedisError, OSError):
        return None
    return found


def fresh(most: timedelta) -> Verified:
    """The last look, or one that is made now where that was longer ago."""
    last = last_verified()
    return last if last and timezone.now() - last.at <= most else look()


def _newest() -> int:
    return Transaction.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _remember(found: Verified) -> Verified:
    if found.differences:
        logger.error("the books do not balance", extra={"count": found.differences})
    try:
        cache.set(KEY, found, int(KEPT.total_seconds()))
    except (redis.RedisError, OSError) as error:
        logger.warning("the cache did not answer", extra={"error": type(error).__name__})
    return found
