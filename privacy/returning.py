"""An UPDATE that brings the rows as it left them: what was claimed need not be read again, and is what was claimed."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import connections, models, transaction
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row", bound=models.Model)


def updated(rows: models.QuerySet[Row], **values: Any) -> list[Row]:
    """Those of the ``rows`` that there were, with the ``values`` (expressions, too), as the database has them now.

    As ``QuerySet.update``, with RETURNING, which Django 5 has for what it inserts alone. The rows must be named by
    their own columns.
    """
    query: Any = rows.query.chain(UpdateQuery)  # as in QuerySet.update; Django's stubs do not know it
    query.add_update_values(values)
    query.clear_ordering(force=True)
    statement, parameters = query.get_compiler(rows.db).as_sql()
    quoted = connections[rows.db].ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in rows.model._meta.concrete_fields)
    with transaction.mark_for_rollback_on_error(rows.db):
        return list(rows.model._base_manager.using(rows.db).raw(f"{statement} RETURNING {columns}", parameters))
