"""Credits given or taken by hand: rare, signed for, and a transaction of the ledger like any other.

Who signs must be an operator, and says why in words that the person concerned reads on their ledger. The row that
keeps reason and signature is written with the transaction or not at all, and never changed.

Errors::

    NotSigned       whoever signs is no operator, signs for themselves, or gives no reason
    ledger.*        nothing to move, more than is there, a key that was used for something else
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from accounts.models import User
from billing import ledger
from billing.models import Adjustment

SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 200


class NotSigned(Exception):
    """Nobody who may do this has said why it is done."""


def adjust(*, user: User, credits: int, reason: str, actor: User, key: str) -> Adjustment:
    """Give the person so many credits, or take them where the number is negative.

    Telling the same under the same ``key`` again changes nothing and returns the first adjustment. Raises
    ``NotSigned``, ``ledger.InvalidAmount``, ``ledger.InsufficientCredits``, ``ledger.KeyReused``.
    """
    reason = reason.strip()
    if actor == user:
        raise NotSigned("nobody signs for their own account")
    if not (actor.is_staff and actor.is_active):
        raise NotSigned(f"account {actor.pk} is no operator's")
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise NotSigned(f"a reason has {SHORTEST_REASON} to {LONGEST_REASON} characters")
    key = f"adjustment:{key}"
    with transaction.atomic():
        if credits < 0:
            told = ledger.take(user=user, credits=-credits, key=key, reason="adjustment")
        else:
            told = ledger.grant(user=user, credits=credits, key=key, reason="adjustment")
        # The ledger has locked the person's accounts, so whoever tells the same thing at this moment waits here.
        made, new = Adjustment.objects.get_or_create(transaction=told, defaults={"actor": actor, "reason": reason})
        if not new and (made.actor_id, made.reason) != (actor.pk, reason):
            raise ledger.KeyReused(key)
        return made
