"""The owner's list of jobs, newest first, in pages that stay put while new jobs arrive (keyset, not offset)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from generation.models import Job

PAGE_SIZE = 25
STATES = ("running", "ready", "done", "failed", "cancelled", "expired")


@dataclass(frozen=True)
class Page:
    """One page; ``before`` is the key of the next one, empty on the last."""

    jobs: list[Job]
    before: str


def page(*, owner: User, state: str = "", before: str = "", most: int | None = None) -> Page:
    """The owner's jobs older than the key ``before``, at most ``most`` (``PAGE_SIZE``); unknown filters are ignored."""
    most = most or PAGE_SIZE
    jobs = owner.jobs.order_by("-created_at", "-id")
    if state == "running":
        jobs = jobs.filter(outcome="").exclude(stage=Job.Stage.DELIVER)
    elif state == "ready":
        jobs = jobs.filter(outcome="", stage=Job.Stage.DELIVER)
    elif state in STATES:
        jobs = jobs.filter(outcome=state)
    key = _parse(before)
    if key is not None:
        at, job_id = key
        # The first condition alone is what an index can begin with.
        jobs = jobs.filter(created_at__lte=at).filter(Q(created_at__lt=at) | Q(id__lt=job_id))
    found = list(jobs[: most + 1])
    more = len(found) > most
    found = found[:most]
    return Page(found, f"{found[-1].created_at.isoformat()}_{found[-1].pk}" if more else "")


def span(page: Page, *, first: bool) -> tuple[datetime | None, datetime]:
    """Between which moments an unfiltered page has every job of its owner; ``None``: since ever."""
    newest = timezone.now() if first or not page.jobs else page.jobs[0].created_at
    return (page.jobs[-1].created_at if page.before else None), newest


def is_key(text: str) -> bool:
    """Whether it has the form of a ``Page.before``."""
    return _parse(text) is not None


def _parse(key: str) -> tuple[datetime, UUID] | None:
    at, _, job_id = key.rpartition("_")
    try:
        parsed = datetime.fromisoformat(at.replace(" ", "+"))
        return (parsed.astimezone(UTC), UUID(job_id)) if parsed.tzinfo else None
    except (ValueError, OverflowError):  # the latter where time ends
        return None
