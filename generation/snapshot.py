"""What a job looks like from outside, as JSON: the job page, its live updates and its fallback polling show this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import ordinal
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from generation import choices, failures, registry, stage_times
from generation.models import Job
from generation.wording import said
from privacy import vault
from privacy.models import Receipt

Stage = Job.Stage
Outcome = Job.Outcome

SHORTEST_WAIT = timedelta(seconds=1)
"""A wait in line that was shorter gets no line of its own."""


def snapshot(job: Job) -> dict[str, Any]:
    """The job's public state; ids, times (ISO 8601, UTC) and figures only, nothing of its content."""
    position = queue_position(job)
    return {
        "id": str(job.pk),
        "stage": job.stage,
        "outcome": job.outcome,
        "final": job.stage == Stage.OVER,
        "percent": job.percent,
        "provider": provider_label(job.provider),
        "quality": job.quality,
        "options": choices.facts(job.chosen()),
        "queue_position": position,
        "queue_place": strip_tags(str(ordinal(position))) if position else "",  # French writes markup
        "waiting": {"code": job.waiting, "message": failures.wait(job.waiting)} if job.waiting else None,
        "attempts": attempts(job),
        "failure": {"code": job.failure, "message": failures.failure(job.failure)} if job.failure else None,
        "warnings": [{"code": code, "message": failures.warning(code)} for code in job.warnings],
        "timeline": timeline(job, position),
        "asset": _asset(job),
        "expires_at": _iso(job.asset_expires_at),
        "credits": {
            "held": 0 if _settled(job) else job.credits,
            "charged": job.credits if job.charged else 0,
        },
        "receipt": _receipt(job),
        "can_cancel": not job.outcome and not job.cancel_requested_at and job.stage != Stage.OVER,
        "created_at": _iso(job.created_at),
        "finished_at": _iso(job.finished_at),
    }


def fetchable(job: Job) -> bool:
    """Whether the owner may fetch the asset now. That of a direct job goes to whoever sent the photo, once."""
    return job.stage == Stage.DELIVER and job.asset_id is not None and not (job.acknowledged_at or job.direct)


def provider_label(name: str) -> str:
    """What people call a provider; its name when it is no longer listed."""
    return next((said(card.label) for card in registry.cards() if card.name == name), name)


def attempts(job: Job) -> list[dict[str, Any]]:
    """Who was sent the job, in order, and what came of it: ``erasure`` is what the provider said of its copies."""
    return [
        {
            "number": attempt.number,
            "provider": provider_label(attempt.provider),
            "place": provider_place(attempt.provider),
            "state": attempt.state,
            "failure": failures.failure(attempt.failure) if attempt.failure in failures.FAILURES else "",
            "erasure": attempt.erasure,
            "started_at": _iso(attempt.started_at),
            "ended_at": _iso(attempt.ended_at),
        }
        for attempt in job.attempts.order_by("number")
    ]


def provider_place(name: str) -> str:
    """Where a provider is, as people say it; empty when it is no longer listed."""
    return next((said(card.place) for card in registry.cards() if card.name == name), "")


def queue_position(job: Job) -> int | None:
    """The job's place in line for the engine, 1 for the next; ``None`` when it is not waiting for it."""
    if job.queue != "engine" or job.lease_id is not None or job.stage not in (Stage.PREPARE, Stage.DISPATCH):
        return None
    before = Job.objects.filter(
        queue="engine", stage__in=(Stage.PREPARE, Stage.DISPATCH), created_at__lt=job.created_at
    )
    return before.count() + 1


