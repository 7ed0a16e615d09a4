"""A clock that can be moved, a job that stands before its provider, and the provider's stand-in."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db.models.functions import Now
from django.utils import timezone
from PIL import Image, ImageDraw

from billing import ledger
from generation import health, intake, leases, models, pipeline
from generation.models import Job
from generation.options import JobOptions
from privacy import vault
from sandbox.providers.simulator import Simulator
from tests.generation.conftest import mesh
from tests.providers.stands import Stand


class Clock:
    """What time it is for the code under test and for its database: the real time, and ``ahead`` seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        now = timezone.now
        for module in (intake, leases, models, pipeline):
            monkeypatch.setattr(module, "Now", lambda: Now() + timedelta(seconds=self.ahead))
        monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=self.ahead))
        monkeypatch.setattr(health, "time", SimpleNamespace(time=lambda: time.time() + self.ahead))

    def jump(self, seconds: float) -> None:
        """Move the clock on, or back."""
        self.ahead += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """See ``Clock``."""
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    """What the cache knows of providers is another test's."""
    cache.clear()


def cut_out(colour: tuple[int, int, int] = (180, 60, 40)) -> bytes:
    """A cut-out as ``prepare`` leaves it."""
    picture = Image.new("RGBA", (300, 260))
    ImageDraw.Draw(picture).ellipse((20, 20, 280, 240), fill=(*colour, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def job_for(owner, settings) -> Callable[..., Job]:
    """``job_for(card name, views=…, options=…)``: a prepared job with its credits held, which only that may take."""

    def make(
        name: str, *, views: tuple[str, ...] = ("front",), quality: str = "", options: JobOptions | None = None
    ) -> Job:
        from generation import registry

        card = registry.card(name)
        quality = quality or next(iter(card.credits))
        credits = card.credits[quality]
        ledger.grant(user=owner, credits=100, key=uuid4().hex, reason="test")
        job_id, now = uuid4(), timezone.now()
        colours = {"front": (180, 60, 40), "left": (60, 180, 40), "back": (40, 60, 180), "right": (160, 160, 30)}
        sealed = {
            view: vault.seal([cut_out(colours[view])], kind="source", group=job_id, limit=10_000_000) for view in views
        }
        job = Job.objects.create(
            id=job_id, owner=owner, request_key=uuid4(), quality=quality, provider_wish=name, credits=credits,
            stage=Job.Stage.DISPATCH, queue="default", sources={view: str(blob.pk) for view, blob in sealed.items()},
            options=(options or JobOptions()).stored(), created_at=now, due_at=now,
            deadline_at=now + timedelta(minutes=20),
        )  # fmt: skip
        ledger.hold(user=owner, credits=credits, job=job.pk)
        return job

    return make


@pytest.fixture
def run(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """``run(job, until=stage)``: advance as a worker would, the clock moved on by each wait instead of waiting.

    ``ends=False``: it need not get there in so many steps.
    """
    monkeypatch.setattr(pipeline, "_publish", lambda *_, **__: True)

    def drive(job: Job, until: str = Job.Stage.OVER, steps: int = 400, *, ends: bool = True) -> Job:
        for _ in range(steps):
            job.refresh_from_db()
            if job.stage == until or job.stage == Job.Stage.OVER:
                return job
            if job.stage == Job.Stage.DELIVER and not job.acknowledged_at:
                Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now(), due_at=timezone.now())
            else:
                clock.jump(max(0.0, _until(job.due_at)))
            pipeline.advance(job.pk)
        assert not ends, f"{job} did not get to {until} in {steps} steps"
        job.refresh_from_db()
        return job

    def _until(due: datetime) -> float:
        return (due - timezone.now()).total_seconds() + 0.001

    return drive


@pytest.fixture
def start(settings) -> Iterator[Callable[[Stand], Simulator]]:
    """``start(stand)``: its stand-in, running, and its provider the only one that is listed."""
    running: list[Simulator] = []

    def begin(stand: Stand) -> Simulator:
        simulator = stand.simulator()
        running.append(simulator)
        simulator.behaviour.mesh = mesh()
        settings.PROVIDERS = [stand.name]
        settings.PROVIDER_ENVIRONMENT = dict(stand.setup(simulator))
        return simulator

    yield begin
    for simulator in running:
        simulator.close()
