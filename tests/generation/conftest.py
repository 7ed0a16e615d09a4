"""A photo to send, the scripted provider to send it to, and a job on its way."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from uuid import uuid4

import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from generation.models import Job
from sandbox.providers.service import Script, Service
from tests.generation.seen import remembering
from tests.services import FOLDER


def photo(size: int = 320) -> bytes:
    """A JPEG with one plain object that the mask finds at once: an orange on a table."""
    rng = np.random.default_rng(7)
    picture = Image.fromarray((rng.normal(205, 3, (size, size, 3))).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for step in range(40, 0, -1):
        r = size * 0.3 * step / 40
        shade = 1 - (step / 40) ** 2 * 0.5
        centre = size / 2 - (40 - step) * size * 0.002
        draw.ellipse((centre - r, centre - r, centre + r, centre + r), fill=(int(245 * shade), int(130 * shade), 20))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def mesh() -> bytes:
    """A small valid GLB."""
    return bytes(trimesh.creation.icosphere(subdivisions=2).export(file_type="glb"))


@pytest.fixture
def service(settings) -> Iterator[Service]:
    """The scripted service, running, with the scripted providers as the only ones listed."""
    running = Service(Script(mesh=mesh()))
    settings.PROVIDER_ENVIRONMENT = {"SCRIPTED_URL": running.url}
    settings.PROVIDERS = ["sandbox.providers.scripted:Scripted"]
    yield running
    running.close()


@pytest.fixture
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is asked about each picture once a run."""
    monkeypatch.setattr("generation.engine.mask.saliency", remembering(FOLDER / "seen"))


@pytest.fixture
def send(owner, _seen) -> Callable[..., Job]:
    """Send a photo as the owner; keyword arguments are wishes."""
    from generation import intake
    from privacy import vault

    def _send(data: bytes | None = None, **wishes: object) -> Job:
        upload = vault.seal([data or photo()], kind="upload", group=uuid4(), limit=20_000_000)
        chosen = intake.Wishes(**{"quality": "draft", "keep_minutes": 60, **wishes})  # type: ignore[arg-type]
        return intake.receive(owner=owner, uploads={"front": upload.pk}, wishes=chosen, request_key=uuid4())

    return _send


@pytest.fixture
def drive() -> Callable[..., Job]:
    """Advance a job as a worker would, without its waits, until it is over or in the stage ``until``."""
    from generation import pipeline

    def _drive(job: Job, until: str = Job.Stage.OVER, steps: int = 60) -> Job:
        for _ in range(steps):
            job.refresh_from_db()
            if job.stage in (until, Job.Stage.OVER):
                return job
            Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
            pipeline.advance(job.pk)
        raise AssertionError(f"{job} did not get to {until} in {steps} steps")

    return _drive
