"""Grants can be reversed in part, and what is no longer there is entered as debt.

SQLite rebuilds both tables for this and loses their triggers, so they are taken away before and put back afterwards,
without the rule that a transaction is reversed once. Postgres alters the tables in place and keeps its triggers.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

earlier = import_module("billing.migrations.0002_append_only")

SQLITE = {
    **earlier.SQLITE,
    "ledger_transaction_once": earlier.refuse(
        "ledger_transaction_once",
        "INSERT",
        "billing_transaction",
        "EXISTS (SELECT 1 FROM billing_transaction t WHERE t.id = NEW.id OR t.key = NEW.key"
        " OR t.settles_id = NEW.settles_id)",
    ),
}


def on_sqlite(statements):
    """An operation's half that runs the statements on SQLite and does nothing elsewhere."""

    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "sqlite":
            for statement in statements:
                schema_editor.execute(statement, params=None)

    return run


AWAY = on_sqlite([f"DROP TRIGGER {name}" for name in SQLITE])


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_append_only")]

    operations = [
        migrations.RunPython(AWAY, on_sqlite(earlier.SQLITE.values())),
        migrations.RemoveConstraint(
            model_name='ledgeraccount',
            name='ledger_account_owned',
        ),
        migrations.RemoveConstraint(
            model_name='ledgeraccount',
            name='ledger_balance_not_negative',
        ),
        migrations.RemoveConstraint(
            model_name='transaction',
            name='ledger_reversal_names_original',
        ),
        migrations.AlterField(
            model_name='ledgeraccount',
            name='kind',
            field=models.CharField(choices=[('available', 'Available'), ('held', 'Held'), ('debt', 'Debt'), ('issued', 'Issued'), ('spent', 'Spent')], max_length=9),
        ),
        migrations.AlterField(
            model_name='transaction',
            name='kind',
            field=models.CharField(choices=[('grant', 'Grant'), ('hold', 'Hold'), ('capture', 'Capture'), ('release', 'Release'), ('reverse', 'Reverse'), ('restore', 'Restore'), ('take', 'Take')], max_length=7),
        ),
        migrations.AlterField(
            model_name='transaction',
            name='reverses',
            field=models.ForeignKey(help_text='The grant or capture that it undoes, in part perhaps; or whose undoing it undoes.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='billing.transaction'),
        ),
        migrations.AddConstraint(
            model_name='ledgeraccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('balance__isnull', False), ('kind__in', ['available', 'held', 'debt']), ('user__isnull', False)), models.Q(('balance__isnull', True), ('kind__in', ['issued', 'spent']), ('user__isnull', True)), _connector='OR'), name='ledger_account_owned'),
        ),
        migrations.AddConstraint(
            model_name='ledgeraccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('kind', 'debt'), _negated=True), ('balance__gte', 0)), models.Q(('balance__lte', 0), ('kind', 'debt')), _connector='OR'), name='ledger_balance_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='transaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['reverse', 'restore']), ('reverses__isnull', False)), models.Q(models.Q(('kind__in', ['reverse', 'restore']), _negated=True), ('reverses__isnull', True)), _connector='OR'), name='ledger_reversal_names_original'),
        ),
        migrations.RunPython(on_sqlite(SQLITE.values()), AWAY),
    ]
