"""What a line of the ledger says about its job: the billing app knows jobs by their id only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django import template

from billing.statement import Line
from generation import choices
from generation.failures import failure
from generation.models import Job

register = template.Library()


@dataclass(frozen=True)
class Facts:
    """What is known of a job beside its id; ``why`` is the sentence of one that failed."""

    quality: str
    outcome: str
    why: str


@register.filter
def with_jobs(lines: Iterable[Line]) -> list[tuple[Line, Facts | None]]:
    """Each line with the facts of its job; ``None`` for one without, or whose job is not known any more. One query."""
    lines = list(lines)
    wanted = [line.job for line in lines if line.job]
    found = {job.pk: _facts(job) for job in Job.objects.filter(pk__in=wanted)} if wanted else {}
    return [(line, found.get(line.job) if line.job else None) for line in lines]


def _facts(job: Job) -> Facts:
    label = dict(choices.QUALITIES).get(job.quality, job.quality)
    return Facts(str(label).lower(), job.outcome, failure(job.failure) if job.failure else "")
