"""``POST /generate``: the asset is the answer to the request that brought the photo, and it is never kept for later.

A direct job costs something only if its whole asset was handed to the network. While its request is open, that alone
may end it: with the last byte sent it is acknowledged (``whole``), and with anything else (the client goes away, the
time is up, the job fails) it is cancelled, and ``delivery`` gives the credits back although they were taken when the
asset was ready. Should this very process die, the asset's own time ends it within minutes, as unsaved, and unpaid.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.utils import timezone

from accounts.problems import Problem
from generation import api_problems, changes, failures, pipeline
from generation.models import Job

SECONDS: Final = 300.0
"""How long a request waits for its model."""
PIECE: Final = 64 * 1024
"""Sent at a time. The server lets the next one wait until the one before has left it, so the last says much."""


class Open:
    """A direct job and the request that waits for it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.settled = False

    async def ready(self) -> Job:
        """The job, with its asset to be sent. Raises ``Problem``: ``job_failed``, ``too_slow``."""
        ends = time.monotonic() + SECONDS
        with changes.of(self.job.pk, progress=False) as change:
            while (left := ends - time.monotonic()) > 0:
                job = await sync_to_async(_look)(self.job)
                if job.outcome or job.cancel_requested_at:
                    failure = job.failure or job.outcome or "cancelled"
                    said = failures.failure(job.failure) if job.failure else ""
                    raise Problem(api_problems.JOB_FAILED, said, failure=failure, job=str(job.pk))
                if job.stage == Job.Stage.DELIVER:
                    return job
                await change.wait(left)
        raise Problem(api_problems.TOO_SLOW, job=str(self.job.pk))

    async def send(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The asset in pieces; when the last one is gone, the job is paid for and everything is destroyed."""
        ends = self.job.asset_expires_at
        try:
            async for chunk in chunks:
                for start in range(0, len(chunk), PIECE):
                    if ends is not None and timezone.now() >= ends:
                        return  # too slow a reader: the answer stays short of its length, and costs nothing
                    yield chunk[start : start + PIECE]
            yield b""  # comes back only when the server has room again: the last piece has left it
            self.settled = True
            await _beside(whole, self.job)
        finally:
            await chunks.aclose()
            await self.close()

    async def close(self) -> None:
        """The request is over: if its asset was not sent whole, the job is cancelled and costs nothing."""
        if not self.settled:
            self.settled = True
            await _beside(abandon, self.job)

    def watch(self) -> None:
        """Close it with the task that answers the request, whatever ends that; some ends run no code of ours."""
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            task.add_done_callback(lambda _task: None if self.settled else _background(loop, self.close))


async def begin(take_in: Callable[[], tuple[Job, bool]]) -> Open:
    """Take the request's photo in. A client that goes away meanwhile leaves no job that nobody waits for."""
    beginning = asyncio.ensure_future(sync_to_async(take_in)())
    try:
        job, _new = await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with suppress(Problem):
            job, _new = await beginning
            await Open(job).close()
        raise
    return Open(job)


def whole(job: Job) -> None:
    """Its asset was sent whole: it is paid for, and everything is destroyed."""
    mine = Job.objects.filter(pk=job.pk, outcome="", acknowledged_at=None, cancel_requested_at=None)
    if mine.update(acknowledged_at=timezone.now(), **pipeline.due_now()):
        pipeline.call_for(job)
    close_old_connections()


def abandon(job: Job) -> None:
    """Nobody waits for its asset any more: stop it, give the credits back, destroy everything."""
    mine = Job.objects.filter(pk=job.pk, outcome="", acknowledged_at=None, cancel_requested_at=None)
    if mine.update(cancel_requested_at=timezone.now(), **pipeline.due_now()):
        pipeline.call_for(job)
    close_old_connections()


def _look(job: Job) -> Job:
    try:
        return Job.objects.get(pk=job.pk)
    finally:
        close_old_connections()  # a request that only waits must not hold one


async def _beside(act: Callable[[Job], None], job: Job) -> None:
    """In a thread that outlives the request, whatever becomes of that."""
    await asyncio.shield(sync_to_async(act, thread_sensitive=False)(job))


_running: set[asyncio.Task[None]] = set()


def _background(loop: asyncio.AbstractEventLoop, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it in the loop, which holds tasks by weak references only."""
    if loop.is_closed():
        return
    task: asyncio.Task[None] = loop.create_task(close())
    _running.add(task)
    task.add_done_callback(_running.discard)
