"""One look for all pages that are open: a process asks the database once, every little while, for all that it follows.

Whoever shows a job says which row it has shown (``version``) and waits until the row is another one. So an open page
costs next to nothing while nothing happens, and holds no connection: the looks of all have one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connection

from generation.models import Job

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.4
UNSEEN: Final = frozenset({"due_at", "deadline_at", "lease_until", "nudged_at", "stage_tries"})
"""Columns that change without anything to show."""
FIELDS: Final = tuple(field.attname for field in Job._meta.concrete_fields if field.attname not in UNSEEN)
LOOKS: Final = ThreadPoolExecutor(1, thread_name_prefix="following")
"""One thread, so one connection, however many pages are open."""

Version = tuple[Any, ...]


def version(job: Job) -> Version:
    """The row as somebody shows it."""
    return tuple(getattr(job, name) for name in FIELDS)


class Change:
    """What one page waits for."""

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        self.shown: Version | None = None
        self.happened = asyncio.Event()

    async def wait(self, shown: Version, seconds: float) -> None:
        """Return once the row is not ``shown`` any more or cannot be read; after ``seconds`` at the latest."""
        self.shown = shown
        self.happened.clear()
        try:
            await asyncio.wait_for(self.happened.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self.shown = None


class Lookout:
    """The pages of one event loop, and the task that looks for them while there are any."""

    def __init__(self) -> None:
        self.changes: set[Change] = set()
        self.task: asyncio.Task[None] | None = None

    def add(self, change: Change) -> None:
        """Look for this one, too."""
        self.changes.add(change)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self.changes:
                waiting = [change for change in self.changes if change.shown is not None]
                if waiting:
                    rows = await loop.run_in_executor(LOOKS, _rows, {change.job_id for change in waiting})
                    for change in waiting:
                        if rows is None or (change.shown is not None and rows.get(change.job_id) != change.shown):
                            change.happened.set()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            LOOKS.submit(_close)


def _rows(job_ids: set[UUID]) -> dict[UUID, Version] | None:
    """The rows by job; ``None`` when the database does not answer: whoever asks it next finds out why."""
    try:
        return {row[0]: row[1:] for row in Job.objects.filter(pk__in=job_ids).values_list("pk", *FIELDS)}
    except DatabaseError as error:
        logger.warning("the database did not answer", extra={"error": type(error).__name__})
        connection.close()
        return None


def _close() -> None:
    """Give the looks' connection back. A function, since a connection is that of the thread that names it."""
    connection.close()


_LOOKOUTS: WeakKeyDictionary[asyncio.AbstractEventLoop, Lookout] = WeakKeyDictionary()


@asynccontextmanager
async def following(job_id: UUID) -> AsyncIterator[Change]:
    """Have a job looked after until the context ends."""
    lookout = _LOOKOUTS.setdefault(asyncio.get_running_loop(), Lookout())
    change = Change(job_id)
    lookout.add(change)
    try:
        yield change
    finally:
        lookout.changes.discard(change)
