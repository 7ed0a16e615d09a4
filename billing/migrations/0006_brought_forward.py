"""What a person's lines before some of them come to, and up to where they were proven.

Each 64th line of those there are gets its sum here; later ones as they are written.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

BRING_FORWARD = """
INSERT INTO billing_broughtforward (user_id, line_id, at, credits, spent)
SELECT user_id, id, created_at, upto - comes_to, spent_upto - spent
FROM (
    SELECT lines.*, ROW_NUMBER() OVER w AS nth, SUM(comes_to) OVER w AS upto, SUM(spent) OVER w AS spent_upto
    FROM (
        SELECT t.user_id, t.id, t.created_at,
            CASE WHEN t.kind = 'hold' AND (s.kind = 'release' OR r.id IS NOT NULL) THEN 0
                 WHEN t.kind IN ('grant', 'restore') THEN t.credits ELSE -t.credits END AS comes_to,
            CASE WHEN t.kind = 'hold' AND NOT (COALESCE(s.kind, '') = 'release' OR r.id IS NOT NULL)
                 THEN t.credits ELSE 0 END AS spent
        FROM billing_transaction t
        LEFT JOIN billing_transaction s ON s.settles_id = t.id
        LEFT JOIN billing_transaction r ON r.reverses_id = s.id AND r.kind = 'reverse'
        LEFT JOIN billing_transaction o ON o.id = t.reverses_id
        WHERE t.settles_id IS NULL AND o.settles_id IS NULL
    ) AS lines
    WINDOW w AS (PARTITION BY user_id ORDER BY id)
) AS every
WHERE nth % 64 = 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_closed_books"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BroughtForward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(help_text="When that line began.")),
                ("credits", models.BigIntegerField(help_text="What there was to spend less what was owed.")),
                ("spent", models.BigIntegerField(help_text="Credits that jobs hold or have spent.")),
                (
                    "line",
                    models.OneToOneField(
                        help_text="The line that it stands before.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.transaction",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "line"], name="forward_line"),
                    models.Index(fields=["user", "at"], name="forward_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Proven",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("upto", models.BigIntegerField(help_text="The number of the last transaction.")),
                ("at", models.DateTimeField()),
                ("available", models.BigIntegerField()),
                ("held", models.BigIntegerField()),
                ("debt", models.BigIntegerField()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunSQL(BRING_FORWARD, migrations.RunSQL.noop),
    ]
