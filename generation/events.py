"""A job's live updates as server-sent events: the present state at once, then each change until the end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from generation import changes
from generation.models import Job
from generation.snapshot import queue_position, snapshot

GATHER_SECONDS = 0.1
"""Changes that come together are shown together: at least so long between two looks."""
HEARTBEAT_SECONDS = 15.0
IN_LINE_SECONDS = 2.0
"""How often to look at a job in line: its place changes with other jobs, of which it is not told."""
LONGEST_SECONDS = 600.0
"""After this the browser connects again, and is asked again who it is."""


async def stream(job_id: UUID, show: Callable[[Job], dict[str, Any]] = snapshot) -> AsyncIterator[str]:
    """Events for one job; whoever calls has checked that the job is the asker's. Ends with the job."""
    yield "retry: 2000\n\n"
    began = spoke = time.monotonic()
    last = ""
    with changes.of(job_id) as change:
        while time.monotonic() - began < LONGEST_SECONDS:
            state = await sync_to_async(_state)(job_id, show)
            if state is None:
                return
            data, often, final = state
            if data != last:
                yield f"event: state\ndata: {data}\n\n"
                last, spoke = data, time.monotonic()
            elif time.monotonic() - spoke > HEARTBEAT_SECONDS - 1:
                yield ": still here\n\n"
                spoke = time.monotonic()
            if final:
                return
            await asyncio.sleep(GATHER_SECONDS)
            await change.wait(min(often, max(0.0, began + LONGEST_SECONDS - time.monotonic())))


def _state(job_id: UUID, show: Callable[[Job], dict[str, Any]]) -> tuple[str, float, bool] | None:
    """What to send, after how many seconds to look again though nothing is told, and whether that is the end."""
    try:
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            return None
        shown = show(job)
        often = IN_LINE_SECONDS if queue_position(job) else HEARTBEAT_SECONDS
    finally:
        close_old_connections()  # a page that is only open must not hold one
    return json.dumps(shown, default=str), often, job.stage == Job.Stage.OVER
