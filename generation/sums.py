"""What an account's jobs come to, by day, key and provider, so that a report of use reads days and not jobs.

A job is in the sums from the moment it is over, written in the transaction in which it ends; until then it is counted
from its row. So it is counted once, and whoever reads both in one statement or two is at most a job behind.
"""

from __future__ import annotations

from datetime import UTC

from django.db.models import F

from generation.models import NO_KEY, Job, JobSum


def count(job: Job) -> None:
    """Count a job that is over from now on. For use in the transaction in which it ends, once."""
    kind = {
        "owner_id": job.owner_id,
        "day": job.created_at.astimezone(UTC).date(),
        "access_key": job.access_key_id or NO_KEY,
        "provider": job.provider,
    }
    adding = {
        "jobs": F("jobs") + 1,
        "done": F("done") + int(job.outcome == Job.Outcome.DONE),
        "failed": F("failed") + int(job.outcome == Job.Outcome.FAILED),
        "credits": F("credits") + (job.credits if job.charged else 0),
        "model_bytes": F("model_bytes") + (job.asset_bytes or 0),
    }
    sums = JobSum.objects.filter(**kind)
    if not sums.update(**adding):  # the first of its kind today
        JobSum.objects.bulk_create([JobSum(**kind)], ignore_conflicts=True)
        sums.update(**adding)
