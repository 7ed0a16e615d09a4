"""What can be asked of the site, as plans (``steps.py``): each request, what its answer means, and what follows it."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from modelmyimage.errors import JobEnded, NotConnected, TimedOut, Unreadable
from modelmyimage.events import EventReader
from modelmyimage.files import replacing
from modelmyimage.retrying import Patience, attempt, pause
from modelmyimage.shapes import (
    AccessKey,
    Balance,
    Job,
    JobPage,
    KeyPage,
    LinePage,
    Provider,
    ProviderPage,
    Receipt,
    Usage,
    Wishes,
    parse,
)
from modelmyimage.steps import Answer, Close, Emit, Part, Plan, Read, Request, Sleep
from modelmyimage.tags import Photo, photo_of

T = TypeVar("T")
Source = str | os.PathLike[str] | bytes | Photo
Target = str | os.PathLike[str]

BASE = "/api/v1"
KEYS = "/verify/keys.json"
WAIT_SECONDS = 30
LOOK_SECONDS = 1.0
STREAM = "text/event-stream"


class Api:
    """Plans for everything that the site offers to programs."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience

    # Jobs

    def create(
        self,
        photo: Source,
        wishes: Wishes,
        *,
        left: Source | None = None,
        behind: Source | None = None,
        right: Source | None = None,
        idempotency_key: str = "",
    ) -> Plan[Job]:
        """Send a photo, and others of the same object if you have them. Raises ``NotAPhoto``."""
        sides = {"image": photo, "image_left": left, "image_back": behind, "image_right": right}
        taken = {name: _photo(each) for name, each in sides.items() if each is not None}
        request = Request(
            "POST",
            f"{BASE}/jobs",
            form={name: _text(value) for name, value in wishes.items() if value is not None},
            parts=tuple(Part(name, each.data, each.media_type) for name, each in taken.items()),
            headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
        )
        return (yield from self._one(request, Job))

    def job(self, job_id: str, *, wait: int = 0) -> Plan[Job]:
        """How a job stands; with ``wait``, when it is ready or over, or after so many seconds."""
        request = Request("GET", _place(job_id), query={"wait": str(wait)} if wait else {})
        return (yield from self._one(request, Job))

    def wait(self, job_id: str, timeout: float | None = None) -> Plan[Job]:
        """The job once it is ready or over. Raises ``TimedOut``; the job goes on then."""
        ends = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            left = ends - time.monotonic()
            asked = time.monotonic()
            found = yield from self.job(job_id, wait=max(0, min(WAIT_SECONDS, int(left) if left < 1e9 else 10**9)))
            if found.state != "running":
                return found
            left = ends - time.monotonic()
            if left <= 0:
                raise TimedOut(found)
            # A site that does not wait for us is not asked more often for that.
            yield Sleep(max(0.0, min(left, asked + LOOK_SECONDS - time.monotonic())))

    def events(self, job_id: str) -> Plan[None]:
        """Emits the job as it is and after each change, until it is over. A stream that breaks is taken up again."""
        shown: Job | None = None
        reader = EventReader()
        for turn in count(1):
            headers = {"Accept": STREAM} | ({"Last-Event-ID": reader.last_id} if reader.last_id else {})
            request = Request("GET", f"{_place(job_id)}/events", headers=headers)
            answer = yield from attempt(request, self.patience, opened=True)
            if not answer.headers.get("content-type", "").startswith(STREAM):
                yield Close()
                return (yield from self._looking(job_id, shown))
            reader = EventReader(reader.last_id)
            broken: NotConnected | None = None
            before = shown
            while True:
                try:
                    data = yield Read()
                except NotConnected as error:
                    broken = error
                    break
                if not data:
                    break
                for event in reader.feed(data):
                    if event.name != "state":
                        continue
                    found = parse(Job, event.data)
                    if found != shown:
                        yield Emit(found)
                        shown = found
                    if found.over:
                        yield Close()
                        return None
            yield Close()
            if broken and turn >= self.patience.tries and shown == before:
                raise broken
            yield Sleep(2.0 if reader.retry is None else reader.retry)
        return None

    def _looking(self, job_id: str, shown: Job | None) -> Plan[None]:
        """The same by asking again and again, where something between us and the site allows no streams."""
        while True:
            found = yield from self.job(job_id)
            if found != shown:
                yield Emit(found)
                shown = found
            if found.over:
                return
            yield Sleep(LOOK_SECONDS)

    def cancel(self, job_id: str) -> Plan[Job]:
        """Stop a job; before its model is ready, this costs nothing."""
        headers = {"Idempotency-Key": f"cancel-{job_id}"}
        return (yield from self._one(Request("POST", f"{_place(job_id)}/cancel", headers=headers), Job))

    def asset(self, job_id: str, to: Target) -> Plan[Path]:
        """Fetch the model into a file, which is there whole or not at all."""
        return (yield from self._saved(Request("GET", f"{_place(job_id)}/asset"), to))

    def destroy(self, job_id: str) -> Plan[Job]:
        """You have the model: the site destroys what it still holds, at once."""
        return (yield from self._one(Request("DELETE", f"{_place(job_id)}/asset"), Job))

    def receipt(self, job_id: str) -> Plan[Receipt]:
        """The signed receipt of a job that is over."""
        answer = yield from attempt(Request("GET", f"{_place(job_id)}/receipt"), self.patience)
        return Receipt(parse(dict[str, Any], answer.body))

    def jobs(self, *, state: str = "", at_a_time: int = 25) -> Plan[None]:
        """Emits the account’s jobs, newest first, asking for more as they are wanted."""
        query = {"limit": str(at_a_time)} | ({"state": state} if state else {})
        while True:
            page = yield from self._one(Request("GET", f"{BASE}/jobs", query=query), JobPage)
            for found in page.jobs:
                yield Emit(found)
            if not page.next:
                return
            query["cursor"] = page.next

    def generate(self, photo: Source, to: Target, wishes: Wishes, *, timeout: float | None = None) -> Plan[Job]:
        """From a photo to a file: send, wait, fetch, and have everything destroyed.

        Raises ``JobEnded`` when there is no model, and ``TimedOut`` while there may still be one.
        """
        created = yield from self.create(photo, wishes)
        found = yield from self.wait(created.id, timeout)
        return (yield from self.finish(found, to))

    def finish(self, job: Job, to: Target) -> Plan[Job]:
        """The model of a job that is ready, into a file, and everything destroyed. Raises ``JobEnded``."""
        if job.state != "ready":
            raise JobEnded(job)
        yield from self.asset(job.id, to)
        return (yield from self.destroy(job.id))

    # The account

    def providers(self) -> Plan[list[Provider]]:
        """Who could receive a photo now, the best first."""
        return (yield from self._one(Request("GET", f"{BASE}/providers"), ProviderPage)).providers

    def balance(self) -> Plan[Balance]:
        """What there is to spend."""
        return (yield from self._one(Request("GET", f"{BASE}/balance"), Balance))

    def ledger(self, *, only: Literal["", "bought", "spent", "returned"] = "", at_a_time: int = 25) -> Plan[None]:
        """Emits the ledger’s lines, newest first, asking for more as they are wanted."""
        query = {"limit": str(at_a_time)} | ({"only": only} if only else {})
        while True:
            page = yield from self._one(Request("GET", f"{BASE}/ledger", query=query), LinePage)
            for line in page.lines:
                yield Emit(line)
            if not page.next:
                return
            query["cursor"] = page.next

    def usage(self, *, start: str = "", end: str = "", by: str = "") -> Plan[Usage]:
        """How much was used from a day to a day (``2026-01-31``), by ``day``, ``key``, ``endpoint`` or ``provider``."""
        wanted = {"from": start, "to": end, "by": by}
        query = {name: value for name, value in wanted.items() if value}
        return (yield from self._one(Request("GET", f"{BASE}/usage", query=query), Usage))

    def keys(self) -> Plan[list[AccessKey]]:
        """The account’s keys, newest first; their secrets nobody sees again."""
        return (yield from self._one(Request("GET", f"{BASE}/keys"), KeyPage)).keys

    def export(self, to: Target) -> Plan[Path]:
        """A copy of everything that is held about you, into a ZIP."""
        return (yield from self._saved(Request("GET", f"{BASE}/privacy/export"), to))

    def public_keys(self) -> Plan[bytes]:
        """The site’s public keys, by which receipts are checked; keep a copy of your own."""
        answer: Answer = yield from attempt(Request("GET", KEYS), self.patience)
        return answer.body

    def _one(self, request: Request, kind: type[T]) -> Plan[T]:
        asked = replace(request, headers={"Accept": "application/json", **request.headers})
        answer = yield from attempt(asked, self.patience)
        return parse(kind, answer.body)

    def _saved(self, request: Request, to: Target) -> Plan[Path]:
        for turn in count(1):
            yield from attempt(request, self.patience, opened=True)
            try:
                with replacing(Path(to)) as file:
                    while data := (yield Read()):
                        file.write(data)
            except NotConnected:
                if turn >= self.patience.tries:
                    raise
                yield Close()
                yield Sleep(pause(turn))
            else:
                yield Close()
                return Path(to)
        raise AssertionError("count() does not end")


def _place(job_id: str) -> str:
    try:
        return f"{BASE}/jobs/{quote(str(uuid.UUID(job_id)), safe='')}"
    except ValueError:
        raise Unreadable(f"{job_id!r} is no job’s id.") from None


def _photo(source: Source) -> Photo:
    return source if isinstance(source, Photo) else photo_of(source)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def wishes_key(wishes: Mapping[str, Any]) -> str:
    """The one spelling of some wishes."""
    return json.dumps(dict(wishes), sort_keys=True, separators=(",", ":"))
