"""What becomes of a provider's copies: it is told to erase each call, and what it said goes on the receipt."""

from __future__ import annotations

import logging
from typing import Any

from django.utils import timezone

from generation import registry, watched
from generation.models import Attempt
from generation.provider import Erased, Erasure

logger = logging.getLogger(__name__)

MAX_TRIES = 5


def erase(attempt: Attempt) -> bool:
    """Have the provider erase one call, and remember what it said; false when it should be asked again.

    An attempt that its job did not wait for ends here.
    """
    call = attempt.call()
    if call is None:
        outcome = _by_the_card(attempt)
    else:
        try:
            with watched.call(attempt, "erase"):
                outcome = registry.get(attempt.provider).erase(call)
        except Exception as error:
            # Its time-out, its bug or our own: the job must end, and its receipt says what nobody knows.
            logger.warning("erasing failed", extra={"attempt": attempt.number}, exc_info=error)
            attempt.erase_tries += 1
            if attempt.erase_tries < MAX_TRIES:
                attempt.save(update_fields=["erase_tries"])
                return False
            outcome = Erasure(Erased.UNKNOWN)
    attempt.erasure = {"result": outcome.result.value, "at": timezone.now().isoformat(timespec="seconds")}
    if outcome.at:
        attempt.erasure["until"] = outcome.at.isoformat(timespec="seconds")
    attempt.save(update_fields=["erasure", "erase_tries"])
    if attempt.ended_at is None:
        died = attempt.state == Attempt.State.SUBMITTING
        attempt.end(Attempt.State.UNKNOWN if died else Attempt.State.FAILED, attempt.job.failure or attempt.job.outcome)
    return True


def _by_the_card(attempt: Attempt) -> Erasure:
    """What can be said of a call that left no id to erase it by: a provider that refused the photo has seen it."""
    if attempt.state == Attempt.State.CHOSEN:
        return Erasure(Erased.NOTHING_KEPT)  # nothing was sent
    try:
        card = registry.card(attempt.provider)
    except registry.NotListed:
        return Erasure(Erased.UNKNOWN)
    if not card.hosts:
        return Erasure(Erased.NOTHING_KEPT)  # it ran here
    if attempt.state == Attempt.State.UNKNOWN:
        return Erasure(Erased.UNKNOWN)
    if card.keeps is None:
        return Erasure(Erased.SWEPT if card.self_hosted else Erased.UNKNOWN)
    if not card.keeps:
        return Erasure(Erased.NOTHING_KEPT)
    return Erasure(Erased.EXPIRES, at=(attempt.ended_at or timezone.now()) + card.keeps)


def line(attempt: Attempt) -> dict[str, Any]:
    """The receipt's line about an attempt."""
    return {"provider": attempt.provider, "attempt": attempt.number, **(attempt.erasure or {})}
