"""kill -9 at the start, middle and end of every stage, and after it: each job still ends well.

Real Celery workers on Postgres and Valkey, each killed with everything it started, then started again, until all jobs
are over. No job is helped along: only the workers' own sweep finds what was dropped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from billing import ledger
from billing.models import Transaction
from generation import intake
from generation.models import Attempt, Job
from privacy import receipts, vault
from privacy.audit import audit
from privacy.models import Receipt
from sandbox.providers.meshy import MeshySimulator
from sandbox.providers.service import Script, Service
from tests.generation.conftest import mesh, photo
from tests.long import LONG

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.stack]

STAGES = ["prepare", "dispatch", "watch", "collect", "inspect", "settle", "deliver", "purge"]
POINTS = ["start", "middle", "end", "saved"]
CASES = (
    [("scripted", stage, point) for stage in STAGES for point in POINTS]
    + [("embedded", "dispatch", point) for point in POINTS]
    + [("scripted-unsafe", "dispatch", "middle")]
    # A vendor's API that knows no idempotency key, behind its stand-in.
    + [
        ("meshy", stage, point)
        for stage in ("dispatch", "watch", "collect")
        for point in (POINTS if LONG else ["middle"])
    ]
)
UNKNOWN = {("scripted-unsafe", "dispatch", "middle"), ("meshy", "dispatch", "middle")}
"""Killed between the service's answer and our row: nobody can know."""
LONGEST_SECONDS = 240.0


def elsewhere(job_id: UUID) -> list[dict[str, Any]]:
    """What a job's receipt says of its attempts."""
    found: list[dict[str, Any]] = Receipt.objects.get(group=job_id).document["receipt"]["elsewhere"]
    return found


class Workers:
    """Two lines of workers; in each, the next one starts when the one before it was killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        folder = Path(environment["CRASH_PLAN"])
        self.lines = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.generation.crash_worker",
                    f"crash{number}@test",
                    "-B",
                    "-s",
                    str(folder / f"beat{number}"),
                ],
                env=environment,
            )
            for number in range(2)
        ]

    def check(self) -> None:
        """A worker that ended any other way than by its own SIGKILL is a failure of the test."""
        assert [line.poll() for line in self.lines] == [None, None]

    def stop(self) -> None:
        """End both lines, and what they started."""
        for line in self.lines:
            line.terminate()
            line.wait(10)


@pytest.fixture
def workers(tmp_path: Path, settings) -> Iterator[tuple[Workers, Service, MeshySimulator]]:
    """Workers on this test's database, on a broker database of their own, the scripted service and the stand-in."""
    service, vendor = Service(Script(mesh=mesh())), MeshySimulator()
    vendor.behaviour.mesh, vendor.behaviour.polls = mesh(), 1
    addresses = {
        "SCRIPTED_URL": service.url,
        "MESHY_API_KEY": vendor.key,
        "MESHY_URL": f"{vendor.url} {vendor.files}",
    }
    settings.PROVIDER_ENVIRONMENT, settings.PROVIDER_SLOTS = addresses, ["meshy:100"]
    settings.PROVIDERS = [
        "sandbox.providers.scripted:Scripted",
        "sandbox.providers.scripted:ScriptedUnsafe",
        "embedded",
        "meshy",
    ]
    # The audit at the end is of this test's blobs alone.
    redis.from_url(django_settings.KEYSTORE_URL).flushall()
    settings.STORE_URL = f"file://{tmp_path / 'blobs'}"
    database = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}",
        "BROKER_URL": django_settings.CELERY_BROKER_URL + "?virtual_host=3",
        "PROVIDERS": ",".join(settings.PROVIDERS),
        "STORE_URL": settings.STORE_URL,
        **addresses,
        "PROVIDER_SLOTS": "meshy:100",
        "CRASH_PLAN": str(tmp_path),
        "LEASE_SECONDS": "2",
        "RENUDGE_SECONDS": "1",
        "SWEEP_SECONDS": "1",  # oftener, and a crowded machine does nothing else
    }
    (tmp_path / "plan.json").write_text("{}")
    started = Workers(environment)
    yield started, service, vendor
    started.stop()
    service.close()
    vendor.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the matrix is about Postgres; SQLite has its own test")
