"""Indexes of a person's purchases among their jobs, of orders that came to nothing, and of disputed payments: few among
many."""

from django.db import migrations, models

from privacy.concurrently import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0006_brought_forward")]

    operations = [
        AddIndexBeside(
            "transaction",
            models.Index(
                fields=["user", "-id"], name="ledger_not_of_jobs", condition=models.Q(("job__isnull", True))
            ),
        ),
        AddIndexBeside(
            "order",
            models.Index(
                fields=["created_at"], name="order_unpaid", condition=models.Q(("state__in", ["failed", "expired"]))
            ),
        ),
        AddIndexBeside(
            "payment",
            models.Index(fields=["paid_at"], name="payment_disputed", condition=models.Q(("disputed__gt", 0))),
        ),
    ]
