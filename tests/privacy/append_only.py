"""Emptying the log between tests, and nowhere else: what its triggers exist to refuse (see tests/billing)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

RULES: Any = import_module("privacy.migrations.0003_log_append_only")


@contextmanager
def rewriting_allowed(*endings: str) -> Iterator[None]:
    """While inside, the log's triggers with these endings are away; afterwards they are back, whatever happened."""
    if connection.vendor == "postgresql":
        kept = {name: table for name, table in RULES.POSTGRES_TRIGGERS.items() if name.endswith(endings)}
        away = [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for name, table in kept.items()]
        back = [f"ALTER TABLE {table} ENABLE TRIGGER {name}" for name, table in kept.items()]
    else:
        kept = {name: sql for name, sql in RULES.SQLITE.items() if name.endswith(endings)}
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


def flush_with_permission() -> None:
    """Let every test that commits end with a flush that may empty the log."""
    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private, but the only seam

    def teardown(self: TransactionTestCase) -> None:
        with rewriting_allowed("_kept"):
            original(self)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]  # as above
