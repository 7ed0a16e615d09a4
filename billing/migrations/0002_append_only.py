"""The ledger's rules where no code can forget them: in the database.

On both databases: transactions and entries cannot be changed or deleted; an account cannot be deleted or change
hands and starts at nothing; inserting an entry moves its account's balance (whose CHECK keeps it at or above
zero), and nothing else may.

That a transaction's entries sum to zero is checked by Postgres at commit. SQLite has no deferred triggers: there,
nothing can be added to a transaction that already balances, and ``manage.py verify_ledger`` finds one that does not.

SQLite loses a table's triggers when Django rebuilds the table for a schema change: a later migration of these
tables must run ``install`` again. ``verify_ledger`` reports a missing trigger.
"""

from django.db import migrations

# trigger name -> table, for installing, removing and verifying
POSTGRES_TRIGGERS = {
    "ledger_transaction_fixed": "billing_transaction",
    "ledger_transaction_kept": "billing_transaction",
    "ledger_transaction_balanced": "billing_transaction",
    "ledger_entry_fixed": "billing_entry",
    "ledger_entry_kept": "billing_entry",
    "ledger_entry_balanced": "billing_entry",
    "ledger_entry_posted": "billing_entry",
    "ledger_account_fixed": "billing_ledgeraccount",
    "ledger_account_kept": "billing_ledgeraccount",
    "ledger_account_empty": "billing_ledgeraccount",
    "ledger_account_balance": "billing_ledgeraccount",
}

POSTGRES = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_ledgeraccount SET balance = balance + NEW.amount
        WHERE id = NEW.account_id AND balance IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    which bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
    wanted numeric;
    total numeric;
    moved numeric;
BEGIN
    SELECT credits INTO wanted FROM billing_transaction WHERE id = which;
    SELECT coalesce(sum(amount), 0), coalesce(sum(amount) FILTER (WHERE amount > 0), 0)
        INTO total, moved FROM billing_entry WHERE transaction_id = which;
    IF total <> 0 OR moved <> wanted THEN
        RAISE EXCEPTION 'ledger: transaction % does not balance', which USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_transaction_fixed BEFORE UPDATE OR DELETE ON billing_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_transaction_kept BEFORE TRUNCATE ON billing_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE CONSTRAINT TRIGGER ledger_transaction_balanced AFTER INSERT ON billing_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balanced('id');

CREATE TRIGGER ledger_entry_fixed BEFORE UPDATE OR DELETE ON billing_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_entry_kept BEFORE TRUNCATE ON billing_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON billing_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balanced('transaction_id');
CREATE TRIGGER ledger_entry_posted AFTER INSERT ON billing_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_post();

CREATE TRIGGER ledger_account_fixed BEFORE UPDATE OF id, user_id, kind OR DELETE ON billing_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_kept BEFORE TRUNCATE ON billing_ledgeraccount
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_empty BEFORE INSERT ON billing_ledgeraccount
    FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_balance BEFORE UPDATE OF balance ON billing_ledgeraccount
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse();
"""

POSTGRES_FUNCTIONS = ["ledger_refuse", "ledger_post", "ledger_balanced"]


def refuse(name, event, table, when=""):
    """A SQLite trigger that aborts the statement."""
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition}"
        f"BEGIN SELECT RAISE(ABORT, 'ledger: {name} refuses this'); END"
    )


SQLITE = {
    "ledger_transaction_fixed": refuse("ledger_transaction_fixed", "UPDATE", "billing_transaction"),
    "ledger_transaction_kept": refuse("ledger_transaction_kept", "DELETE", "billing_transaction"),
    # INSERT OR REPLACE deletes the row in its way without firing the trigger above.
    "ledger_transaction_once": refuse(
        "ledger_transaction_once",
        "INSERT",
        "billing_transaction",
        "EXISTS (SELECT 1 FROM billing_transaction t WHERE t.id = NEW.id OR t.key = NEW.key"
        " OR t.settles_id = NEW.settles_id OR t.reverses_id = NEW.reverses_id)",
    ),
    "ledger_entry_fixed": refuse("ledger_entry_fixed", "UPDATE", "billing_entry"),
    "ledger_entry_kept": refuse("ledger_entry_kept", "DELETE", "billing_entry"),
    "ledger_entry_once": refuse(
        "ledger_entry_once",
        "INSERT",
        "billing_entry",
        "EXISTS (SELECT 1 FROM billing_entry e WHERE e.id = NEW.id"
        " OR (e.transaction_id = NEW.transaction_id AND e.account_id = NEW.account_id))",
    ),
    "ledger_entry_balanced": refuse(
        "ledger_entry_balanced",
        "INSERT",
        "billing_entry",
        "(SELECT SUM(e.amount) FROM billing_entry e WHERE e.transaction_id = NEW.transaction_id) = 0"
        " OR abs(NEW.amount) > (SELECT t.credits FROM billing_transaction t WHERE t.id = NEW.transaction_id)",
    ),
    "ledger_entry_posted": (
        "CREATE TRIGGER ledger_entry_posted AFTER INSERT ON billing_entry FOR EACH ROW BEGIN "
        "UPDATE billing_ledgeraccount SET balance = balance + NEW.amount "
        "WHERE id = NEW.account_id AND balance IS NOT NULL; END"
    ),
    "ledger_account_fixed": refuse("ledger_account_fixed", "UPDATE OF id, user_id, kind", "billing_ledgeraccount"),
    "ledger_account_kept": refuse("ledger_account_kept", "DELETE", "billing_ledgeraccount"),
    "ledger_account_empty": refuse(
        "ledger_account_empty", "INSERT", "billing_ledgeraccount", "NEW.balance <> 0"
    ),
    # SQLite cannot ask who updates, so it asks whether the figure is right.
    "ledger_account_balance": refuse(
        "ledger_account_balance",
        "UPDATE OF balance",
        "billing_ledgeraccount",
        "NEW.balance <> (SELECT COALESCE(SUM(e.amount), 0) FROM billing_entry e WHERE e.account_id = NEW.id)",
    ),
}


def install(apps, schema_editor):
    """Put the triggers in place."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRES, params=None)
    else:
        for statement in SQLITE.values():
            schema_editor.execute(statement, params=None)


def remove(apps, schema_editor):
    """Take the triggers away again."""
    if schema_editor.connection.vendor == "postgresql":
        for name, table in POSTGRES_TRIGGERS.items():
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
        for name in POSTGRES_FUNCTIONS:
            schema_editor.execute(f"DROP FUNCTION {name}()")
    else:
        for name in SQLITE:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_ledger")]

    operations = [migrations.RunPython(install, remove)]
