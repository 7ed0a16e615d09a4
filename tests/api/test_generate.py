"""One request, a photo in, a model out: paid for only if all of it was sent, and nothing left, whatever happens."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from typing import Any

import pytest
import trimesh
from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.ledger import Balance
from generation import changes, direct
from generation.models import Job
from privacy.models import Blob
from privacy.stores.directory import FileWriter
from tests.api.asgi import Call
from tests.api.conftest import Asker
from tests.generation.conftest import photo
from tests.generation.test_uploads import CANARY, Watch, form

pytestmark = pytest.mark.django_db(transaction=True)
FULL = Balance(available=10, held=0)


@pytest.fixture(autouse=True)
def patient(impatient: None, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    monkeypatch.setattr(direct, "SECONDS", 30.0)
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(changes, "RARELY_SECONDS", 0.02)
    monkeypatch.setattr(direct, "PIECE", 1000)
    settings.STORE_URL = f"file://{tmp_path}/blobs"


def call(asker: Asker, **how: Any) -> Call:
    headers = {"Authorization": f"Bearer {asker.secret}", "Content-Type": "image/jpeg"}
    return Call("/api/v1/generate", how.pop("body", photo()), {**headers, **how.pop("headers", {})}, **how).make()


def over() -> Job | None:
    """The job, once it is over, if there is one."""
    for _ in range(1000):
        job = Job.objects.first()
        if job is None or job.stage == Job.Stage.OVER:
            return job
        time.sleep(0.02)
    raise AssertionError(f"{job} is not over")


def nothing_left(tmp_path: Any) -> bool:
    return not Blob.objects.exclude(state="destroyed").exists() and not any(
        path.is_file() for path in (tmp_path / "blobs").rglob("*")
    )


def test_a_photo_in_a_model_out(ours: Asker, owner: User, worker: None, tmp_path: Any) -> None:
    answer = call(ours)
    assert (answer.status, answer.answered["content-type"], answer.ended) == (200, "model/gltf-binary", True)
    assert len(answer.received) == int(answer.answered["content-length"])
    assert len(trimesh.load_scene(file_obj=__import__("io").BytesIO(answer.received), file_type="glb").geometry) == 1
    job = over()
    assert job is not None
    assert (str(job.pk), job.outcome, job.charged) == (answer.answered["job-id"], "done", True)
    assert ledger.balance(owner).available == 10 - job.credits
    assert nothing_left(tmp_path)
    shown = ours("GET", f"/jobs/{job.pk}").json()
    assert (shown["state"], shown["direct"], shown["asset"]) == ("done", True, None)
    assert ours("GET", f"/jobs/{job.pk}/asset").status_code == 410
    assert ours("GET", f"/jobs/{job.pk}/receipt").json()["receipt"]["outcome"] == "done"


@pytest.mark.parametrize(("as_form", "spooled"), [(False, False), (True, False), (False, True)])
def test_a_photo_is_never_in_a_file(
    as_form: bool,
    spooled: bool,
    ours: Asker,
    worker: None,
    tmp_path: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first byte to the model: every file is read that server and worker, this process both, have open.

    With Django's own threshold too low, the same watch sees the photo in an anonymous file.
    """
    body, media_type = photo() + CANARY * 10_000, "image/jpeg"
    if as_form:
        body, media_type = form(("image", body))
    if spooled:
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    commit = FileWriter.commit

    def seen(writer: FileWriter) -> None:
        """The sealed file is open for a millisecond: it waits for the watch to have looked at it."""
        ends = time.monotonic() + 5
        while time.monotonic() < ends and not any("/blobs/10m/" in name for name in watch.seen):
            time.sleep(0.001)
        commit(writer)

    monkeypatch.setattr(FileWriter, "commit", seen)
    with Watch(os.getpid()) as watch:
        answer = call(ours, body=body, headers={"Content-Type": media_type, "Content-Length": str(len(body))})
    assert answer.status == 200
    assert any("/blobs/10m/" in name for name in watch.seen), "the watch was too slow to see even the sealed file"
    held = [name for name, photo_in_it in watch.seen.items() if photo_in_it]
    assert bool(held) is spooled, held
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY not in path.read_bytes()


