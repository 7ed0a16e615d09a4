"""An index with all that a report of use reads of an account's jobs."""

from django.db import migrations, models

from privacy.concurrently import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("generation", "0007_found_by_index")]

    operations = [
        AddIndexBeside(
            "jobsum",
            models.Index(
                fields=["owner", "day", "access_key", "provider", "jobs", "done", "failed", "credits", "model_bytes"],
                name="job_sum_read",
            ),
        ),
    ]
