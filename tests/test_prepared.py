"""What a connection has prepared is planned for each time's values, outlives a new column, and can be switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, models

from privacy.models import BlobHour
from tests.environment import ROOT

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite prepares by itself")


@pytest.fixture
def other() -> Iterator[Any]:
    """Somebody else's connection, as that of a worker that runs on while a release starts."""
    mine = connections.create_connection("default")
    yield mine
    mine.close()


def prepared(whose: Any) -> list[str]:
    with whose.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE NOT from_sql")
        return [str(row[0]) for row in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_what_is_prepared_outlives_a_migration_that_adds_a_column(other: Any) -> None:
    hours = BlobHour.objects.filter(total=3, strays_gone=False).query
    wide = "SELECT * FROM privacy_blobhour WHERE total = %s"

    def rows(statement: str, values: Any) -> list[Any]:
        with other.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    named = hours.get_compiler(connection=other).as_sql()
    for _ in range(8):
        assert rows(*named) == rows(wide, [3]) == []
    assert len([each for each in prepared(other) if "privacy_blobhour" in each]) == 2
    column = models.IntegerField(null=True)
    column.set_attributes_from_name("added")
    column.model = BlobHour
    with connection.schema_editor() as editor:
        editor.add_field(BlobHour, column)
    try:
        assert rows(*named) == []
        with pytest.raises(Exception, match="cached plan must not change result type"):
            rows(wide, [3])  # which is why no statement of ours says it
    finally:
        with connection.schema_editor() as editor:
            editor.remove_field(BlobHour, column)


@pytest.mark.django_db(transaction=True)
def test_no_plan_is_made_for_all_values(other: Any) -> None:
    """One for whoever has a few rows would be one for whoever has a hundred thousand, too."""
    with other.cursor() as cursor:
        for number in range(20):
            cursor.execute("SELECT total FROM privacy_blobhour WHERE total = %s", [number])
        asked = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s"
        cursor.execute(asked, ["SELECT total FROM privacy_blobhour%"])
        [(generic, custom)] = cursor.fetchall()
    assert generic == 0
    assert custom > 10


@pytest.mark.parametrize(("said", "on"), [("", True), ("0", False)])
def test_it_can_be_switched_off(said: str, on: bool) -> None:
    environment = {**os.environ, "DATABASE_PREPARE": said} if said else dict(os.environ)
    ask = "from django.conf import settings; print(settings.DATABASES['default'].get('OPTIONS', {}))"
    answer = subprocess.run(
        [sys.executable, "-c", ask], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ("'server_side_binding': True" in answer.stdout) is on
    assert ("'prepare_threshold'" in answer.stdout) is on
