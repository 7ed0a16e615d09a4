"""What whoever watches the site learns of a job: how long its stages and its provider's calls took, how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from generation.models import Attempt, Event, Job
from observe import meters, tracing


@contextmanager
def step(job: Job) -> Iterator[None]:
    """A step of the stage that the job is in."""
    began, stage = time.perf_counter(), job.stage
    with tracing.span(f"stage {stage}", job=job.pk, stage=stage) as span:
        yield
        span.say(outcome=job.outcome, failure=job.failure, provider=job.provider)
    meters.STEPS.time(time.perf_counter() - began, stage=stage)


def left(job: Job, stage: str) -> None:
    """The job has left a stage, for the one that it is in now, and that is saved."""
    if not meters.on():
        return
    now = timezone.now()
    if stage == Job.Stage.PREPARE:
        reached = job.created_at
    else:
        events = Event.objects.filter(job=job.pk, code=stage, attempt=0)
        reached = events.values_list("at", flat=True).first() or now
    meters.STAGES.time((now - reached).total_seconds(), stage=stage)
    if job.stage == Job.Stage.DELIVER and job.ready_at:
        meters.READY.time((job.ready_at - job.created_at).total_seconds(), provider=job.provider)
    if job.stage == Job.Stage.OVER:
        meters.JOBS.count(outcome=job.outcome, failure=job.failure, provider=job.provider)
        if job.acknowledged_at and job.finished_at:
            meters.DESTRUCTION.time((job.finished_at - job.acknowledged_at).total_seconds())


@contextmanager
def call(attempt: Attempt, asks: str) -> Iterator[None]:
    """One call to a provider: ``submit``, ``poll``, ``fetch`` or ``erase``."""
    began, result = time.perf_counter(), "answered"
    try:
        with tracing.span(f"provider {asks}", kind="client", job=attempt.job_id, provider=attempt.provider):
            yield
    except Exception as error:
        result = type(error).__name__
        raise
    finally:
        taken = time.perf_counter() - began
        meters.CALLS.time(taken, provider=attempt.provider, call=asks, result=result)
