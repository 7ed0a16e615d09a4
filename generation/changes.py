"""Whoever waits for a job is told when it changes, and need not ask the database over and over.

A change is told by a message with the job's id, once it is committed (Valkey's PUBLISH, on the cache's server), on one
of two channels: ``PROGRESS`` where it only got further, so that who waits for its end need not look. Each web process
listens once, in a thread of its own, from its first waiting request on. A message is a reason to look and
nothing more: whoever waits looks by itself, too, every ``RARELY_SECONDS`` in case one was lost, and every
``LOOK_SECONDS`` while the server is away.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Final
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from redis.client import PubSub

CHANNEL: Final = "jobs:changed"
PROGRESS: Final = "jobs:progress"
CHANNELS: Final = (CHANNEL, PROGRESS)
LOOK_SECONDS: Final = 2.0
"""How often to look while nothing can be told."""
RARELY_SECONDS: Final = 5.0
"""How often to look without having been told, though one would have been: a message may be lost on its way there."""
AGAIN_SECONDS: Final = 1.0
"""How soon to listen again after the server went away."""
SILENCE_SECONDS: Final = 15.0
"""A connection that is silent for so long is tried by a ping."""


def tell(job_id: UUID, *, progress: bool = False) -> None:
    """Tell whoever waits for the job that it changed, once the present transaction is committed. Never raises.

    ``progress``: it is neither ready nor over, and nobody asked for anything: it only got further.
    """
    transaction.on_commit(partial(_publish, job_id, PROGRESS if progress else CHANNEL), robust=True)


def _publish(job_id: UUID, channel: str = CHANNEL) -> None:
    with suppress(redis.RedisError):  # they look by themselves
        _speaking(settings.CACHES["default"]["LOCATION"]).publish(channel, job_id.bytes)


class Change:
    """What one request waits for. Only for the event loop that made it."""

    def __init__(self, listener: _Listener, *, progress: bool) -> None:
        self._listener = listener
        self.progress = progress
        """Whether it waits for each step."""
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Come back when it is time to look; whether that is because something was told.

        It is time when the job may have changed since the last look, when one has to look by oneself, and after
        ``seconds``.
        """
        often = RARELY_SECONDS if self._listener.hears else LOOK_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), min(seconds, often))
        told = self._event.is_set()
        self._event.clear()
        return told

    def ring(self) -> None:
        """End the wait, from any thread."""
        with suppress(RuntimeError):  # its loop has ended
            self._loop.call_soon_threadsafe(self._event.set)


@contextmanager
def of(job_id: UUID, *, progress: bool = True) -> Iterator[Change]:
    """The job's changes from here on: enter this, then look, then wait, so that none is missed.

    Without ``progress``, steps by which it only gets further are none.
    """
    listener = _listener(settings.CACHES["default"]["LOCATION"])
    change = Change(listener, progress=progress)
    listener.add(job_id, change)
    try:
        yield change
    finally:
        listener.remove(job_id, change)


class _Listener:
    """The one subscription of this process, and who waits for which job."""

    def __init__(self, url: str) -> None:
        # A socket that may be silent: what is dead is found by the pings.
        self._client = redis.Redis.from_url(url, socket_connect_timeout=2.0, health_check_interval=SILENCE_SECONDS)
        self._lock = threading.Lock()
        self._waiting: dict[UUID, set[Change]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self.hears = False
        """Whether what is told would be heard."""

    def add(self, job_id: UUID, change: Change) -> None:
        with self._lock:
            self._waiting[job_id].add(change)
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="job changes", daemon=True)
                self._thread.start()

    def remove(self, job_id: UUID, change: Change) -> None:
        with self._lock:
            self._waiting[job_id].discard(change)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def _listen(self) -> None:
        while True:
            with suppress(redis.RedisError, OSError), PubSub(self._client.connection_pool) as subscription:
                subscription.subscribe(*CHANNELS)
                while True:
                    message = subscription.get_message(timeout=SILENCE_SECONDS)
                    if message is not None:
                        self._heard(message["type"], message["channel"].decode(), message["data"])
            if self.hears:
                self.hears = False
                self._ring_all()  # from here on they look by themselves
            time.sleep(AGAIN_SECONDS)

    def _heard(self, kind: str, channel: str, data: bytes | int) -> None:
        if kind == "message":
            assert isinstance(data, bytes)
            with self._lock:
                ringing = list(self._waiting.get(UUID(bytes=data), ()))
            for change in ringing:
                if change.progress or channel != PROGRESS:
                    change.ring()
        elif data == len(CHANNELS):  # that many are subscribed to now
            self.hears = True
            self._ring_all()  # what was told before may have been missed

    def _ring_all(self) -> None:
        with self._lock:
            ringing = [change for changes in self._waiting.values() for change in changes]
        for change in ringing:
            change.ring()


@cache
def _speaking(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)


@cache
def _listener(url: str) -> _Listener:
    return _Listener(url)
