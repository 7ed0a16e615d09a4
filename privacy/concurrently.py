"""An index of a table that is in use is built beside that use: on Postgres concurrently, which no transaction can be.

A migration with one says ``atomic = False``. SQLite has no such way, and no second writer to hold up.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddIndex


class AddIndexBeside(AddIndexConcurrently):
    """``AddIndex`` that holds up nobody who writes."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build it."""
        with_it = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
        with_it.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop it again."""
        with_it = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
        with_it.database_backwards(self, app_label, schema_editor, from_state, to_state)
