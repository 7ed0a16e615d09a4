"""How long each stage of a job usually takes: the median of what recent jobs took, by provider and quality.

Where too few were measured, a provider's card says how long it builds; of the other stages nothing is said then.
Times that depend on a person are never estimated.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from django.core.cache import cache
from django.utils import timezone
from redis import RedisError

from generation import choosing, health, registry
from generation.models import Attempt, Event, Job
from generation.routing import rank

logger = logging.getLogger(__name__)

WINDOW: Final = timedelta(days=7)
MOST_JOBS: Final = 200
LEAST: Final = 3
"""Fewer measurements than this say nothing."""
FRESH_SECONDS: Final = 60

SPANS: Final[Mapping[str, tuple[str, str]]] = {
    "cut_out": ("begun", Job.Stage.DISPATCH),
    "built": ("chosen", Job.Stage.INSPECT),
    "checked": (Job.Stage.INSPECT, Job.Stage.SETTLE),
    "photo_destroyed": (Job.Stage.SETTLE, Job.Stage.DELIVER),
    "destroyed": (Job.Stage.PURGE, Job.Stage.OVER),
}
"""The events that a line of the timeline lies between; of attempts, the last one counts."""
ENDS: Final = {code for span in SPANS.values() for code in span}


def seconds(job: Job) -> dict[str, float]:
    """Seconds that each stage of this job is expected to take, by the code of its line; unknown stages are left out."""
    provider = job.provider or _likely(job)
    key = f"stage-times:{provider or '-'}:{job.quality}"
    try:
        known: dict[str, float] | None = cache.get(key)
        if known is None:
            known = measured(provider, job.quality)
            cache.set(key, known, FRESH_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("the cache did not answer", extra={"error": type(error).__name__})
        return _said(provider, job.quality)
    return _said(provider, job.quality) | known


def in_line(job: Job, position: int, usual: Mapping[str, float]) -> float | None:
    """Seconds until the engine is free for a job with that place in line; ``None`` when nobody knows.

    While jobs wait, every engine works: as many are there as jobs are worked on. Those ahead are taken to be like it.
    """
    own = usual.get("cut_out")
    if own is None:
        return None
    if any(card.name == (job.provider or _likely(job)) and card.queue == "engine" for card in registry.cards()):
        own += usual.get("built", 0.0)
    stages = (Job.Stage.PREPARE, Job.Stage.DISPATCH)
    engines = Job.objects.filter(queue="engine", stage__in=stages, lease_id__isnull=False).count()
    return own * (position - 1) / max(1, engines)


def measured(provider: str, quality: str) -> dict[str, float]:
    """The medians of the newest jobs that the provider made in that quality."""
    recent = Attempt.objects.filter(
        provider=provider,
        state=Attempt.State.FINISHED,
        started_at__gte=timezone.now() - WINDOW,
        job__quality=quality,
    ).order_by("-started_at")
    jobs = list(recent.values_list("job_id", flat=True)[:MOST_JOBS])
    reached: dict[object, dict[str, datetime]] = defaultdict(dict)
    told = Event.objects.filter(job__in=jobs, code__in=ENDS).order_by("id")
    for job, code, at in told.values_list("job_id", "code", "at"):
        reached[job][code] = at
    found = {line: list(_spans(reached.values(), *ends)) for line, ends in SPANS.items()}
    return {line: round(median(took), 1) for line, took in found.items() if len(took) >= LEAST}


def _spans(jobs: Iterable[Mapping[str, datetime]], first: str, last: str) -> Iterable[float]:
    for at in jobs:
        if first in at and last in at and at[first] <= at[last]:
            yield (at[last] - at[first]).total_seconds()


def _said(provider: str, quality: str) -> dict[str, float]:
    """What the provider's card says."""
    card = next((card for card in registry.cards() if card.name == provider), None)
    built = card.typical_seconds.get(quality) if card else None
    return {"built": built} if built else {}


def _likely(job: Job) -> str:
    """Who would get the job as things are, before it is decided; empty when nobody would."""
    if job.provider_wish:
        return job.provider_wish
    ranked = rank(choosing.wants(job), health.offers())
    return ranked[0].name if ranked else ""
