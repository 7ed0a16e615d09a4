"""What waiting jobs cost: a message, a poll, a look at an asset that nobody has fetched, and the tick that finds them.

A poll and a look are steps of the real pipeline, run by this thread, of jobs at a stand-in for Hunyuan3D; a message is
what a real worker spends on one that finds nothing to do.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from benchmarks.capacity.bounds.servers import cpu_of_all, cpu_seconds
from scripts.stack.native import Stack

PROVIDER = "hunyuan3d"
STEPS = 150
MESSAGES = 1500
FLIGHTS = (1_000, 10_000, 100_000)
DUE = 1000


def jobs(count: int, **fields: Any) -> list[Any]:
    """So many jobs of one person, due in an hour unless the fields say otherwise."""
    from django.utils import timezone

    from accounts.models import User
    from generation.models import Job

    owner, _ = User.objects.get_or_create(email="waits@example.com")
    now = timezone.now()
    usual = {"quality": "standard", "credits": 1, "queue": "default", "created_at": now,
             "due_at": now + timedelta(hours=1), "deadline_at": now + timedelta(hours=2)}  # fmt: skip
    return Job.objects.bulk_create((Job(id=uuid4(), owner=owner, **{**usual, **fields}) for _ in range(count)), 2000)


def steps(stack: Stack) -> dict[str, float]:
    """Processor seconds of this thread and of Postgres for one poll and for one look."""
    from django.utils import timezone

    from generation.models import Attempt, Job
    from privacy import vault

    assert stack.database is not None
    now = timezone.now()
    polled = jobs(STEPS, stage=Job.Stage.WATCH, provider=PROVIDER, due_at=now)
    Attempt.objects.bulk_create(
        Attempt(job=job, number=1, provider=PROVIDER, state="running", started_at=now, key=uuid4(),
                remote_id=str(uuid4()), remote={})
        for job in polled
    )  # fmt: skip
    looked = jobs(STEPS, stage=Job.Stage.DELIVER, due_at=now, asset_expires_at=now + timedelta(hours=1))
    for job in looked:
        job.asset_id = vault.seal([b"glTF"], kind="asset", group=job.pk, limit=10).pk
    Job.objects.bulk_update(looked, ["asset_id"])
    found: dict[str, float] = {}
    for name, which in (("poll", polled), ("look", looked)):
        before = transactions()
        ours, postgres = _advanced(which, stack.database.pid)
        found |= {f"{name}_cpu_seconds": ours, f"{name}_postgres_cpu_seconds": postgres,
                  f"{name}_transactions": (transactions() - before) / STEPS}  # fmt: skip
    assert not Job.objects.filter(pk__in=[job.pk for job in polled]).exclude(stage=Job.Stage.WATCH).exists()
    assert not Job.objects.filter(pk__in=[job.pk for job in looked]).exclude(stage=Job.Stage.DELIVER).exists()
    Job.objects.all().update(stage=Job.Stage.OVER)
    return found


def transactions() -> int:
    """How many Postgres has committed; it is told of them with a delay of up to a second."""
    from django.db import connection

    connection.close()
    time.sleep(1.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        (found,) = cursor.fetchone()
    return int(found)


def _advanced(which: Iterable[Any], postgres: int) -> tuple[float, float]:
    from django.db import close_old_connections

    from generation import pipeline

    some = list(which)
    before, theirs = time.thread_time(), cpu_of_all(postgres)
    for job in some:
        pipeline.advance(job.pk, most=pipeline.STEPS_AT_ONCE)
    ours, theirs = time.thread_time() - before, cpu_of_all(postgres) - theirs
    close_old_connections()
    return ours / len(some), theirs / len(some)


def ticks() -> dict[str, float]:
    """Seconds of a sweep that finds nothing due among so many jobs in flight, and jobs woken a second by a full one."""
    from django.db import connection
    from django.utils import timezone

    from generation import pipeline
    from generation.models import Job

    found: dict[str, float] = {}
    present = 0
    for count in FLIGHTS:
        jobs(count - present, stage=Job.Stage.DELIVER)
        present = count
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE generation_job")
        times = []
        for _ in range(5):
            began = time.perf_counter()
            assert pipeline.sweep() == 0
            times.append(time.perf_counter() - began)
        found[f"idle_sweep_ms_{count}"] = 1000 * sorted(times)[2]
        due = list(Job.objects.exclude(stage=Job.Stage.OVER).values_list("pk", flat=True)[:DUE])
        Job.objects.filter(pk__in=due).update(due_at=timezone.now(), nudged_at=None)
        began, woken = time.perf_counter(), 0
        while some := pipeline.sweep():
            woken += some
        assert woken == DUE, woken
        found[f"woken_per_second_{count}"] = woken / (time.perf_counter() - began)
        Job.objects.filter(pk__in=due).update(due_at=timezone.now() + timedelta(hours=1))
    Job.objects.all().update(stage=Job.Stage.OVER)
    return found


def messages(stack: Stack) -> dict[str, float]:
    """Processor seconds of a worker, and of its broker, for a message about a job that is not there."""
    from generation.tasks import advance
    from modelmyimage.celery import app

    app.control.purge()
    broker = stack.running["broker"].process
    assert broker is not None
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-q", "-A", "modelmyimage", "worker", "-Q", "default", "-P", "threads",
         "-c", "16", "--without-gossip", "--without-mingle"],
    )  # fmt: skip
    try:
        _drained(advance, 50)
        before, theirs, began = cpu_seconds(worker.pid), cpu_seconds(broker.pid), time.perf_counter()
        _drained(advance, MESSAGES)
        spent = time.perf_counter() - began
        ours, theirs = cpu_seconds(worker.pid) - before, cpu_seconds(broker.pid) - theirs
    finally:
        worker.terminate()
        worker.wait(30)
    return {"message_cpu_seconds": ours / MESSAGES, "message_broker_cpu_seconds": theirs / MESSAGES,
            "messages_per_second_of_a_worker": MESSAGES / spent}  # fmt: skip


def _drained(task: Any, count: int) -> None:
    """Send so many, and wait until none is left: the queue's lists and what is taken but not done."""
    import redis
    from django.conf import settings

    client = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    for _ in range(count):
        task.apply_async([str(uuid4())], queue="default")
    while client.llen("default") or client.hlen("unacked"):
        time.sleep(0.01)
