"""What the jobs of one access key may cost in a calendar month (UTC): its own limit, beside that of the account."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.models import AccessKey
from billing.limits import month_start
from generation.models import Job, JobSum


class KeyLimitReached(Exception):
    """The key's limit stands in the way; ``left`` credits of it are left."""

    def __init__(self, *, limit: int, left: int) -> None:
        super().__init__(f"a limit of {limit} credits a month for the key, {left} left")
        self.limit = limit
        self.left = left


def spent_this_month(key: AccessKey) -> int:
    """Credits of jobs that the key began this month, held or spent; what was given back does not count.

    One question for what is over and what runs, so that a job which ends meanwhile is in one of them, and in one only.
    """
    since = month_start(timezone.now())
    mine = {"owner": key.owner_id, "access_key": key.pk}
    over = JobSum.objects.filter(**mine, day__gte=since.date())
    running = Job.objects.exclude(stage=Job.Stage.OVER).filter(
        Q(outcome="") | Q(charged=True), **mine, created_at__gte=since
    )
    found = AccessKey.objects.filter(pk=key.pk).values_list(_credits(over), _credits(running)).get()
    return sum(part or 0 for part in found)


def _credits(rows: QuerySet[Any]) -> Subquery:
    return Subquery(rows.order_by().values("access_key").annotate(total=Sum("credits")).values("total"))


def check(job: Job) -> None:
    """Raises ``KeyLimitReached`` if this job goes past the limit of its key.

    For use after the job's credits are held, in that transaction: the ledger's lock then makes jobs of one account wait
    for each other, so that two of them cannot pass for one.
    """
    key = job.access_key
    if key is None or key.monthly_limit is None or not job.credits:
        return
    spent = spent_this_month(key)
    if spent > key.monthly_limit:
        raise KeyLimitReached(limit=key.monthly_limit, left=max(0, key.monthly_limit - spent + job.credits))
