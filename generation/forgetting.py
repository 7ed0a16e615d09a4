"""What of a finished job is forgotten while its history stays: by what its call is found at the provider."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from generation.models import Attempt, Job
from privacy.retention import longest


def remote_calls(before: datetime) -> QuerySet[Attempt]:
    """Attempts of jobs that are over, ended before, whose call could still be found."""
    findable = ~Q(remote_id="") | Q(remote__isnull=False)
    return Attempt.objects.filter(findable, job__stage=Job.Stage.OVER, ended_at__lt=before)


def forget() -> int:
    """Forget by what calls of long ago are found; how many."""
    return remote_calls(timezone.now() - longest("remote_call")).update(remote_id="", remote=None)
