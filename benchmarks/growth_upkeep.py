"""What keeps the rows of ``growth_rows.py`` as they would be on a site that was never away, each time they are used.

Running jobs have sealed files; what is added up by the hour, by the night, or as jobs end is added up by now.
"""

from __future__ import annotations

from datetime import timedelta

from benchmarks.growth_rows import LARGE_ID, SMALL_ID


def keep_alive() -> None:
    """The jobs that are not over have sealed photos and models, as they would."""
    from generation.models import Job
    from privacy import vault

    for job in Job.objects.exclude(stage=Job.Stage.OVER):
        sealed = vault.seal([b"bytes" * 100], kind="source", group=job.pk, limit=1000)
        job.sources = {"front": str(sealed.pk)}
        if job.stage == Job.Stage.DELIVER:
            job.asset_id = vault.seal(
                [b"bytes" * 100], kind="asset", group=job.pk, keep=timedelta(hours=1), limit=1000
            ).pk
            job.asset_bytes, job.triangles = 500, 12
        job.save(update_fields=["sources", "asset_id", "asset_bytes", "triangles"])


def settle() -> None:
    """What each hour and each night of those two years would have done by now."""
    from django.utils import timezone

    from billing import books, journal, proof
    from privacy import tallies
    from privacy.models import BlobHour

    _carry_sums()
    now, hours = timezone.now(), -1
    while BlobHour.objects.count() != hours:
        hours = BlobHour.objects.count()
        tallies.run(now)
    # There are none, and looking through each hour of two years takes half a minute, once.
    BlobHour.objects.filter(hour__lt=now - timedelta(days=91)).update(strays_gone=True)
    assert not proof.prove([LARGE_ID, SMALL_ID])
    journal.close(now - timedelta(days=1) + journal.SETTLED)
    newest = books._newest()
    books._remember(books.Verified(now, 0, newest, newest))


def _carry_sums() -> None:
    """What was added up as jobs ended and lines were written; here as the migrations do that brought the sums."""
    from importlib import import_module

    from django.db import connection

    from billing.models import BroughtForward
    from generation.models import JobSum

    if not JobSum.objects.exists():
        with connection.schema_editor() as editor:
            import_module("generation.migrations.0006_job_sums").add_up(None, editor)
    if not BroughtForward.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute(import_module("billing.migrations.0006_brought_forward").BRING_FORWARD)
            cursor.execute("ANALYZE generation_jobsum, billing_broughtforward")


def sizes(jobs: int) -> dict[str, float]:
    """Bytes on disk of each table, its indexes included, per job; the largest first, and all together."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"
        )
        found = {name: size / jobs for name, size in cursor.fetchall() if size > 100 * 1024}
    return {**found, "total": sum(found.values())}
