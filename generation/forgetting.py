"""What of a finished job is forgotten while its history stays: by what its call is found at the provider, and what was
told of it to webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from generation.models import Attempt, Job, Notification
from privacy.retention import longest

AT_ONCE: Final = 1000


def remote_calls(before: datetime) -> QuerySet[Attempt]:
    """Attempts of jobs that are over, ended before, whose call could still be found."""
    findable = ~Q(remote_id="") | Q(remote__isnull=False)
    return Attempt.objects.filter(findable, job__stage=Job.Stage.OVER, ended_at__lt=before)


def notifications(before: datetime) -> QuerySet[Notification]:
    """What was told to webhooks, or should have been, about what happened before; its deliveries go with it."""
    return Notification.objects.filter(at__lt=before)


def forget() -> None:
    """Forget by what calls of long ago are found, and what was told of long ago."""
    now = timezone.now()
    # Some at a time, oldest first: asked for all of them at once, Postgres would rather read all jobs there are.
    calls = remote_calls(now - longest("remote_call")).order_by("ended_at").values_list("pk", flat=True)
    while some := list(calls[:AT_ONCE]):
        Attempt.objects.filter(pk__in=some).update(remote_id="", remote=None)
    notifications(now - longest("webhook_log")).delete()
