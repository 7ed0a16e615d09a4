"""Emptying the ledger between tests, and nowhere else: what its triggers exist to refuse (tests/flushing.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.db import connection

RULES: Any = import_module("billing.migrations.0005_closed_books")
POSTGRES_TRIGGERS: dict[str, str] = import_module("billing.migrations.0002_append_only").POSTGRES_TRIGGERS


@contextmanager
def emptying_allowed() -> Iterator[None]:
    """While inside, the ledger's tables can be emptied; afterwards the triggers are back, whatever happened."""
    if connection.vendor == "postgresql":
        kept = {name: table for name, table in POSTGRES_TRIGGERS.items() if name.endswith("_kept")}
        away = [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for name, table in kept.items()]
        back = [f"ALTER TABLE {table} ENABLE TRIGGER {name}" for name, table in kept.items()]
    else:
        kept = {name: sql for name, sql in RULES.SQLITE.items() if name.endswith("_kept")}
        away = [f"DROP TRIGGER {name}" for name in kept]
        back = list(kept.values())
    with connection.cursor() as cursor:
        try:
            for statement in away:
                cursor.execute(statement)
            yield
        finally:
            for statement in back:
                cursor.execute(statement)


@contextmanager
def unprotected() -> Iterator[None]:
    """While inside, no trigger of the ledger fires, as for somebody who has the database in their hands."""
    with connection.cursor() as cursor:
        connection.check_constraints()
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
        else:
            for name in RULES.SQLITE:
                cursor.execute(f"DROP TRIGGER {name}")
            yield
            for sql in RULES.SQLITE.values():
                cursor.execute(sql)
