"""How each provider is doing: a circuit breaker shared through the cache, and figures from the attempts' rows.

A provider that fails several times in a row is taken out for a while, longer each time; one whose key is refused is
taken out for longer; one that says "too many" is left alone for as long as it asks. When the time is up, one job at
a time may try: it lets the provider back, or sends it out again (Nygard, Release It, 2007: circuit breaker). Calls
that are under way are followed to their end whatever the breaker says.

The cache is a help, not a need: while it is away, everybody is let through.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from redis import RedisError

from generation import registry
from generation.models import Attempt
from generation.provider import Card
from generation.routing import Health, Offer

logger = logging.getLogger(__name__)

IN_A_ROW = 5
"""So many failures one after another, without a success between them, take a provider out."""
MEMORY_SECONDS = 300
"""A failure is forgotten after this long without another."""
OUT_SECONDS, LONGEST_OUT = 30.0, 600.0
"""How long it is out the first time, and at most; twice as long each time it comes back and fails."""
MISCONFIGURED_SECONDS = 600.0
PROBE_SECONDS = 120
"""How long one job is given to find out whether a provider is back."""
WINDOW = timedelta(hours=1)
SAMPLES = 200
FIGURES = "provider:figures"
FRESH_SECONDS = 5
"""Figures from the database are read at most this often."""

FAILING, THROTTLED, MISCONFIGURED = "failing", "throttled", "misconfigured"
BLAMED = (
    "provider_failed",
    "provider_unavailable",
    "provider_too_slow",
    "provider_lost",
    "provider_unclear",
    "bad_mesh",
)
"""Failures of an attempt that speak against its provider; a photo that is refused does not."""


@dataclass(frozen=True)
class Out:
    """Why a provider is out, until when (seconds since the epoch), and how often in a row."""

    why: str
    until: float
    times: int = 1


def _key(name: str, what: str) -> str:
    return f"provider:{registry.fingerprint(name)}:{what}"


@contextmanager
def _perhaps() -> Iterator[None]:
    """A cache that is away is no failure."""
    try:
        yield
    except (RedisError, OSError) as error:
        logger.warning("the cache did not answer", extra={"error": type(error).__name__})


def out(name: str) -> Out | None:
    """Why a provider is out, also when its time is up and it may be probed; ``None`` when it is in."""
    with _perhaps():
        found = cache.get(_key(name, "out"))
        return Out(*found) if found else None
    return None


def admits(name: str) -> bool:
    """Whether a new call may be sent now. A provider that is to be probed takes one: whoever asks first."""
    found = out(name)
    if found is None:
        return True
    if time.time() < found.until:
        return False
    with _perhaps():
        return bool(cache.add(_key(name, "probe"), 1, PROBE_SECONDS))
    return True


def worked(name: str) -> None:
    """It answered as it should: it is in."""
    with _perhaps():
        cache.delete_many([_key(name, "out"), _key(name, "failures"), _key(name, "probe")])


def failed(name: str) -> None:
    """It did not answer, or not as it should."""
    with _perhaps():
        counter = _key(name, "failures")
        cache.add(counter, 0, MEMORY_SECONDS)
        before = out(name)
        if before is not None or cache.incr(counter) >= IN_A_ROW:
            times = before.times + 1 if before and before.why == FAILING and time.time() >= before.until else 1
            if before is None or time.time() >= before.until:
                _take_out(name, FAILING, min(LONGEST_OUT, OUT_SECONDS * 2 ** min(times - 1, 16)), times)


def throttled(name: str, wait: float) -> None:
    """It is well and wants to be left alone for ``wait`` seconds."""
    with _perhaps():
        counter = _key(name, "throttled")
        cache.add(counter, 0, int(WINDOW.total_seconds()))
        cache.incr(counter)
        _take_out(name, THROTTLED, wait, 1)


def misconfigured(name: str) -> None:
    """Its key is refused, or its account is empty: every job would fail, so none is sent."""
    logger.error("provider not configured correctly", extra={"provider": name})
    with _perhaps():
        _take_out(name, MISCONFIGURED, MISCONFIGURED_SECONDS, 1)


def _take_out(name: str, why: str, seconds: float, times: int) -> None:
    # Remembered for some time after it may be probed, so that the next outing is longer.
    cache.set(_key(name, "out"), (why, time.time() + seconds, times), int(seconds + LONGEST_OUT))
    cache.delete(_key(name, "probe"))


def offers() -> list[Offer]:
    """Every provider that is set up, with its health."""
    cards = registry.cards()
    keys = {card.name: (_key(card.name, "out"), _key(card.name, "throttled")) for card in cards}
    known: dict[str, Any] = {}
    with _perhaps():
        known = cache.get_many([FIGURES, *(key for pair in keys.values() for key in pair)])
    figures, found = known.get(FIGURES), list[Offer]()
    if figures is None:
        figures = _counted()
        with _perhaps():
            cache.set(FIGURES, figures, FRESH_SECONDS)
    for card in cards:
        out, throttled = keys[card.name]
        found.append(Offer(card, _health(known.get(out), known.get(throttled), figures.get(card.name, {}))))
    return found


def of(card: Card) -> Health:
    """One provider's health."""
    return next((offer.health for offer in offers() if offer.card.name == card.name), Health())


def _health(out: tuple[str, float, int] | None, throttled: int | None, figures: dict[str, Any]) -> Health:
    why, until, _ = out or ("", 0.0, 0)
    usable = time.time() >= until
    return Health(usable=usable, misconfigured=why == MISCONFIGURED and not usable, throttled=throttled or 0, **figures)


def _counted() -> dict[str, dict[str, Any]]:
    """What the rows of the last hour say of each provider, by name."""
    seconds: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"attempts": 0, "failures": 0, "running": 0})
    recent = Attempt.objects.filter(started_at__gte=timezone.now() - WINDOW).order_by("-started_at")
    for provider in [card.name for card in registry.cards()]:
        # One question each: by provider and time there is an index.
        of_it = recent.filter(provider=provider).values_list("state", "failure", "started_at", "ended_at")
        count = counts[provider]
        for state, failure, started, ended in of_it[:SAMPLES]:
            if ended is None:
                continue
            count["attempts"] += 1
            count["failures"] += failure in BLAMED
            if state == Attempt.State.FINISHED:
                seconds[provider].append(_between(started, ended))
    for provider in Attempt.objects.filter(ended_at__isnull=True).values_list("provider", flat=True):
        counts[provider]["running"] += 1
    return {
        name: {**count, "median": _percentile(seconds[name], 0.5), "slowest": _percentile(seconds[name], 0.95)}
        for name, count in counts.items()
    }


def _between(started: datetime, ended: datetime) -> float:
    return max(0.0, (ended - started).total_seconds())


def _percentile(values: list[float], share: float) -> float | None:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else None
