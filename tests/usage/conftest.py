"""Calls and jobs of somebody, made by hand: so many, of this kind, at that time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import ApiCall, User
from generation import sums
from generation.models import Job

KEY = UUID(int=7)


@pytest.fixture
def called(db: None) -> Callable[..., list[ApiCall]]:
    """``called(owner, at, times=3, status=404, …)``."""

    def make(owner: User, at: datetime, times: int = 1, **fields: Any) -> list[ApiCall]:
        usual = {"access_key": KEY, "endpoint": "GET /jobs", "status": 200, "ms": 7, "bytes_in": 10, "bytes_out": 100}
        lines = [ApiCall(id=uuid4(), owner=owner, at=at, **(usual | fields)) for _ in range(times)]
        return ApiCall.objects.bulk_create(lines)

    return make


@pytest.fixture
def sent(db: None) -> Callable[..., Job]:
    """``sent(owner, at, credits=2, charged=True, …)``: a job; one with an outcome is over."""

    def make(owner: User, at: datetime, **fields: Any) -> Job:
        stage = Job.Stage.OVER if fields.get("outcome") else Job.Stage.WATCH
        job = Job.objects.create(owner=owner, created_at=at, due_at=at, deadline_at=at, **({"stage": stage} | fields))
        if job.stage == Job.Stage.OVER:
            sums.count(job)
        return job

    return make
