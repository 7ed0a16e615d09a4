"""What would keep something longer than ``privacy/retention.py`` says is refused by ``manage.py check --deploy``.

The periods are in code; what a deployment can change is whether anything comes by to enforce them, and how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from privacy.retention import PERIODS, longest


def rounds() -> dict[str, timedelta]:
    """How often each periodic task comes by, at the least."""
    return {entry["task"]: _between(entry["schedule"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def _between(schedule: Any) -> timedelta:
    if isinstance(schedule, crontab):
        days = 8 - len(schedule.day_of_week)  # seven of them: each day
        return timedelta(days=days) / (len(schedule.hour) * len(schedule.minute))
    return schedule if isinstance(schedule, timedelta) else timedelta(seconds=schedule)


@register(Tags.security, deploy=True)
def periods_are_kept(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What ends a period runs, and no later than that period grants it; a session ends in time."""
    found: list[CheckMessage] = []
    coming = rounds()
    for period in PERIODS.values():
        package, _, _task = period.by.rpartition(".")
        if not package.endswith(".tasks"):
            continue  # a function that a task calls, or the key store itself
        if period.by not in coming:
            found.append(Error(f"Nothing runs {period.by}, which ends the period “{period.name}”.", id="privacy.E011"))
        elif coming[period.by] > period.grace:
            found.append(
                Error(
                    f"{period.by} comes by too rarely to end the period “{period.name}” in time.",
                    hint=f"It may take {period.grace} at most; see SWEEP_SECONDS.",
                    id="privacy.E012",
                )
            )
    if timedelta(seconds=settings.SESSION_COOKIE_AGE) > longest("session"):
        found.append(Error("Sessions live longer than the period “session”.", id="privacy.E013"))
    return found
