"""What is assumed about people, providers and days, in one place: change it here for a site of your own.

None of it is measured on this machine. How long providers take is what their cards say; how polls are spaced, how long
an asset waits and how the tick goes round is taken from the product's own code.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cache
from typing import Final

from generation import delivery, leases, registry
from generation.provider import backed_off

PEAK: Final = 2.5
"""The busiest hour of a week ÷ its mean: 1.9 for evenings of people within a few time zones, × 1.3 for the best day."""
QUALITIES: Final = {"draft": 0.5, "standard": 0.4, "high": 0.1}
"""What people ask for."""
SPREAD: Final = 0.35
"""Standard deviation of a call's length ÷ the card's typical seconds (log-normal)."""
CALLS_FAIL: Final = 0.03
"""Calls that are followed to an end that brings nothing; the job then goes to another provider."""
MOST_CALLS: Final = 3
NO_SUBJECT: Final = 0.01
"""Photos in which nothing is found to cut out."""
FETCH_SECONDS: Final = 0.3
"""What an exchange with a provider takes, in which a worker's thread is held and its processor is not."""
STAYS: Final = 0.75
"""People who have the page open when the model is ready, and save it after a look (exponential)."""
STAYERS_LOOK_SECONDS: Final = 20.0
RETURNS: Final = 0.2
"""People who come back for it (log-normal). Whoever neither stays nor returns lets it expire."""
RETURNERS_SECONDS: Final = 240.0
KEEP_SECONDS: Final = 600.0
"""How long an asset waits, unless its owner wants otherwise: what the form proposes."""
JOBS_OF_ONE: Final = 2.5
"""Jobs of an account in a month."""


@dataclass(frozen=True)
class Call:
    """One call at a provider: its length and what the card says of that, in seconds."""

    seconds: float
    typical: float

    def looks(self) -> list[float]:
        """The waits before each poll until the one that finds it done, spaced as most providers of ours want."""
        waits: list[float] = []
        spent = 0.0
        while spent < self.seconds:
            wait = (
                min(5.0, max(1.0, self.typical / 12)) if not waits else backed_off(len(waits) - 1, first=5, longest=30)
            )
            waits.append(wait)
            spent += wait
        return waits


@cache
def typical() -> dict[str, list[float]]:
    """Typical seconds of every hosted provider that takes a quality."""
    cards = [provider.card for provider in registry.ours().values()]
    hosted = [card for card in cards if not card.self_hosted and card.name != registry.DEFAULT]
    return {name: [card.typical_seconds[name] for card in hosted if name in card.typical_seconds] for name in QUALITIES}


def call(rng: random.Random) -> Call:
    """A call at a provider chosen at random."""
    quality = rng.choices(list(QUALITIES), list(QUALITIES.values()))[0]
    expected = rng.choice(typical()[quality])
    return Call(expected * scattered(rng, SPREAD), expected)


def scattered(rng: random.Random, variation: float) -> float:
    """A factor with mean 1 and that standard deviation, log-normal."""
    spread = math.log(1 + variation**2)
    return rng.lognormvariate(-spread / 2, math.sqrt(spread))


def fetched_after(rng: random.Random) -> float | None:
    """Seconds from ready until somebody has saved the model; ``None``: nobody does in time."""
    who = rng.random()
    seconds = math.inf
    if who < STAYS:
        seconds = rng.expovariate(1 / STAYERS_LOOK_SECONDS)
    elif who < STAYS + RETURNS:
        seconds = RETURNERS_SECONDS * scattered(rng, 1.0)
    return seconds if seconds < KEEP_SECONDS else None


def look_again(left: float) -> float:
    """Seconds until the pipeline looks again at an asset that waits for ``left`` more."""
    return min(delivery.LOOK_AGAIN_SECONDS, left)


@dataclass(frozen=True, kw_only=True)
class Typical:
    """Means over many jobs."""

    calls: float
    polls: float
    """In all its calls."""
    polls_by_tick: float
    """Of them, those that are further off than a delayed message goes."""
    open_seconds: float
    """For which a page follows the job."""
    waits_seconds: float
    """From ready until it is fetched or expires."""
    in_flight_seconds: float


@cache
def means(count: int = 20_000) -> Typical:
    """What a job has of each, by drawing many."""
    rng = random.Random(1)  # noqa: S311  # a draw, not a secret
    calls = polls = ticked = watched = waited = flown = 0.0
    for _ in range(count):
        spent = 0.0
        for _attempt in range(MOST_CALLS):
            one = call(rng)
            looks = one.looks()
            calls, polls, spent = calls + 1, polls + len(looks), spent + sum(looks)
            ticked += sum(1 for look in looks if look > leases.COUNTDOWN_SECONDS)
            if rng.random() >= CALLS_FAIL:
                break
        wait = fetched_after(rng)
        stays = wait if wait is not None and wait < STAYERS_LOOK_SECONDS * 3 else 0.0
        watched, waited = watched + spent + stays, waited + (KEEP_SECONDS if wait is None else wait)
        flown += spent
    return Typical(
        calls=calls / count,
        polls=polls / count,
        polls_by_tick=ticked / count,
        open_seconds=watched / count,
        waits_seconds=waited / count,
        in_flight_seconds=(flown + waited) / count,
    )
