"""While a release starts, code of the one before runs on its database: migrations only add.

django-migration-linter reads the SQL of each migration and finds what old code could not live with. What is taken away
was left alone by an earlier release, and the migration says so: ``contracts = "what is no longer read since 1.4"`` in
its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements, get_sql_analyser_class

FIRST_RELEASE: Final = {
    "accounts": "0008_read_by_index",
    "billing": "0008_journal",
    "generation": "0008_read_by_index",
    "privacy": "0008_blob_destroyed",
    "trust": "0001_documents",
}
"""The last migration of each app that no release came before: a new site runs them all at once, an old one has them."""

pytestmark = pytest.mark.django_db


def complaints(migration: migrations.Migration, state: ProjectState) -> list[str]:
    """What the SQL of a migration does that code of the release before cannot live with."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    found, _, _ = analyse_sql_statements(get_sql_analyser_class(connection.vendor), editor.collected_sql)
    return [one.code for one in found]


def since(loader: MigrationLoader) -> list[tuple[str, str]]:
    """Our migrations that an old site does not have yet, in order."""
    known = {(app, name) for app, last in FIRST_RELEASE.items() for name in _up_to(loader, app, last)}
    ours = {key for key in loader.disk_migrations if key[0] in FIRST_RELEASE}
    assert {(app, last) for app, last in FIRST_RELEASE.items()} <= ours, "FIRST_RELEASE names what is not there"
    return sorted(ours - known)


def _up_to(loader: MigrationLoader, app: str, last: str) -> list[str]:
    return [name for of, name in loader.graph.forwards_plan((app, last)) if of == app]


def test_no_migration_takes_away_what_running_code_uses() -> None:
    loader = MigrationLoader(None)
    for key in since(loader):
        migration = loader.disk_migrations[key]
        if not getattr(migration, "contracts", ""):
            state = loader.project_state(key, at_end=False)
            assert complaints(migration, state) == [], f"{'.'.join(key)}: docs/deploy.md, Migrations without downtime"


def made(*operations: Operation) -> migrations.Migration:
    class Made(migrations.Migration):
        pass

    Made.operations = list(operations)
    return Made("made", "shop")


def shop() -> ProjectState:
    """A table with one column beside its key."""
    state = ProjectState()
    made(
        migrations.CreateModel(
            "Order", [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField(null=True))]
        )
    ).mutate_state(state, preserve=False)
    return state


ORDER: Final[dict[str, Any]] = {"model_name": "order"}


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField(name="seen", field=models.DateTimeField(null=True), **ORDER),
        migrations.AddField(name="kind", field=models.CharField(max_length=9, db_default=""), **ORDER),
        migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField())]),
    ],
    ids=["empty", "default in the database", "table"],
)
def test_what_adds_is_taken(operation: Operation) -> None:
    assert complaints(made(operation), shop()) == []


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([migrations.RemoveField(name="note", **ORDER)], "DROP_COLUMN"),
        ([migrations.RenameField(old_name="note", new_name="text", **ORDER)], "RENAME_COLUMN"),
        ([migrations.DeleteModel("Order")], "DROP_TABLE"),
        ([migrations.RenameModel("Order", "Purchase")], "RENAME_TABLE"),
        # A default in the code alone: old code does not know the column, and the database has nothing to put there.
        ([migrations.AddField(name="n", field=models.IntegerField(default=0), **ORDER)], "NOT_NULL"),
        ([migrations.AlterField(name="note", field=models.IntegerField(null=True), **ORDER)], "ALTER_COLUMN"),
    ],
)
def test_what_takes_away_is_refused(operations: Sequence[Operation], code: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite makes the table anew, which looks different")
    assert code in complaints(made(*operations), shop())
