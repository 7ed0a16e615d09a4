"""What a job asks of the database is counted: a statement costs more than most of what it says.

Each bound is what the way takes now. Whoever needs one more raises it, and has thought of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation import ending, pipeline
from generation.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


MOST: Final = {
    "upload and intake": 37,
    "from prepare": 21,
    "from dispatch": 11,
    "from watch": 54,
    "acknowledged": 1,
    "destroyed": 22,
}
"""For each part of the way, where nothing is in the cache yet; the scripted provider is asked twice."""


def counted(act: Callable[[], object]) -> int:
    """Statements that it takes, with those that begin and end transactions: each is an exchange."""
    with CaptureQueriesContext(connection) as asked:
        act()
    return len(asked.captured_queries)


@pytest.mark.usefixtures("service")
def test_a_job_takes_few_statements(send: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.forward.EVERY", 2**40)  # or chance would bring some forward
    sent: list[Job] = []
    way = {"upload and intake": counted(lambda: sent.append(send()))}
    job = sent[0]

    def advance() -> None:
        pipeline.advance(job.pk, most=pipeline.STEPS_AT_ONCE)

    while job.stage != Job.Stage.DELIVER:
        before = job.stage
        way[f"from {before}"] = way.get(f"from {before}", 0) + counted(advance)
        job.refresh_from_db()
        Job.objects.filter(pk=job.pk).exclude(stage=Job.Stage.DELIVER).update(due_at=job.created_at)
    way["acknowledged"] = counted(lambda: ending.acknowledge(job))
    way["destroyed"] = counted(advance)
    job.refresh_from_db()
    assert job.stage == Job.Stage.OVER
    assert {name: (count, MOST[name]) for name, count in way.items() if count > MOST[name]} == {}


@pytest.mark.usefixtures("service")
def test_the_message_that_is_sent_is_in_the_statement_before_it(send: Callable[..., Job]) -> None:
    job = send()
    job.refresh_from_db()
    assert job.nudged_at == job.due_at, "no sweep sends another"
    assert timezone.now() >= job.nudged_at
