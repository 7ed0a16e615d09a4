"""Who gets a job next, or why it waits: the router's order, less those that were tried, are out, or have no place.

A job that waits is a row that is looked at again: it holds no worker and no slot, and its credits come back if it ends.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from django.utils import timezone

from generation import erasing, health, leases, slots
from generation.models import Attempt, Event, Job, ProcessingLimits
from generation.provider import Card
from generation.restrictions import Restrictions
from generation.routing import Wants, hindrance, rank
from generation.steps import JobFailed, Step

MAX_ATTEMPTS: Final = 3
"""How often one provider is asked when it is unavailable; it is never asked twice after another failure."""
TRANSIENT: Final = ("provider_unavailable", "provider_misconfigured", "provider_busy")
"""After these a provider may be asked again; after the last one until the job's time is up."""
LONGEST_PAUSE: Final = 60.0
"""Seconds before the same provider is asked again; twice as long each time."""
SLOT_SECONDS, OUT_SECONDS = 1.0, 5.0
"""How soon a job looks again that waits for a slot, or for any provider to come back."""


def wants(job: Job) -> Wants:
    """What the job asks of a provider, within what its account allows now."""
    chosen = job.chosen()
    return Wants(
        quality=job.quality,
        max_credits=job.credits,
        provider=job.provider_wish,
        options=chosen.asked_of_provider(),
        format=chosen.format,
        views=frozenset(job.sources),
        restrictions=ProcessingLimits.of(job.owner_id) & Restrictions.restored(job.restrictions),
    )


def choose(job: Job, past: list[Attempt]) -> Step:
    """Make the job's next attempt: the best offer that is in, has a place, and was not tried in vain.

    ``past`` are the attempts before, in order. What earlier providers hold is erased first. Raises ``JobFailed`` when
    nobody is left, or the job waited too long.
    """
    for attempt in past:
        if attempt.erasure is None and attempt.remote is not None:
            leases.renew(job)
            erasing.erase(attempt)  # one try; what it leaves is asked again when the job ends
    wanted, offers = wants(job), health.offers()
    open_to_us = [card for card in rank(wanted, offers) if _may_ask(card, past)]
    if not open_to_us:
        restricted = hindrance(wanted, offers) == "restrictions"
        raise JobFailed("restricted" if restricted else past[-1].failure if past else "no_provider")
    job.waiting = "providers_down"
    job.provider = open_to_us[0].name
    for card in open_to_us:
        if not slots.free(card, job):
            job.waiting, job.provider = "provider_busy", card.name
        elif health.admits(card.name):
            # A call may exist although its answer was lost: asked with the same key, an honest provider finds it.
            key = next((attempt.key for attempt in past if attempt.provider == card.name), uuid4())
            attempt = Attempt(job=job, number=len(past) + 1, provider=card.name, key=key, started_at=timezone.now())
            if slots.create(card, attempt):
                job.provider, job.queue, job.waiting = card.name, card.queue, ""
                again = sum(before.provider == card.name for before in past)
                pause = min(LONGEST_PAUSE, 2.0 ** min(again, 16)) if again else 0.0
                return Step(None, wait=pause, line=Event.line(job, "chosen", attempt))
            job.waiting, job.provider = "provider_busy", card.name
    if leases.now(job) >= job.deadline_at:
        raise JobFailed("provider_busy" if job.waiting == "provider_busy" else "no_provider")
    Event.record(job, job.waiting)
    job.queue = "default"  # it may have come here in the claim in which it was cut out, and waits behind no other
    return Step(None, wait=SLOT_SECONDS if job.waiting == "provider_busy" else OUT_SECONDS)


def _may_ask(card: Card, past: list[Attempt]) -> bool:
    failures = [attempt.failure for attempt in past if attempt.provider == card.name]
    tried = len(failures) - failures.count("provider_busy")
    return tried < MAX_ATTEMPTS and all(failure in TRANSIENT for failure in failures)
