"""Events on their way to the site: signed, sent by a thread of their own, tried again, and led astray on request."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from stripe import WebhookSignature

from sandbox.stripe.shapes import Json

Mode = Literal["in_order", "shuffled", "duplicated", "delayed", "dropped"]
MODES: dict[Mode, str] = {
    "in_order": "in order",
    "shuffled": "shuffled",
    "duplicated": "each twice, shuffled",
    "delayed": "kept until told",
    "dropped": "lost",
}
Target = str | Callable[[bytes, str], int | None]
"""Where events go: an address, or a function of the body and the signature that returns an HTTP status (none: 200)."""

RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""How long after each failure an event is sent again. Stripe takes days over this."""
SHUFFLE_SECONDS = 0.1
ANSWER_SECONDS = 30.0


@dataclass
class Sending:
    """One event to be sent once more. ``due`` by the monotonic clock."""

    event: Json
    due: float
    failures: int = 0


class Hooks:
    """Delivery. ``mode`` may be changed at any time; it holds for events that happen from then on."""

    def __init__(self, *, secret: str, target: Target | None, rng: random.Random, mode: Mode = "in_order") -> None:
        self.secret, self.target, self.mode, self._rng = secret, target, mode, rng
        self.retry_seconds: tuple[float, ...] = RETRY_SECONDS
        self.clock: Callable[[], float] = time.time
        """The time that signatures carry: the receiver's, not the movable one."""
        self.after_sending: Callable[[], None] = lambda: None
        """Called by the thread that sends, after each event."""
        self.kept: list[Json] = []
        """Events held back by the mode "delayed", oldest first."""
        self.sent: list[tuple[str, int]] = []
        """What was sent: the event's id and the status of the answer, 0 for none."""
        self._queue: list[Sending] = []
        self._busy: list[Sending] = []
        """The one that is being sent, not known yet to have arrived."""
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def take(self, event: Json) -> None:
        """Send a new event, as the mode says."""
        if self.target is None or self.mode == "dropped":
            return
        event["pending_webhooks"] = 1
        if self.mode == "delayed":
            self.keep(event)
            return
        for _ in range(2 if self.mode == "duplicated" else 1):
            late = self._rng.uniform(0, SHUFFLE_SECONDS) if self.mode in ("shuffled", "duplicated") else 0.0
            self.queue(event, late)

    def keep(self, event: Json) -> None:
        """Hold an event back until ``deliver`` or ``release``."""
        with self._changed:
            self.kept.append(event)

    def queue(self, event: Json, late: float = 0.0) -> None:
        """Have the thread send an event, so many seconds from now, whatever the mode."""
        if self.target is None:
            return
        with self._changed:
            self._queue.append(Sending(event, time.monotonic() + late))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def release(self) -> None:
        """Have the thread send all that are kept."""
        with self._changed:
            kept, self.kept = self.kept, []
        for event in kept:
            self.queue(event)

    def deliver(self, event: Json | None = None, *, twice: bool = False, shuffled: bool = False) -> list[int]:
        """Send an event now, in this thread, whatever the mode; without one, all that are kept. Returns the statuses.

        What is refused is not tried again, and no longer kept.
        """
        with self._changed:
            chosen = [event] if event else list(self.kept)
            self.kept = [one for one in self.kept if all(one is not other for other in chosen)]
            chosen *= 2 if twice else 1
            if shuffled:
                self._rng.shuffle(chosen)
        return [self._send(one) for one in chosen]

    def idle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is on its way, retries included; returns whether that came true in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)

    def waiting(self) -> list[str]:
        """Ids of the events that are not delivered and not given up."""
        with self._changed:
            sending = [one.event["id"] for one in (*self._busy, *self._queue)]
            return list(dict.fromkeys([*sending, *(one["id"] for one in self.kept)]))

    def close(self) -> None:
        """Stop sending; what is on its way stays so, for who writes the state down."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(ANSWER_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._queue or self._next().due > time.monotonic()):
                    self._changed.wait(self._next().due - time.monotonic() if self._queue else None)
                if self._closed:
                    return
                sending = self._next()
                self._queue.remove(sending)
                self._busy = [sending]
            try:
                status = self._send(sending.event)
            except Exception:  # a receiver's own mistake: said, and answered as a site would
                traceback.print_exc()
                status = 500
            with self._changed:
                self._busy = []
                if not 200 <= status < 300 and sending.failures < len(self.retry_seconds):
                    sending.due = time.monotonic() + self.retry_seconds[sending.failures]
                    sending.failures += 1
                    self._queue.append(sending)
                self._changed.notify_all()
            self.after_sending()

    def _next(self) -> Sending:
        return min(self._queue, key=lambda one: one.due)

    def _send(self, event: Json) -> int:
        body = json.dumps(event | {"pending_webhooks": 1}, indent=2)
        signature = WebhookSignature.generate_signature_header(body, self.secret, int(self.clock()))
        try:
            status = self._hand_over(body.encode(), signature)
        except (OSError, http.client.HTTPException):
            status = 0
        if 200 <= status < 300:
            event["pending_webhooks"] = 0
        self.sent.append((event["id"], status))
        return status

    def _hand_over(self, body: bytes, signature: str) -> int:
        if callable(self.target):
            status = self.target(body, signature)
            return 200 if status is None else status
        assert self.target is not None
        parts = urlsplit(self.target)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=ANSWER_SECONDS)
        try:
            headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
            connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
