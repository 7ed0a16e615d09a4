"""A photo of which no job came goes when an upload would: its request died between sealing it and saving the job.

Without this it would stay for as long as a running job's photo may.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils import timezone

from generation.models import Job
from privacy import vault
from privacy.models import Blob
from privacy.retention import longest

BATCH = 500


def destroy() -> int:
    """Destroy such photos, and their rows, which no receipt will list; returns how many were tried."""
    since = timezone.now() - longest("upload")
    alone = Blob.objects.open().filter(~Exists(Job.objects.filter(pk=OuterRef("group"))), kind="source")
    found = list(alone.filter(created_at__lt=since).values_list("pk", flat=True)[:BATCH])
    for blob_id in found:
        vault.discard(blob_id)
    return len(found)
