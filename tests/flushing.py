"""Emptying the tables after a test that commits.

Django's flush empties every table, which the triggers of the ledger and the log exist to refuse, and writes all
permissions anew. Here, on Postgres, only tables that hold something are emptied, past triggers and foreign keys, and
permissions stay; that takes a tenth of the time. On SQLite it is Django's flush with the refusing triggers taken away,
which are back before the next test. Nothing in the product can do either.
"""

from __future__ import annotations

from functools import cache

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


@cache
def question() -> str:
    """Asks which tables hold something; the same for the whole run, since tests that undo migrations redo them."""
    tables = sorted(set(connection.introspection.table_names()) - ALWAYS)
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)  # noqa: S608  # names of ours


def empty() -> None:
    """Empty what is not empty, on Postgres."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(question())
        emptying = [f"DELETE FROM {table}" for (table,) in cursor.fetchall()]  # noqa: S608  # as above
        cursor.execute("; ".join(["SET LOCAL session_replication_role = replica", *emptying]))
