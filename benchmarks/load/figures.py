"""Numbers as tables."""

from __future__ import annotations

import os
from collections.abc import Sequence


def share(found: Sequence[float], part: float) -> float:
    """The figure that so large a part of them does not exceed: ``part`` 0.5 is the median."""
    return sorted(found)[min(len(found) - 1, int(part * len(found)))]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need be, the first one left, the others right."""
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                  for at, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in [head, *rows]
    ]  # fmt: skip
    return "\n".join(line.rstrip() for line in lines)


def machine() -> str:
    """Cores and how busy they are."""
    return f"{len(os.sched_getaffinity(0))} cores, load {' '.join(f'{load:.2f}' for load in os.getloadavg())}"
