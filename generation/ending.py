"""What the owner may do to a job from outside: have the rest destroyed once the asset is saved, or stop it.

Each is a conditional UPDATE of a column that is the owner's; the pipeline acts on it. Repeating either is harmless.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from generation import pipeline
from generation.models import Job
from privacy import returning


def acknowledge(job: Job) -> None:
    """The owner has the whole file: destroy ours."""
    found = acknowledged(job.owner_id, job.pk)
    if found:
        job.acknowledged_at = found.acknowledged_at
    else:
        job.refresh_from_db()


def acknowledged(owner_id: int, job_id: UUID) -> Job | None:
    """The owner has the whole file of this job: destroy ours. The job; ``None`` if it has no such file, or no more."""
    mine = Job.objects.filter(
        pk=job_id, owner_id=owner_id, stage=Job.Stage.DELIVER, outcome="", acknowledged_at=None, direct=False
    )
    job = next(iter(returning.updated(mine, acknowledged_at=timezone.now(), **pipeline.due_now())), None)
    if job:
        pipeline.call_for(job)
    return job


def cancel(job: Job) -> bool:
    """Stop the job, or destroy what waits for its owner; whether that was asked for now or before.

    A direct job whose asset is being sent ends with its request and not by this: else it could be had for nothing.
    """
    if job.outcome:
        return False
    mine = Job.objects.filter(pk=job.pk, outcome="", cancel_requested_at=None)
    asked = {"cancel_requested_at": timezone.now(), **pipeline.due_now()}
    if mine.exclude(direct=True, stage=Job.Stage.DELIVER).update(**asked):
        pipeline.call_for(job)
    job.refresh_from_db()
    return job.cancel_requested_at is not None
