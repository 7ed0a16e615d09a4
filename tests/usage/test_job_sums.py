"""Jobs that are over are counted once, by their sums, whoever ends them and whenever the sums were made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import keys
from accounts.models import User
from accounts.usage import days
from generation import history, key_limits, pipeline, sums, usage
from generation.models import Job, JobSum
from generation.usage import Jobs

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 4)


def every_kind(owner: User, sent: Any) -> None:
    key, _secret = keys.make(owner=owner, name="k", scopes=["read"])
    for number in range(24):
        at = datetime(2026, 3, 1 + number % 4, number % 5 * 5, tzinfo=UTC)
        outcome = ("done", "failed", "cancelled", "")[number % 4 if number < 20 else 3]
        sent(
            owner, at, outcome=outcome, provider=("meshy", "embedded")[number % 2], credits=3,
            charged=outcome == "done", asset_bytes=1000 + number if outcome == "done" else None,
            access_key=key if number % 3 else None,
        )  # fmt: skip


def reports(owner: User) -> list[usage.Report]:
    return [usage.report(owner, days(FIRST, LAST), by) for by in ("day", "key", "provider")]


def test_sums_say_what_the_jobs_do(owner: User, stranger: User, sent: Any) -> None:
    every_kind(owner, sent)
    every_kind(stranger, sent)
    found = reports(owner)
    jobs = Job.objects.filter(owner=owner)
    made = sum(job.asset_bytes or 0 for job in jobs)
    assert made > 0
    total = Jobs(24, jobs.filter(outcome="done").count(), jobs.filter(outcome="failed").count(), 15, made)
    assert [report.total.jobs for report in found] == [total] * 3
    by_provider = {row.name: row.jobs.jobs for row in found[2].rows if row.jobs}
    assert by_provider == {name: jobs.filter(provider=name).count() for name in ("meshy", "embedded")}
    # The migration adds up those that were over before it the same.
    known = sorted(JobSum.objects.values_list("owner", "day", "access_key", "provider", "jobs", "done", "failed",
                                              "credits", "model_bytes"))  # fmt: skip
    JobSum.objects.all().delete()
    with connection.cursor() as cursor:  # SQLite's schema editor wants a transaction of its own
        editor = SimpleNamespace(connection=connection, execute=cursor.execute)
        import_module("generation.migrations.0006_job_sums").add_up(None, editor)
    assert known == sorted(JobSum.objects.values_list("owner", "day", "access_key", "provider", "jobs", "done",
                                                      "failed", "credits", "model_bytes"))  # fmt: skip
    assert reports(owner) == found


def test_a_job_of_a_deleted_key_counts_as_before(owner: User, sent: Any) -> None:
    every_kind(owner, sent)
    owner.access_keys.all().delete()
    (row,) = [row for row in reports(owner)[1].rows if row.jobs and row.jobs.jobs]
    assert row.name == ""
    assert row.jobs
    assert row.jobs.jobs == 24


def test_the_pipeline_counts_a_job_as_it_ends(owner: User) -> None:
    now = timezone.now()
    job = Job.objects.create(
        owner=owner, stage=Job.Stage.PURGE, outcome="failed", provider="embedded", credits=2, created_at=now,
        due_at=now, deadline_at=now,
    )  # fmt: skip
    pipeline.advance(job.pk)
    pipeline.advance(job.pk)
    job.refresh_from_db()
    assert job.stage == Job.Stage.OVER
    (found,) = JobSum.objects.values("owner", "provider", "jobs", "failed", "credits")
    assert found == {"owner": owner.pk, "provider": "embedded", "jobs": 1, "failed": 1, "credits": 0}


@pytest.mark.django_db(transaction=True)
def test_jobs_that_end_at_once_are_all_counted(owner: User) -> None:
    from tests.billing.test_ledger_races import at_once

    job = Job(owner=owner, outcome="done", provider="meshy", credits=2, charged=True, created_at=timezone.now())
    at_once([lambda: sums.count(job)] * 8)
    (found,) = JobSum.objects.values("jobs", "done", "credits")
    assert found == {"jobs": 8, "done": 8, "credits": 16}


def test_pages_go_on_among_jobs_of_one_moment(owner: User, sent: Any) -> None:
    at = timezone.now() - timedelta(days=1)
    for number in range(9):
        sent(owner, at if number < 7 else at - timedelta(hours=1), outcome="done" if number % 2 else "failed")
    for state in ("", "done"):
        found: list[Job] = []
        before = ""
        while True:
            page = history.page(owner=owner, state=state, before=before, most=2)
            found += page.jobs
            before = page.before
            if not before:
                break
        wanted = owner.jobs.filter(outcome=state) if state else owner.jobs
        assert [job.pk for job in found] == list(wanted.order_by("-created_at", "-id").values_list("pk", flat=True))


def test_a_keys_month_is_counted_from_both(owner: User, sent: Any) -> None:
    key, _secret = keys.make(owner=owner, name="k", scopes=["read"])
    other, _secret = keys.make(owner=owner, name="other", scopes=["read"])
    now = timezone.now()
    assert key_limits.spent_this_month(key) == 0
    for used, at in ((key, now), (other, now), (key, now - timedelta(days=40))):
        sent(owner, at, outcome="done", charged=True, credits=5, access_key=used)
        sent(owner, at, outcome="failed", credits=7, access_key=used)
        sent(owner, at, credits=2, access_key=used)
        sent(owner, at, outcome="done", charged=True, stage="purge", credits=1, access_key=used)
        sent(owner, at, outcome="failed", stage="settle", credits=9, access_key=used)
    assert key_limits.spent_this_month(key) == 8
