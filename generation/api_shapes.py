"""What a job and a provider look like to programs. Ids, times (ISO 8601, UTC), codes and figures; no content."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from generation import failures
from generation.models import Job
from generation.offering import Shown
from generation.snapshot import fetchable, queue_position

State = Literal["running", "ready", "done", "failed", "cancelled", "expired"]


class Said(Schema):
    """A code for programs and a sentence for people."""

    code: str
    message: str


class Credits(Schema):
    """What the job reserved and what it cost."""

    held: int
    charged: int


class Asset(Schema):
    """The model that waits to be fetched."""

    url: str = Field(description="Where it is; it needs the key.")
    format: Literal["glb"]
    bytes: int
    triangles: int | None
    size: list[float | None] = Field(description="Width, height and depth in metres.", min_length=3, max_length=3)
    watertight: bool | None


class JobOut(Schema):
    """A job."""

    id: UUID
    url: str
    state: State = Field(
        description="`running`; `ready`: the model waits; and how it ended: `done`, `failed`, `cancelled`, `expired`."
    )
    over: bool = Field(description="Everything is destroyed, and the receipt is there.")
    stage: str = Field(description="What happens next: one of our stages, for the curious.")
    percent: int
    direct: bool = Field(description="It came by POST /generate, and its model was the answer.")
    quality: str
    provider: str = Field(description="Who makes it; empty before that is decided.")
    options: dict[str, Any] = Field(description="What is not as usual.")
    waiting: Said | None = Field(description="Why no provider has it yet.")
    queue_position: int | None = Field(description="Its place in line for our own engine; 1 is next.")
    failure: Said | None
    warnings: list[Said]
    credits: Credits
    asset: Asset | None = Field(description="While the state is `ready`.")
    receipt: str | None = Field(description="Where its receipt is, once it is over.")
    created_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None = Field(description="Until when the model waits.")
    finished_at: datetime | None


class JobList(Schema):
    """A page of jobs, newest first."""

    jobs: list[JobOut]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class ProviderOut(Schema):
    """Who could receive a photo of yours now."""

    name: str
    label: str
    place: str
    region: str = Field(description="A country's code, `self` on this site's machines, empty when nobody says.")
    self_hosted: bool
    keeps_seconds: float | None = Field(description="How long it keeps what it got; null when it does not say.")
    trains_on_input: bool | None
    credits: dict[str, int] = Field(description="The price by quality.")
    typical_seconds: dict[str, float]
    options: list[str]
    views: list[str]
    formats: list[str] = Field(description="What it can make; we hand out GLB.")
    state: Literal["", "away", "busy", "misconfigured"] = Field(description="Empty: it can take a job.")
    excluded: list[str] = Field(description="Why the limits of your account keep photos from it.")


class ProviderList(Schema):
    """All providers that are set up here, the best first."""

    providers: list[ProviderOut]


def state_of(job: Job) -> State:
    """The state of a job, in one word."""
    if job.outcome:
        return job.outcome  # type: ignore[return-value]  # the outcomes are states
    return "ready" if job.stage == Job.Stage.DELIVER and not job.acknowledged_at else "running"


def job_out(job: Job) -> dict[str, Any]:
    """The job as ``JobOut`` has it."""
    settled = job.stage in (Job.Stage.DELIVER, Job.Stage.PURGE, Job.Stage.OVER)
    over = job.stage == Job.Stage.OVER
    base = f"/api/v1/jobs/{job.pk}"
    return {
        "id": str(job.pk),
        "url": base,
        "state": state_of(job),
        "over": over,
        "stage": job.stage,
        "percent": job.percent,
        "direct": job.direct,
        "quality": job.quality,
        "provider": job.provider,
        "options": job.options,
        "waiting": _said(job.waiting, failures.wait) if job.waiting else None,
        "queue_position": queue_position(job),
        "failure": _said(job.failure, failures.failure) if job.failure else None,
        "warnings": [_said(code, failures.warning) for code in job.warnings],
        "credits": {"held": 0 if settled else job.credits, "charged": job.credits if job.charged else 0},
        "asset": _asset(job, base),
        "receipt": f"{base}/receipt" if over and job.receipt_id else None,
        "created_at": _iso(job.created_at),
        "ready_at": _iso(job.ready_at),
        "expires_at": _iso(job.asset_expires_at),
        "finished_at": _iso(job.finished_at),
    }


def provider_out(shown: Shown) -> dict[str, Any]:
    """The offer as ``ProviderOut`` has it."""
    card = shown.card
    return {
        "name": card.name,
        "label": card.label,
        "place": card.place,
        "region": card.region,
        "self_hosted": card.self_hosted,
        "keeps_seconds": None if card.keeps is None else card.keeps.total_seconds(),
        "trains_on_input": card.trains_on_input,
        "credits": dict(card.credits),
        "typical_seconds": dict(card.typical_seconds),
        "options": sorted(card.options),
        "views": sorted(card.views),
        "formats": sorted(card.formats),
        "state": shown.state,
        "excluded": [str(reason) for reason in shown.reasons],
    }


def _said(code: str, sentence: Any) -> dict[str, str]:
    return {"code": code, "message": str(sentence(code))}


def _asset(job: Job, base: str) -> dict[str, Any] | None:
    if not fetchable(job):
        return None
    return {
        "url": f"{base}/asset",
        "format": "glb",
        "bytes": job.asset_bytes,
        "triangles": job.triangles,
        "size": [job.size_x, job.size_y, job.size_z],
        "watertight": job.watertight,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None
