"""An index of accounts in which nobody ever signed in, for the sweep that looks for unconfirmed ones."""

from django.db import migrations, models

from privacy.concurrently import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0006_theme")]

    operations = [
        AddIndexBeside(
            "user",
            models.Index(
                fields=["date_joined"], name="account_never_in", condition=models.Q(("last_login__isnull", True))
            ),
        ),
    ]
