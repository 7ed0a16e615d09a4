"""A photo whose request died before there was a job is gone after ten minutes; what a job has stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from generation import unclaimed
from generation.models import Job
from privacy import vault
from privacy.models import Blob
from privacy.stores import store


@pytest.mark.django_db(transaction=True)
def test_a_photo_of_which_no_job_came_goes_when_an_upload_would(owner) -> None:
    now = timezone.now()
    job = Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now)
    alone = vault.seal([b"photo"], kind="source", group=uuid4(), limit=10)
    kept = vault.seal([b"photo"], kind="source", group=job.pk, limit=10)
    Blob.objects.update(created_at=F("created_at") - timedelta(minutes=11))
    under_way = vault.seal([b"photo"], kind="source", group=uuid4(), limit=10)
    assert unclaimed.destroy() == 1
    assert set(Blob.objects.values_list("pk", flat=True)) == {kept.pk, under_way.pk}
    assert not store().exists(alone.object_name)
    assert vault.readable(kept.pk)
    assert unclaimed.destroy() == 0
