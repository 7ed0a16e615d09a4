"""Indexes of an account's jobs by outcome, of those that run, and of calls that can still be found at a provider."""

from django.db import migrations, models

from privacy.concurrently import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("generation", "0006_job_sums")]

    operations = [
        AddIndexBeside(
            "job", models.Index(fields=["owner", "outcome", "-created_at", "-id"], name="job_by_outcome")
        ),
        AddIndexBeside(
            "job",
            models.Index(fields=["owner"], name="job_open", condition=models.Q(("stage", "over"), _negated=True)),
        ),
        AddIndexBeside(
            "attempt",
            models.Index(
                fields=["ended_at"],
                name="attempt_findable",
                condition=models.Q(
                    models.Q(("remote_id", ""), _negated=True), ("remote__isnull", False), _connector="OR"
                ),
            ),
        ),
    ]
