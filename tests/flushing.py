"""Emptying the tables after a test that commits.

Django's flush empties every table, which the triggers of the ledger and the log exist to refuse, and writes all
permissions anew. Here, on Postgres, only tables that hold something are emptied, past triggers and foreign keys, and
permissions stay; that takes a tenth of the time. On SQLite it is Django's flush with the refusing triggers taken away,
which are back before the next test. Nothing in the product can do either.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.test import TransactionTestCase

from tests.billing.append_only import emptying_allowed
from tests.privacy.append_only import rewriting_allowed

ALWAYS = {"auth_permission", "django_content_type", "django_migrations"}


def install() -> None:
    """Let every test that commits end so."""
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private, but the only seam

    def teardown(self: TransactionTestCase) -> None:
        if connection.vendor == "postgresql":
            empty()
        else:
            with emptying_allowed(), rewriting_allowed("_kept"):
                flush(self)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]  # as above


def empty() -> None:
    """Empty what is not empty, on Postgres."""
    tables = set(connection.introspection.table_names()) - ALWAYS
    with transaction.atomic(), connection.cursor() as cursor:
        some = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in sorted(tables))  # noqa: S608  # names of ours
        cursor.execute(" UNION ALL ".join(some))
        held = [table for (table,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in held:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # as above