def timeline(job: Job, position: int | None = None) -> list[dict[str, Any]]:
    """The stages as their owner sees them, each ``done`` (with its time), ``now`` or ``next``.

    ``began`` and ``at`` are when a line began and was done; ``usual`` is how many seconds it is expected to take, if
    it is not done and anybody knows. ``position`` is the job's place in line for the engine.

    A job that failed or was cancelled shows what was done, then the end. Destruction is read from the vault's
    rows: a line says "destroyed" only when that was observed. A line's label says what happens while it is ``now``,
    and what happened, or will have, otherwise.
    """
    reached = {event.code: event.at for event in job.events.all()}
    gone = {blob.kind: blob for blob in vault.blobs(job.pk).order_by("destroyed_at")}
    source = gone.get("source")
    destroyed = None
    if source and not any(
        blob.destroyed_at is None for blob in vault.blobs(job.pk).filter(kind__in=("upload", "source"))
    ):
        destroyed = source.destroyed_at
    building = _("Waiting for a provider") if job.waiting else _("Building the model")
    checked = reached.get(Stage.SETTLE) if job.asset_bytes else None
    received, begun = reached.get("received"), reached.get("begun")
    lines: list[tuple[str, str, str, datetime | None]] = [
        ("received", _("Receiving the photo"), _("Photo received"), received),
        ("cut_out", _("Removing the background"), _("Background removed"), reached.get(Stage.DISPATCH)),
        ("built", building, _("Model built"), reached.get(Stage.INSPECT)),
        ("checked", _("Checking the file"), _("File checked"), checked),
        ("photo_destroyed", _("Destroying the photo"), _("Photo destroyed"), destroyed),
        ("delivered", _("Delivering the model"), _("Model delivered"), job.acknowledged_at),
        ("destroyed", _("Destroying everything"), _("Everything destroyed"), job.finished_at),
    ]
    stood = begun and received and begun - received >= SHORTEST_WAIT
    if stood or (begun is None and job.stage == Stage.PREPARE and (position or 0) > 1):
        lines.insert(1, ("waited", _("Waiting in line"), _("Waited in line"), begun))
    outcome = job.outcome or (Outcome.CANCELLED if job.cancel_requested_at and not job.acknowledged_at else "")
    if outcome and outcome != Outcome.DONE:
        ending, ended = {
            Outcome.FAILED: (_("Stopping"), _("Failed")),
            Outcome.CANCELLED: (_("Cancelling"), _("Cancelled")),
            Outcome.EXPIRED: (_("Ending"), _("Not fetched in time")),
        }[Outcome(outcome)]
        end = (outcome, ending, ended, reached.get(Stage.PURGE) or job.finished_at)
        *before, last = [line for line in lines if line[3] or line[0] in ("photo_destroyed", "destroyed")]
        lines = [line for line in before if line[3]] + [end] + [line for line in before if not line[3]] + [last]
    expected = {} if job.outcome or job.stage == Stage.OVER else _expected(job, position, reached)
    shown: list[dict[str, Any]] = []
    since: datetime | None = None
    running = False
    for code, doing, done, at in lines:
        state = "done" if at else "next" if running else "now"
        running = running or state == "now"
        began = begun if code == "cut_out" and begun else since
        shown.append(
            {
                "code": code,
                "label": doing if state == "now" else done,
                "state": state,
                "began": None if state == "next" else _iso(began),
                "at": _iso(at),
                "usual": None if at else expected.get(code),
            }
        )
        since = at or since
    return shown


def _expected(job: Job, position: int | None, reached: Mapping[str, datetime]) -> dict[str, float]:
    """How long each line is expected to take, where anybody knows. Nobody does while no provider takes the job."""
    expected = stage_times.seconds(job)
    if job.waiting:
        expected.pop("built", None)
    chosen, sought = reached.get("chosen"), reached.get(Stage.DISPATCH)
    if chosen and sought and "built" in expected:
        # What others were asked for in vain, or waited for, was not this provider's time and is this line's.
        expected["built"] += max(0.0, round((chosen - sought).total_seconds(), 1))
    wait = stage_times.in_line(job, position, expected) if position else None
    return expected if wait is None else {**expected, "waited": round(wait, 1)}


def _settled(job: Job) -> bool:
    return job.stage in (Stage.DELIVER, Stage.PURGE, Stage.OVER)


def _asset(job: Job) -> dict[str, Any] | None:
    if not fetchable(job):
        return None
    return {
        "url": reverse("generation:asset", args=[job.pk]),
        "bytes": job.asset_bytes,
        "triangles": job.triangles,
        "size": [job.size_x, job.size_y, job.size_z],
        "watertight": job.watertight,
    }


def _receipt(job: Job) -> dict[str, Any] | None:
    if job.receipt_id is None:
        return None
    document = Receipt.objects.get(pk=job.receipt_id).document
    return {"url": reverse("generation:receipt", args=[job.pk]), "document": document}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None
