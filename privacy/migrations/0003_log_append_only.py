"""The log's rules where no code can forget them: in the database.

On both databases: nodes and heads cannot be changed or deleted, and a leaf can only be the next one, so that the log has
no gap. ``manage.py verify_log`` reports a missing trigger.

SQLite loses a table's triggers when Django rebuilds the table for a schema change: a later migration of these tables
must run ``install`` again.
"""

from django.db import migrations

# trigger name -> table, for installing, removing and verifying
POSTGRES_TRIGGERS = {
    "log_node_fixed": "privacy_lognode",
    "log_node_kept": "privacy_lognode",
    "log_node_next": "privacy_lognode",
    "log_head_fixed": "privacy_loghead",
    "log_head_kept": "privacy_loghead",
}

POSTGRES = """
CREATE FUNCTION log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'log: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION log_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    SELECT max(number) INTO last FROM privacy_lognode;
    IF (NEW.number % 2 = 0 AND NEW.number <> coalesce(last + 2, 0))
        OR (NEW.number % 2 <> 0 AND NEW.number > coalesce(last, 0)) THEN
        RAISE EXCEPTION 'log: node % does not follow %', NEW.number, last USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER log_node_fixed BEFORE UPDATE OR DELETE ON privacy_lognode
    FOR EACH ROW EXECUTE FUNCTION log_refuse();
CREATE TRIGGER log_node_kept BEFORE TRUNCATE ON privacy_lognode
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();
CREATE TRIGGER log_node_next BEFORE INSERT ON privacy_lognode
    FOR EACH ROW EXECUTE FUNCTION log_next();
CREATE TRIGGER log_head_fixed BEFORE UPDATE OR DELETE ON privacy_loghead
    FOR EACH ROW EXECUTE FUNCTION log_refuse();
CREATE TRIGGER log_head_kept BEFORE TRUNCATE ON privacy_loghead
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();
"""

POSTGRES_FUNCTIONS = ("log_refuse", "log_next")


def refuse(name, when, table, condition=""):
    """A SQLite trigger that ends the statement with an error."""
    wanted = f" WHEN {condition}" if condition else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW{wanted} BEGIN "
        f"SELECT RAISE(ABORT, 'log: {when} of {table} is refused'); END"
    )


LAST = "(SELECT max(number) FROM privacy_lognode)"
SQLITE = {
    "log_node_fixed": refuse("log_node_fixed", "UPDATE", "privacy_lognode"),
    "log_node_kept": refuse("log_node_kept", "DELETE", "privacy_lognode"),
    "log_node_next": refuse(
        "log_node_next",
        "INSERT",
        "privacy_lognode",
        f"(NEW.number % 2 = 0 AND NEW.number <> COALESCE({LAST} + 2, 0))"
        f" OR (NEW.number % 2 <> 0 AND NEW.number > COALESCE({LAST}, 0))",
    ),
    "log_head_fixed": refuse("log_head_fixed", "UPDATE", "privacy_loghead"),
    "log_head_kept": refuse("log_head_kept", "DELETE", "privacy_loghead"),
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
    dependencies = [("privacy", "0002_log")]

    operations = [migrations.RunPython(install, remove)]
