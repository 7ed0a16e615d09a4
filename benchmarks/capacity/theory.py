"""Waiting in line by formula: Erlang C for many servers on one line, corrected for how much service times vary.

The correction is Allen and Cunneen's: exact for the mean at one server (Pollaczek and Khinchine) and for exponential
service, near for the rest. Times are seconds; ``load`` is arrivals a second × mean service, in erlangs.
"""

from __future__ import annotations

import math


def erlang_c(servers: int, load: float) -> float:
    """The share of arrivals that have to wait, 1 where the line never ends (``load`` ≥ ``servers``)."""
    if load >= servers:
        return 1.0
    blocked = 1.0  # Erlang B, by its recursion
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(*, servers: int, rate: float, service: float, variation: float = 1.0) -> float:
    """Mean seconds in line; ``variation`` is the service times' standard deviation ÷ mean."""
    load = rate * service
    if load >= servers:
        return math.inf
    return erlang_c(servers, load) * service / (servers - load) * (1 + variation**2) / 2


def wait_beyond(share: float, *, servers: int, rate: float, service: float, variation: float = 1.0) -> float:
    """The seconds in line that no more than ``share`` of the arrivals exceed (0.01: the 99th percentile)."""
    load = rate * service
    if load >= servers:
        return math.inf
    waits = erlang_c(servers, load)
    if waits <= share:
        return 0.0
    return math.log(waits / share) * service / (servers - load) * (1 + variation**2) / 2