@pytest.mark.parametrize(
    ("go_away", "after"),
    [("in body", 0), ("after body", 0), ("after body", 0.05), ("after body", 0.2), ("at start", 0), ("at 1", 0),
     ("at 2500", 0)],
)  # fmt: skip
def test_a_client_that_goes_away_leaves_nothing_and_pays_nothing(
    go_away: str, after: float, ours: Asker, owner: User, worker: None, service: Any, tmp_path: Any
) -> None:
    service.script.polls_until_finished = 30 if after == 0.2 else 0
    answer = call(ours, go_away=go_away, after=after)
    assert not answer.ended
    job = over()
    assert job is None or (job.outcome, job.charged) == ("cancelled", False)
    assert ledger.balance(owner) == FULL
    assert nothing_left(tmp_path)
    assert ledger.verify() == []


def test_the_last_byte_is_what_is_paid_for(ours: Asker, owner: User, worker: None, tmp_path: Any) -> None:
    size = len(call(ours).received)
    assert over() is not None
    Job.objects.all().delete()
    available = ledger.balance(owner).available
    short = call(ours, go_away=f"at {size - 1}")  # breaks while the piece with the last byte is sent
    job = over()
    assert job is not None
    assert (len(short.received), job.outcome) == (size, "cancelled")
    assert ledger.balance(owner).available == available


def test_a_job_that_fails_says_why_and_costs_nothing(
    ours: Asker, owner: User, worker: None, service: Any, tmp_path: Any
) -> None:
    service.script.mesh = b"not a mesh"
    answer = call(ours)
    problem = json.loads(answer.received)
    assert (answer.status, problem["code"], problem["failure"]) == (422, "job_failed", "bad_mesh")
    assert over() is not None
    assert ledger.balance(owner) == FULL
    assert nothing_left(tmp_path)


def test_a_job_that_takes_too_long_is_stopped(
    ours: Asker, owner: User, worker: None, service: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.script.polls_until_finished = 1000
    monkeypatch.setattr(direct, "SECONDS", 0.6)
    answer = call(ours)
    assert (answer.status, json.loads(answer.received)["code"]) == (504, "too_slow")
    job = over()
    assert job is not None
    assert job.outcome == "cancelled"
    assert ledger.balance(owner) == FULL
    assert nothing_left(tmp_path)


def ready(owner: User, ours: Asker, drive: Any) -> Job:
    """A direct job whose process died as its asset was ready, and taken for."""
    assert ours.send("/generate").status_code in (504, 422)
    job = Job.objects.get()
    Job.objects.update(cancel_requested_at=None)  # as it would be, had nobody been there to ask for that
    return drive(job, until=Job.Stage.DELIVER)  # type: ignore[no-any-return]


def test_a_process_that_dies_costs_nothing(
    ours: Asker, owner: User, service: Any, drive: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "SECONDS", 0.05)
    job = ready(owner, ours, drive)
    assert job.charged
    assert ledger.balance(owner) == Balance(available=8, held=0)
    assert job.asset_expires_at is not None
    assert job.asset_expires_at - timezone.now() <= timedelta(minutes=10)
    Job.objects.update(asset_expires_at=timezone.now())
    job = drive(job)
    assert (job.outcome, job.charged) == ("expired", False)
    assert ledger.balance(owner) == FULL
    assert nothing_left(tmp_path)


def test_nobody_else_gets_the_model_of_a_direct_job_or_ends_it(
    ours: Asker, owner: User, service: Any, drive: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it could be fetched beside its request, or the request cancelled after its last byte, for nothing."""
    monkeypatch.setattr(direct, "SECONDS", 0.05)
    job = ready(owner, ours, drive)
    assert ours("GET", f"/jobs/{job.pk}/asset").status_code == 410
    assert ours("GET", f"/jobs/{job.pk}").json()["asset"] is None
    assert ours("POST", f"/jobs/{job.pk}/cancel").status_code == 409
    assert ours("DELETE", f"/jobs/{job.pk}/asset").status_code == 409
    client.force_login(owner)
    assert client.get(f"/jobs/{job.pk}").status_code == 200
    assert client.get(f"/jobs/{job.pk}/asset").status_code == 404
    client.post(f"/jobs/{job.pk}/cancel")
    client.post(f"/jobs/{job.pk}/acknowledge")
    job.refresh_from_db()
    assert (job.cancel_requested_at, job.acknowledged_at) == (None, None)
