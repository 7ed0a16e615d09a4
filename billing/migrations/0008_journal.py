"""Signed pages of the ledger, a night each."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_found_by_index")]

    operations = [
        migrations.CreateModel(
            name="JournalPage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "after",
                    models.BigIntegerField(help_text="The number of the last transaction before it.", unique=True),
                ),
                ("upto", models.BigIntegerField(help_text="The number of the last transaction on it.", unique=True)),
                ("document", models.JSONField(help_text="The signed page.")),
            ],
        ),
    ]
