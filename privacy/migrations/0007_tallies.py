"""How many blobs were destroyed until each hour was over. The hours so far are counted by the sweep, not here."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0006_request_language")]

    operations = [
        migrations.CreateModel(
            name="BlobHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(help_text="Its beginning.", unique=True)),
                ("total", models.PositiveBigIntegerField(help_text="Since ever, until its end.")),
                (
                    "strays_gone",
                    models.BooleanField(
                        default=False, help_text="Rows of that hour on no receipt are forgotten."
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["hour"], name="hour_with_strays", condition=models.Q(("strays_gone", False))
                    )
                ],
            },
        ),
    ]
