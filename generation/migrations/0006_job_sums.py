"""What an account's jobs come to by day, key and provider; those that are over so far are added up here."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ADD_UP = """
INSERT INTO generation_jobsum (owner_id, day, access_key, provider, jobs, done, failed, credits, model_bytes)
SELECT owner_id, {day}, COALESCE(access_key_id, {no_key}), provider, COUNT(*),
    SUM(CASE WHEN outcome = 'done' THEN 1 ELSE 0 END), SUM(CASE WHEN outcome = 'failed' THEN 1 ELSE 0 END),
    SUM(CASE WHEN charged THEN credits ELSE 0 END), SUM(COALESCE(asset_bytes, 0))
FROM generation_job WHERE stage = 'over' GROUP BY 1, 2, 3, 4
"""


def add_up(apps, schema_editor):
    """In one statement; both databases keep moments in UTC, and a UUID is text without dashes for SQLite."""
    if schema_editor.connection.vendor == "postgresql":
        day, no_key = "(created_at AT TIME ZONE 'UTC')::date", "'00000000-0000-0000-0000-000000000000'::uuid"
    else:
        day, no_key = "date(created_at)", f"'{uuid.UUID(int=0).hex}'"
    schema_editor.execute(ADD_UP.format(day=day, no_key=no_key))


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0005_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="JobSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(help_text="When they were sent, in UTC.")),
                (
                    "access_key",
                    models.UUIDField(
                        default=uuid.UUID(int=0),
                        help_text="The key's number; all zeros: they came from the pages.",
                    ),
                ),
                ("provider", models.CharField(blank=True, max_length=40)),
                ("jobs", models.PositiveBigIntegerField(default=0)),
                ("done", models.PositiveBigIntegerField(default=0)),
                ("failed", models.PositiveBigIntegerField(default=0)),
                ("credits", models.PositiveBigIntegerField(default=0, help_text="What they cost.")),
                ("model_bytes", models.PositiveBigIntegerField(default=0)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="job_sums",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "day", "access_key", "provider"), name="job_sum_once")
                ],
            },
        ),
        migrations.RunPython(add_up, migrations.RunPython.noop),
    ]
