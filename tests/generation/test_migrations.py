"""Rows survive a migration in both directions."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = pytest.mark.django_db(transaction=True)


def at(name: str):
    """The models of the app as they are after a migration, with the database brought there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("generation", name)])
    return MigrationExecutor(connection).loader.project_state([("generation", name)]).apps


def test_one_photo_becomes_the_front_of_several_and_back(owner) -> None:
    photo, now = uuid4(), timezone.now()
    try:
        old = at("0002_job_options")
        job = old.get_model("generation", "Job").objects.create(
            owner_id=owner.pk, source_id=photo, created_at=now, due_at=now, deadline_at=now
        )
        old.get_model("generation", "Attempt").objects.create(
            job=job, number=1, provider="x", remote={"id": "call", "extra": {"path": "/a"}}, started_at=now
        )
        new = at("0003_providers")
        moved = new.get_model("generation", "Job").objects.get(pk=job.pk)
        assert moved.sources == {"front": str(photo)}
        attempt = new.get_model("generation", "Attempt").objects.get()
        assert (attempt.remote_id, attempt.remote) == ("call", {"path": "/a"})
        lines = new.get_model("generation", "Event").objects
        for number in (0, 1, 2):
            lines.create(job=moved, at=now, code="chosen", attempt=number)
        old = at("0002_job_options")
        assert old.get_model("generation", "Job").objects.get(pk=job.pk).source_id == photo
        assert old.get_model("generation", "Attempt").objects.get().remote == {"id": "call", "extra": {"path": "/a"}}
        assert old.get_model("generation", "Event").objects.count() == 1
    finally:
        call_command("migrate", verbosity=0)
