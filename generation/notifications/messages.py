"""What a webhook is told of a job: that something happened, to which job, and where to look. Nothing of the photo."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generation.models import Job, Notification

KINDS: Final[dict[str, Promise]] = {
    "job.ready": _("The model is there, and waits to be fetched"),
    "job.done": _("You have the model, and said so"),
    "job.failed": _("It failed, and cost nothing"),
    "job.cancelled": _("It was cancelled"),
    "job.expired": _("Nobody fetched the model in its time"),
    "job.destroyed": _("Everything is destroyed, and the receipt is there"),
}
"""What can be told of a job, in the order in which it can happen."""
TEST: Final = "webhook.test"

API: Final = "/api/v1/jobs/"


def kind_of(job: Job, stage: str) -> str:
    """What is told of a job as it reaches a stage; empty: nothing.

    A direct job's model is the answer to its request: there is nothing to fetch.
    """
    if stage == Job.Stage.DELIVER:
        return "" if job.direct else "job.ready"
    if stage == Job.Stage.PURGE:
        return f"job.{job.outcome}"
    return "job.destroyed" if stage == Job.Stage.OVER else ""


def body(notification: Notification) -> bytes:
    """What is sent; the same each time."""
    at = notification.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"type": notification.kind, "timestamp": at, "data": _data(notification)}
    return json.dumps(said, separators=(",", ":")).encode()


def _data(notification: Notification) -> dict[str, Any]:
    job = notification.job
    if job is None:
        return {}
    url = f"{settings.SITE_URL.rstrip('/')}{API}{job.pk}"
    state = job.outcome if notification.kind == "job.destroyed" else notification.kind.removeprefix("job.")
    links = {"job.ready": {"asset": f"{url}/asset"}, "job.destroyed": {"receipt": f"{url}/receipt"}}
    return {"job": str(job.pk), "state": state, "url": url, **links.get(notification.kind, {})}