def test_every_crash_ends_well(owner, workers, settings, monkeypatch, tmp_path) -> None:
    running, service, vendor = workers
    ledger.grant(user=owner, credits=1000, key="matrix", reason="test")
    plan: dict[str, list[str]] = {}
    provider_of: dict[str, str] = {}
    case_of: dict[str, tuple[str, str, str]] = {}
    picture = photo()
    monkeypatch.setattr(intake, "MAX_OPEN_JOBS", len(CASES) + 1)
    monkeypatch.setattr("generation.pipeline._publish", lambda *_, **__: False)  # even the first message is dropped
    for case in CASES:
        provider, stage, point = case
        upload = vault.seal([picture], kind="upload", group=uuid4(), limit=20_000_000)
        wishes = intake.Wishes("draft", 60, provider)
        job = intake.receive(owner=owner, uploads={"front": upload.pk}, wishes=wishes, request_key=uuid4())
        plan[str(job.pk)] = [stage, point]
        provider_of[str(job.pk)] = provider
        case_of[str(job.pk)] = case
        (tmp_path / "plan.new").write_text(json.dumps(plan))
        (tmp_path / "plan.new").rename(tmp_path / "plan.json")

    began = time.monotonic()
    while Job.objects.exclude(stage=Job.Stage.OVER).exists():
        running.check()
        for job in Job.objects.filter(stage=Job.Stage.DELIVER, acknowledged_at=None):
            # A crash in this stage comes while the asset waits; the owner comes after it.
            if case_of[str(job.pk)][1] != "deliver" or (tmp_path / str(job.pk)).exists():
                now = timezone.now()
                Job.objects.filter(pk=job.pk).update(acknowledged_at=now, due_at=now)
        left = [case_of[str(job.pk)] for job in Job.objects.exclude(stage=Job.Stage.OVER)]
        assert time.monotonic() - began < LONGEST_SECONDS, f"not over: {left}"
        time.sleep(0.1)

    for job in Job.objects.all():
        case = case_of[str(job.pk)]
        assert (tmp_path / str(job.pk)).exists(), f"{case} never crashed"
        unsafe = case in UNKNOWN
        assert (job.outcome, job.failure) == (("failed", "provider_unknown") if unsafe else ("done", "")), case
        kinds = list(Transaction.objects.filter(job=job.pk).order_by("id").values_list("kind", flat=True))
        assert kinds == ["hold", "release" if unsafe else "capture"], case
        assert set(vault.blobs(job.pk).values_list("state", flat=True)) == {"destroyed"}, case
        assert receipts.verify(Receipt.objects.get(group=job.pk).document).ok, case
    assert Receipt.objects.count() == len(CASES)
    assert ledger.verify() == []
    assert audit() == []
    balance = ledger.balance(owner)
    assert balance.held == 0
    bought = 1000 + settings.GRANT_CREDITS
    assert balance.available == bought - sum(Job.objects.filter(charged=True).values_list("credits", flat=True))
    remote_jobs = sum(provider.startswith("scripted") for provider in provider_of.values())
    assert len(service.calls) == remote_jobs, "each paid call was created once"
    # Of one call the id died with the worker; its receipt says "unknown".
    lost = Attempt.objects.get(provider="scripted-unsafe")
    assert {call.id for call in service.calls.values() if not call.erased} == {service.by_key[str(lost.key)]}
    assert [line["result"] for line in elsewhere(lost.job_id)] == ["unknown"]
    # At the vendor, too, each paid call was created once, and what we knew of was deleted.
    sent = [case for case in CASES if case[0] == "meshy"]
    assert len(vendor.calls) == len(sent)
    assert sum(not call.erased for call in vendor.calls.values()) == 1
    for job_id, case in case_of.items():
        if case[0] == "meshy":
            said = "unknown" if case in UNKNOWN else "erased"
            assert [line["result"] for line in elsewhere(UUID(job_id))] == [said], case
