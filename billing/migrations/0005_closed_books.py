"""Books of erased accounts end with their period: the database lets exactly those rows go, and refuses all others still.

A transaction or entry may be deleted when its account is erased (it has a row in ``billing_closedbooks``) and the
transaction is older than ten years; an account of the ledger when it is an erased person's and no transaction is left.
On Postgres the one function behind all refusals learns this; on SQLite the triggers against DELETE do.

SQLite loses a table's triggers when Django rebuilds the table for a schema change, and refuses to rename a table that a
trigger names: a later migration of these tables or of ``billing_closedbooks`` must take the triggers away before and put
back those in ``SQLITE`` afterwards, as 0003 does.
"""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

earlier = import_module("billing.migrations.0003_debt")
refuse = import_module("billing.migrations.0002_append_only").refuse

POSTGRES = """
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed boolean := false;
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'billing_ledgeraccount' THEN
        allowed := EXISTS (SELECT 1 FROM billing_closedbooks c WHERE c.user_id = OLD.user_id)
            AND NOT EXISTS (SELECT 1 FROM billing_transaction t WHERE t.user_id = OLD.user_id);
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'billing_transaction' THEN
        allowed := EXISTS (SELECT 1 FROM billing_closedbooks c WHERE c.user_id = OLD.user_id)
            AND OLD.created_at < now() - interval '10 years';
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'billing_entry' THEN
        allowed := EXISTS (
            SELECT 1 FROM billing_transaction t JOIN billing_closedbooks c ON c.user_id = t.user_id
            WHERE t.id = OLD.transaction_id AND t.created_at < now() - interval '10 years'
        );
    END IF;
    IF allowed THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'ledger: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

POSTGRES_BACK = """
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

CLOSED = "EXISTS (SELECT 1 FROM billing_closedbooks c WHERE c.user_id = OLD.user_id)"
LONG_AGO = "datetime('now', '-10 years')"

LET_GO = {
    "ledger_transaction_kept": refuse(
        "ledger_transaction_kept",
        "DELETE",
        "billing_transaction",
        f"NOT ({CLOSED} AND OLD.created_at < {LONG_AGO})",
    ),
    "ledger_entry_kept": refuse(
        "ledger_entry_kept",
        "DELETE",
        "billing_entry",
        "NOT EXISTS (SELECT 1 FROM billing_transaction t JOIN billing_closedbooks c ON c.user_id = t.user_id"
        f" WHERE t.id = OLD.transaction_id AND t.created_at < {LONG_AGO})",
    ),
    "ledger_account_kept": refuse(
        "ledger_account_kept",
        "DELETE",
        "billing_ledgeraccount",
        f"NOT ({CLOSED} AND NOT EXISTS (SELECT 1 FROM billing_transaction t WHERE t.user_id = OLD.user_id))",
    ),
}
SQLITE = {**earlier.SQLITE, **LET_GO}


def replace(postgres, sqlite):
    """An operation's half that puts these rules in the place of those that are there."""

    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(postgres, params=None)
            return
        for name in LET_GO:
            schema_editor.execute(f"DROP TRIGGER {name}")
            schema_editor.execute(sqlite[name], params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("billing", "0004_purchases"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosedBooks",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("closed_at", models.DateTimeField()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closed_books",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunPython(replace(POSTGRES, SQLITE), replace(POSTGRES_BACK, earlier.SQLITE)),
    ]
