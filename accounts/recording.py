"""Each request that a working key makes becomes one line, written beside the requests and never by one.

A request costs an append to a list in memory. A thread of the process writes what has come together, once a second or
when there is a batch. A clean stop writes what is left; a crash loses at most the last second. While the database is
away, lines wait, up to ``MOST``; beyond that they are counted and lost, since calls matter more than their record.

A line's id is made with it, so a batch whose fate is unknown (the connection broke as it was committed) can be written
again and still counts once. There are no lines of requests without a working key: they are nobody's. Nor are there of
those that are turned away before the key is looked up, because it asks too often: that has to cost nothing.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import IntegrityError, InterfaceError, OperationalError, close_old_connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AccessKey, ApiCall, User

logger = logging.getLogger(__name__)

BATCH: Final = 500
"""So many lines are written at a time, and are not waited for any longer."""
EVERY_SECONDS: Final = 1.0
MOST: Final = 100_000
"""Lines that wait at most; some 40 MB."""
LAST_SECONDS: Final = 2.0
"""How long a clean stop goes on trying when the database does not take what is left."""

WENT_AWAY: Final = 499
"""The status of a request whose sender was gone before there was an answer."""
PLACE: Final = "modelmyimage.call"
"""Where a request's ASGI scope has its ``Call``."""
LONGEST_MS: Final = 2**31 - 1
VARIABLE: Final = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(slots=True)
class Call:
    """What is known of a request while it runs; of one without an owner nothing is kept."""

    owner_id: int | None = None
    access_key: UUID | None = None
    endpoint: str = ""
    job: UUID | None = None
    status: int = WENT_AWAY
    bytes_in: int = 0
    bytes_out: int = 0
    at: datetime = field(default_factory=timezone.now)
    began: float = field(default_factory=time.perf_counter)

    def line(self) -> ApiCall:
        """What is written of it, now that it is over; of one with an owner."""
        assert self.owner_id is not None
        assert self.access_key is not None
        return ApiCall(
            id=uuid4(),
            owner_id=self.owner_id,
            access_key=self.access_key,
            at=self.at,
            endpoint=self.endpoint,
            status=self.status,
            ms=min(LONGEST_MS, round(1000 * (time.perf_counter() - self.began))),
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            job=self.job if self.status != 404 else None,  # what is not there is not written down
        )


def of(request: HttpRequest) -> Call:
    """The request's ``Call``; one that nobody keeps where requests are not recorded."""
    scope: dict[str, Any] = getattr(request, "scope", {})
    call: Call = scope.get(PLACE) or Call()
    return call


def note_key(request: HttpRequest, key: AccessKey) -> None:
    """From here on the request is that key's, and is recorded."""
    call = of(request)
    call.owner_id, call.access_key = key.owner_id, key.pk
    match = request.resolver_match
    if match is not None:
        path = VARIABLE.sub(r"{\1}", match.route.removeprefix("api/v1"))
        call.endpoint = f"{request.method} {path}"[: ApiCall._meta.get_field("endpoint").max_length]
        with suppress(ValueError):  # the view will say that it is no number of a job
            call.job = UUID(str(match.kwargs.get("job_id")))


def note_job(request: HttpRequest, job_id: UUID) -> None:
    """The request is about this job."""
    of(request).job = job_id


class Recorder:
    """Lines that wait, and the thread that writes them. Until ``start``, lines only wait."""

    def __init__(self) -> None:
        self._waiting: deque[ApiCall] = deque()  # added on the right by requests, taken on the left by the thread
        self._lost = 0
        self._counting = threading.Lock()
        self._enough = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, line: ApiCall) -> None:
        """Take a line. Neither waits nor fails."""
        if len(self._waiting) >= MOST:
            self._lose(1)
            return
        self._waiting.append(line)
        if len(self._waiting) >= BATCH:
            self._enough.set()

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="request log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end. Lines that the database does not take in ``LAST_SECONDS`` are lost."""
        self._stopping.set()
        self._enough.set()
        if self._thread is not None:
            self._thread.join(LAST_SECONDS + 1)
        self._lose(len(self._waiting))
        self._waiting.clear()
        self._tell()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._enough.wait(EVERY_SECONDS)
            self._enough.clear()
            if not self._write():
                self._stopping.wait(EVERY_SECONDS)
        ends = time.monotonic() + LAST_SECONDS
        while not self._write() and time.monotonic() < ends:
            time.sleep(0.1)

    def _write(self) -> bool:
        """Write all that waits; whether the database took it."""
        try:
            while self._waiting:
                batch = [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]
                if not self._written(batch):
                    return False
                for _ in batch:
                    self._waiting.popleft()
        finally:
            close_old_connections()
        self._tell()
        return True

    def _written(self, batch: list[ApiCall]) -> bool:
        try:
            _insert(batch)
        except (OperationalError, InterfaceError):
            return False
        except Exception:  # not for now but for good: a batch that no database takes must not stop all others
            logger.exception("a batch of the request log cannot be written")
            self._lose(len(batch))
        return True

    def _lose(self, lines: int) -> None:
        with self._counting:
            self._lost += lines

    def _tell(self) -> None:
        with self._counting:
            lost, self._lost = self._lost, 0
        if lost:
            logger.error("lines of the request log were lost", extra={"count": lost})


def _insert(batch: list[ApiCall]) -> None:
    try:
        ApiCall.objects.bulk_create(batch, ignore_conflicts=True)
    except IntegrityError:  # somebody's account went while their lines waited; so do these
        owners = {line.owner_id for line in batch}
        there = set(User.objects.filter(pk__in=owners).values_list("pk", flat=True))
        ApiCall.objects.bulk_create([line for line in batch if line.owner_id in there], ignore_conflicts=True)


def before(moment: datetime) -> QuerySet[ApiCall]:
    """Calls that were made before."""
    return ApiCall.objects.filter(at__lt=moment)
