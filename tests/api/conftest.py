"""Somebody with a key, somebody else with one, and a way to ask the API as programs do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import keys
from accounts.models import AccessKey, User
from accounts.scopes import SCOPES
from generation import direct, events
from modelmyimage.api import schema
from tests.generation.conftest import drive, service

__all__ = ["drive", "service"]

BASE = "/api/v1"


@dataclass
class Asker:
    """A program with a key, or without."""

    secret: str
    key: AccessKey | None = None
    address: str = "127.0.0.1"

    def __call__(self, method: str, path: str, **how: Any) -> Any:
        """One request; its answer is checked against the schema where it is a problem."""
        client = Client(REMOTE_ADDR=self.address, raise_request_exception=False)
        if self.secret:
            how["headers"] = {"Authorization": f"Bearer {self.secret}", **how.get("headers", {})}
        answer = client.generic(method, f"{BASE}{path}", **how)
        assert answer["Request-Id"]
        if answer.status_code >= 400:
            problem = json.loads(answer.content)
            assert answer["Content-Type"] == "application/problem+json"
            assert problem["request_id"] == answer["Request-Id"]
            assert problem["status"] == answer.status_code
            assert problem["todo"]
            assert answer["Cache-Control"] == "no-store"
        return answer

    def send(self, path: str = "/jobs", body: bytes | None = None, media_type: str = "image/jpeg", **how: Any) -> Any:
        """A photo."""
        from tests.generation.conftest import photo

        return self("POST", path, data=photo() if body is None else body, content_type=media_type, **how)


def code_of(answer: Any) -> str:
    """The code of a problem."""
    return str(json.loads(answer.content)["code"])


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    """Nobody has asked anything yet."""
    cache.clear()
    schema.cache_clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs unless a test starts one, so nothing is waited for very long."""
    monkeypatch.setattr(direct, "SECONDS", 0.1)
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.1)


@pytest.fixture
def asker(db: None) -> Callable[..., Asker]:
    """Makes askers: ``asker(user, scopes=…, …)``."""

    def make(user: User, scopes: list[str] | None = None, **choices: Any) -> Asker:
        key, secret = keys.make(owner=user, name="test", scopes=list(SCOPES) if scopes is None else scopes, **choices)
        return Asker(secret, key)

    return make


@pytest.fixture
def ours(asker: Callable[..., Asker], owner: User) -> Asker:
    """The owner's program."""
    return asker(owner)


@pytest.fixture
def theirs(asker: Callable[..., Asker], stranger: User) -> Asker:
    """Another customer's program."""
    return asker(stranger)


@pytest.fixture
def nobody() -> Asker:
    """A program without a key."""
    return Asker("")


@pytest.fixture
def worker(service: Any) -> Iterator[None]:
    """A worker that takes every job on, beside the test."""
    from django.db import connection
    from django.utils import timezone

    from generation import pipeline
    from generation.models import Job

    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            due = Job.objects.exclude(stage=Job.Stage.OVER).filter(due_at__lte=timezone.now())
            for job_id in list(due.values_list("pk", flat=True)):
                pipeline.advance(job_id, most=pipeline.STEPS_AT_ONCE)
            over.wait(0.02)
        connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(30)
