"""How many jobs one worker process holds in flight at a slow provider, beside a worker that waits for each call.

``python -m benchmarks.in_flight [JOBS] [SECONDS]`` (1000 and 60): starts Postgres, Valkey and a stand-in for Meshy
whose tasks take that long, hands the jobs, already cut out, to ONE Celery worker process (threads, CONCURRENCY), and
prints how many were in flight at once, how long after its submission each was ready to fetch (median, 95 %, the last),
and the worker's peak memory. Then the reference, in the same run: the same provider code, called by as many threads
that each wait for their call's end before they take the next, as a worker without our state machine would; it is given
so many jobs that it works for three rounds. The ratio is of jobs finished per second.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from uuid import uuid4

CONCURRENCY = 8


def serve(seconds: float) -> None:
    """A stand-in whose calls take so long; prints its addresses, and ends when its input does."""
    from sandbox.providers.meshy import MeshySimulator

    with MeshySimulator() as running:
        running.behaviour.seconds = seconds
        running.behaviour.mesh = sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))
        print(running.url, running.files, flush=True)
        sys.stdin.buffer.read()


def start_service(seconds: float, mesh: bytes) -> tuple[subprocess.Popen[bytes], str]:
    """The stand-in in a process of its own, and what MESHY_URL has to be."""
    service = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.in_flight", "--serve", str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert service.stdin is not None
    assert service.stdout is not None
    service.stdin.write(f"{len(mesh)}\n".encode() + mesh)
    service.stdin.flush()
    return service, service.stdout.readline().decode().strip()


def cut_out() -> bytes:
    """A cut-out as ``prepare`` leaves it."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGBA", (600, 520))
    ImageDraw.Draw(picture).ellipse((40, 40, 560, 480), fill=(180, 60, 40, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def stand_ready(count: int) -> None:
    """So many jobs of one person before their provider, their credits held."""
    from datetime import timedelta

    from django.utils import timezone

    from accounts.models import User
    from billing import ledger
    from generation.models import Job
    from privacy import vault

    owner = User.objects.create_user("owner@example.com")
    ledger.grant(user=owner, credits=100 * count, key="benchmark", reason="benchmark")
    picture, later = cut_out(), timezone.now() + timedelta(hours=1)
    for _ in range(count):
        job_id = uuid4()
        blob = vault.seal([picture], kind="source", group=job_id, limit=10_000_000)
        Job.objects.create(
            id=job_id, owner=owner, quality="draft", provider_wish="meshy", credits=6, stage=Job.Stage.DISPATCH,
            queue="default", sources={"front": str(blob.pk)}, created_at=timezone.now(), due_at=later,
            deadline_at=later,
        )  # fmt: skip
        ledger.hold(user=owner, credits=6, job=job_id)


def held(count: int, worker: int) -> None:
    """Let the jobs go, watch them to their end, print the figures."""
    from django.utils import timezone

    from generation import pipeline
    from generation.models import Attempt, Event, Job

    Job.objects.update(due_at=timezone.now())
    for job in Job.objects.all():
        pipeline.enqueue(job)
    began, most = time.monotonic(), 0
    while Job.objects.exclude(stage__in=(Job.Stage.DELIVER, Job.Stage.PURGE, Job.Stage.OVER)).exists():
        most = max(most, Attempt.objects.filter(state=Attempt.State.RUNNING).count())
        if time.monotonic() - began > 900:
            raise SystemExit("The jobs do not end.")
        time.sleep(0.5)
    spent = time.monotonic() - began
    done = Job.objects.filter(stage=Job.Stage.DELIVER)
    sent = dict(Event.objects.filter(code="sent").values_list("job_id", "at"))
    took = sorted((job.ready_at - sent[job.pk]).total_seconds() for job in done if job.ready_at)
    polls = sum(Attempt.objects.values_list("polls", flat=True))
    peak = next(line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(f"jobs ready {len(took)} of {count}, in flight at once {most}, {polls / count:.1f} polls each")
    print(f"from submission to ready: median {median(took):.1f} s, 95 % {took[int(0.95 * len(took))]:.1f} s, "
          f"last {took[-1]:.1f} s")  # fmt: skip
    print(f"all within {spent:.1f} s; worker's peak memory {int(peak.split()[1]) / 1000:.0f} MB")
    blocking_rate = blocked(CONCURRENCY * 3)
    print(f"jobs per minute: {60 * count / spent:.1f}; waiting for each call {60 * blocking_rate:.1f}; "
          f"ratio {count / spent / blocking_rate:.1f}")  # fmt: skip


def blocked(count: int) -> float:
    """Jobs per second of threads that each wait for their call: submit, poll, fetch, erase."""
    from generation import registry
    from generation.provider import Brief, Finished, Pending, Remote

    provider, picture = registry.get("meshy"), cut_out()

    def one(_: int) -> int:
        call = provider.submit(Brief(images={"front": picture}, quality="draft", key=uuid4().hex))
        assert isinstance(call, Remote)
        while isinstance(answer := provider.poll(call), Pending):
            time.sleep(1.0)
        assert isinstance(answer, Finished)
        size = sum(len(chunk) for chunk in provider.fetch(call))
        provider.erase(call)
        return size

    began = time.monotonic()
    with ThreadPoolExecutor(CONCURRENCY) as crowd:
        assert all(crowd.map(one, range(count)))
    return count / (time.monotonic() - began)


def main() -> None:
    """Start everything, measure, stop everything."""
    if sys.argv[1:2] == ["--serve"]:
        serve(float(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0

    import django
    import trimesh

    from tests import services  # starts Postgres and Valkey, and sets the environment

    mesh = bytes(trimesh.creation.icosphere(subdivisions=4).export(file_type="glb"))
    service, address = start_service(seconds, mesh)
    os.environ |= {"PROVIDERS": "meshy", "MESHY_API_KEY": "test-key", "MESHY_URL": address}
    os.environ["PROVIDER_SLOTS"] = "meshy:100000"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    stand_ready(count)
    log = (services.FOLDER / "worker.log").open("wb")
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-q", "-A", "modelmyimage", "worker", "-Q", "default,privacy", "-P", "threads",
         "-c", str(CONCURRENCY), "-B", "-s", str(services.FOLDER / "beat"), "-l", "WARNING",
         "--without-gossip", "--without-mingle", "--without-heartbeat"],
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        time.sleep(4)
        held(count, worker.pid)
    finally:
        worker.terminate()
        worker.wait(20)
        assert service.stdin is not None
        service.stdin.close()
        service.wait(10)
        print((services.FOLDER / "worker.log").read_text()[-2000:], file=sys.stderr)


if __name__ == "__main__":
    main()
