"""A job's live updates as server-sent events: the present state at once, then each change until the end."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from generation.following import Version, following, version
from generation.models import Job
from generation.snapshot import queue_position, snapshot

HEARTBEAT_SECONDS = 15.0
IN_LINE_SECONDS = 2.0
"""A place in line changes with other jobs than one's own."""
LONGEST_SECONDS = 600.0
"""After this the browser connects again, and is asked again who it is."""


async def stream(job_id: UUID, show: Callable[[Job], dict[str, Any]] = snapshot) -> AsyncIterator[str]:
    """Events for one job; whoever calls has checked that the job is the asker's. Ends with the job."""
    yield "retry: 2000\n\n"
    began = spoke = time.monotonic()
    last = ""
    async with following(job_id) as change:
        while time.monotonic() - began < LONGEST_SECONDS:
            state = await sync_to_async(_state)(job_id, show)
            if state is None:
                return
            data, seen, often, final = state
            if data != last:
                yield f"event: state\ndata: {data}\n\n"
                last, spoke = data, time.monotonic()
            elif time.monotonic() - spoke > HEARTBEAT_SECONDS - 1:
                yield ": still here\n\n"
                spoke = time.monotonic()
            if final:
                return
            await change.wait(seen, min(often, max(0.0, began + LONGEST_SECONDS - time.monotonic())))


def _state(job_id: UUID, show: Callable[[Job], dict[str, Any]]) -> tuple[str, Version, float, bool] | None:
    """What to send, the row it is of, after how many seconds to show it anew though that is the same, and the end."""
    try:
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            return None
        shown = show(job)
        often = IN_LINE_SECONDS if queue_position(job) else HEARTBEAT_SECONDS
    finally:
        close_old_connections()  # a page that is only open must not hold one
    return json.dumps(shown, default=str), version(job), often, job.stage == Job.Stage.OVER
