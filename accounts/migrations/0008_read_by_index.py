"""An index with all that a report of use reads of an account's calls, in place of one of their owner alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from privacy.concurrently import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0007_never_in")]

    operations = [
        AddIndexBeside(
            "apicallsum",
            models.Index(
                fields=[
                    "owner", "day", "access_key", "endpoint", "status_class", "within_ms", "calls", "bytes_in",
                    "bytes_out",
                ],
                name="call_sum_read",
            ),
        ),
        migrations.AlterField(
            "apicallsum",
            "owner",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="api_call_sums",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]  # fmt: skip
