"""A receiver on this machine, a clock to set, and workers whose messages arrive when a test says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from generation.models import Job, Webhook
from generation.notifications import delivering, outbox, subscribing
from generation.notifications.messages import KINDS
from modelmyimage.local.ports import spare_port

Answers = Callable[[dict[str, Any]], int]


class Receiver:
    """A program of a customer's, on a port of its own. It answers as it is told, or is not there at all."""

    def __init__(self) -> None:
        self.port = spare_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.answers: Answers = lambda message: 204
        self.location = self.retry_after = ""
        self.server: ThreadingHTTPServer | None = None

    def start(self) -> Receiver:
        """Be there from now on."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Remember and answer."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers(json.loads(body)))
                if receiver.location:
                    self.send_header("Location", receiver.location)
                if receiver.retry_after:
                    self.send_header("Retry-After", receiver.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Be gone: nothing listens."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def always(self, status: int) -> None:
        """Answer with this status from now on."""
        self.answers = lambda message: status

    def told(self) -> list[tuple[str, str]]:
        """Job and type of each message, in the order in which they came."""
        bodies = [json.loads(body) for _, body in self.seen]
        return [(body["data"].get("job", ""), body["type"]) for body in bodies]

    def ids(self) -> list[str]:
        """The id of each message."""
        return [headers["webhook-id"] for headers, _ in self.seen]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_LOOPBACK = True
    running = Receiver().start()
    yield running
    running.stop()


class Clock:
    """The site's time, which a test sets."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.real = now
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Instead of ``timezone.now``."""
        return self.real() + self.ahead


class Workers:
    """Everything that delivers, one message at a time, as fast as the clock is set."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.messages: list[tuple[datetime, UUID]] = []

    def publish(self, webhook_id: UUID, *, wait: float = 0.0) -> bool:
        """Instead of the broker."""
        self.messages.append((self.clock() + timedelta(seconds=wait), webhook_id))
        return True

    def work(self) -> None:
        """Sweep, and answer every message whose time has come."""
        delivering.sweep()
        while due := [message for message in self.messages if message[0] <= self.clock()]:
            self.messages.remove(due[0])
            delivering.deliver(due[0][1])

    def lease_runs_out(self) -> None:
        """So much time goes by, by the database's clock, too."""
        span = timedelta(seconds=settings.LEASE_SECONDS + 1)
        self.clock.ahead += span
        Webhook.objects.update(lease_until=F("lease_until") - span)

    def pass_time(self, span: timedelta, step: timedelta = timedelta(seconds=60)) -> None:
        """Let time go by, with a sweep at each step."""
        for _ in range(round(span / step)):
            self.clock.ahead += step
            self.work()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    clock = Clock(timezone.now)
    monkeypatch.setattr(timezone, "now", clock)
    found = Workers(clock)
    monkeypatch.setattr(delivering, "_publish", found.publish)
    return found


@pytest.fixture
def webhook(owner: User, receiver: Receiver) -> Webhook:
    """One that wants to hear of everything."""
    return subscribing.make(owner=owner, url=receiver.url, description="shop", kinds=list(KINDS))[0]


def make_job(owner: User, stage: str = Job.Stage.DELIVER, outcome: str = "", **fields: Any) -> Job:
    """A job that has come so far."""
    now = timezone.now()
    return Job.objects.create(
        owner=owner, stage=stage, outcome=outcome, created_at=now, due_at=now, deadline_at=now, **fields
    )


def come_to(job: Job, stage: str, outcome: str = "") -> None:
    """Let a job reach a stage, as the pipeline writes it down."""
    with transaction.atomic():
        job.stage, job.outcome = stage, outcome or job.outcome
        job.save(update_fields=["stage", "outcome"])
        outbox.record(job, stage)
