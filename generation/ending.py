"""What the owner may do to a job from outside: have the rest destroyed once the asset is saved, or stop it.

Each is a conditional UPDATE of a column that is the owner's; the pipeline acts on it. Repeating either is harmless.
"""

from __future__ import annotations

from django.utils import timezone

from generation import pipeline
from generation.models import Job


def acknowledge(job: Job) -> None:
    """The owner has the whole file: destroy ours."""
    mine = Job.objects.filter(pk=job.pk, stage=Job.Stage.DELIVER, acknowledged_at=None, direct=False)
    now = timezone.now()
    if mine.update(acknowledged_at=now, **pipeline.due_now()):
        job.acknowledged_at = now
        pipeline.call_for(job)
    else:
        job.refresh_from_db()


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
