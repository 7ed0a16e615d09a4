"""One measured run: so many jobs by so many people at once, and everything that was counted meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load import counters, course
from benchmarks.load.accounting import Accounts, used
from benchmarks.load.crowd import Crowd, Journey
from benchmarks.load.figures import machine

APART = ("client", "provider")
"""Kinds of process that are no part of the site."""
ASKED = 0.0


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock, from the first upload to the last destruction; counts are of the whole run."""

    people: int
    journeys: Sequence[Journey]
    seconds: float
    cpu: Mapping[str, float]
    peak: Mapping[str, int]
    counts: Mapping[str, float]
    told: Sequence[float]
    """Seconds from a model's being ready to its owner's being told."""
    lags: Mapping[str, Sequence[float]]
    load: str

    @property
    def ours(self) -> float:
        """Processor seconds of the site, its servers included."""
        return sum(seconds for kind, seconds in self.cpu.items() if kind not in APART)


def measured(crowd: Crowd, accounts: Accounts, people: int, jobs: int, *, warm: bool = False) -> Measured:
    """Send the jobs, wait until all is gone, prove it. ``warm``: nobody will read the figures."""
    if not warm:
        time.sleep(2)
    before_counts = _counts()
    accounts.forget_peak()
    before, began = accounts.seconds(), time.monotonic()
    journeys = crowd.send(people, jobs)
    ids = [one.job for one in journeys]
    course.await_end(ids)
    seconds, cpu = time.monotonic() - began, used(before, accounts.seconds())
    load = machine().partition("load ")[2].split()[0]
    counts = used(before_counts, _counts())
    course.prove_gone(ids)
    return Measured(people, journeys, seconds, cpu, dict(accounts.peak), counts, _told(journeys),
                    course.destruction_lags(journeys), load)  # fmt: skip


def _counts() -> dict[str, float]:
    from django.conf import settings

    found = counters.database()
    stores = counters.commands(settings.KEYSTORE_URL), counters.commands(settings.CELERY_BROKER_URL)
    asides = ("info", "brpop", "multi", "exec")
    found["commands"] = sum(
        count for each in stores for name, count in each.items() if name.split("|")[0] not in asides
    )
    found["exchanges"] = sum(counters.exchanges(url) for url in (settings.KEYSTORE_URL, settings.CELERY_BROKER_URL))
    found["messages"] = stores[1].get("lpush", 0)
    return found


def _told(journeys: Sequence[Journey]) -> list[float]:
    from generation.models import Job

    offset = time.time() - time.monotonic()
    ready = {str(job.pk): job.ready_at for job in Job.objects.filter(pk__in=[one.job for one in journeys])}
    return [one.told + offset - at.timestamp() for one in journeys if (at := ready[one.job]) is not None]
