"""Real Celery workers that kill themselves, and all they started, at points of a job's way laid down in advance.

``CRASH_PLAN`` names a folder with ``plan.json``: ``{job id: [stage, point]}``. Each crash happens once: the worker
leaves a file named after the job before it goes. Points: ``start`` (claimed, nothing done), ``middle`` (the stage's
outside effect is done, nothing saved), ``end`` (all done, nothing saved), ``saved`` (saved, no message sent, the next
step not begun).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any
from uuid import UUID

FOLDER = Path(os.environ["CRASH_PLAN"])
here = threading.local()


def crash_if(job_id: UUID, stage: str, point: str) -> None:
    """SIGKILL for the whole process group, if the plan says so and it has not happened yet."""
    plan = json.loads((FOLDER / "plan.json").read_text())
    if plan.get(str(job_id)) != [stage, point]:
        return
    marker = FOLDER / str(job_id)
    if not marker.exists():
        marker.touch()
        os.killpg(0, signal.SIGKILL)


def after(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
    """The function, with a crash after its effect when it is called from that stage."""

    @wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        if getattr(here, "stage", None) == stage:
            crash_if(here.job, stage, "middle")
        return result

    return wrapped


def around(stage: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The stage, with crashes before and after."""

    def wrapped(job: Any) -> Any:
        here.job, here.stage = job.pk, stage
        try:
            crash_if(job.pk, stage, "start")
            step = function(job)
            crash_if(job.pk, stage, "end")
            return step
        finally:
            here.stage = None

    return wrapped


def install() -> None:
    """Put the crashes in."""
    from django.db import transaction

    from billing import ledger
    from generation import delivery, engine, leases, pipeline
    from generation.engine import mask
    from generation.providers.meshy import Meshy
    from privacy import receipts, vault
    from sandbox.providers.scripted import Scripted
    from tests.generation.seen import remembering

    vars(mask)["saliency"] = remembering(FOLDER / "seen")
    for stage, function in list(pipeline.STAGES.items()):
        pipeline.STAGES[stage] = around(str(stage), function)
    sealed = vault.seal
    vault.seal = after(after(after(sealed, "prepare"), "inspect"), "collect")
    for kind in (Scripted, Meshy):
        kind.submit = after(kind.submit, "dispatch")  # type: ignore[method-assign]  # dies in it
        kind.poll = after(kind.poll, "watch")  # type: ignore[method-assign]  # dies in it
    engine.reconstruct = after(engine.reconstruct, "dispatch")
    ledger.capture = after(ledger.capture, "settle")
    vault.readable = after(vault.readable, "deliver")
    vars(delivery)["LOOK_AGAIN_SECONDS"] = 1.0
    receipts.issue = after(receipts.issue, "purge")
    given_back, gone_on = leases.give_back, leases.go_on

    def go_on(job: Any) -> None:
        before = type(job).objects.get(pk=job.pk).stage
        gone_on(job)
        transaction.on_commit(lambda: crash_if(job.pk, before, "saved"))

    leases.go_on = go_on

    def give_back(job: Any, *, wait: float) -> float:
        before = here.last = type(job).objects.get(pk=job.pk).stage
        result = given_back(job, wait=wait)
        transaction.on_commit(lambda: crash_if(job.pk, before, "saved"))
        return result

    leases.give_back = give_back


def end_with(child: int, *_: object) -> None:
    """Told to stop: the present worker goes first."""
    os.killpg(child, signal.SIGKILL)
    os._exit(0)


def work_forever(name: str, options: list[str]) -> None:
    """Run one worker after another, each forked from this process, as long as each is ended by its SIGKILL.

    What takes a worker two seconds to start is imported here, once; nothing is connected before the fork but the
    server of confined processes, which takes as long and holds nothing of a job: each worker goes on with the same.
    """
    from generation import confined
    from modelmyimage.celery import app

    app.loader.import_default_modules()
    install()
    confined._server._connected()
    while True:
        child = os.fork()
        if not child:
            os.setsid()
            confined._server._owner = os.getpid()
            alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]  # as the site starts its own
            app.worker_main(
                ["worker", "-Q", "default,engine,privacy", "-P", "solo", "-l", "ERROR", "-n", name, *alone, *options]
            )
            os._exit(1)
        signal.signal(signal.SIGTERM, partial(end_with, child))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"a worker ended by itself: {status}")


if __name__ == "__main__":
    work_forever(sys.argv[1], sys.argv[2:])
