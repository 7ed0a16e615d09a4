"""An index of destroyed blobs by when they were."""

from django.db import migrations, models

from privacy.concurrently import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("privacy", "0007_tallies")]

    operations = [
        AddIndexBeside(
            "blob",
            models.Index(
                fields=["destroyed_at"], name="blob_destroyed", condition=models.Q(("state", "destroyed"))
            ),
        ),
    ]
