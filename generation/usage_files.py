"""A report of use for other programs: one document for JSON, one table for CSV (UTF-8). The API and the pages give out
the same.

What a person wrote (the name of a key) cannot begin a formula in a spreadsheet. A time is the upper end of the step
that it was counted in, in milliseconds.
"""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from generation.usage import Report, Row
from privacy.spreadsheets import harmless

CALLS: Final = (
    "calls", "client_errors", "server_errors", "error_rate", "bytes_in", "bytes_out", "median_ms", "p95_ms",
)  # fmt: skip
JOBS: Final = ("jobs", "done", "failed", "credits", "model_bytes")


def document(report: Report) -> dict[str, Any]:
    """The report as JSON has it."""
    return {
        "from": report.span.begin,
        "until": report.span.end,
        "by": report.by,
        "total": _figures(report.total),
        "rows": [{"name": row.name, "label": row.label, **_figures(row)} for row in report.rows],
    }


def _figures(row: Row) -> dict[str, Any]:
    return {
        "calls": None if row.calls is None else {name: _value(row.calls, name) for name in CALLS},
        "jobs": None if row.jobs is None else {name: _value(row.jobs, name) for name in JOBS},
    }


def table(report: Report) -> str:
    """The report's rows; figures that a row cannot have are empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([report.by, "label", *CALLS, *JOBS])
    for row in report.rows:
        figures = [*(_value(row.calls, name) for name in CALLS), *(_value(row.jobs, name) for name in JOBS)]
        writer.writerow([harmless(row.name), harmless(row.label), *("" if one is None else one for one in figures)])
    return out.getvalue()


def _value(part: Any, name: str) -> Any:
    found = getattr(part, name, None)
    return round(found, 4) if isinstance(found, float) else found
