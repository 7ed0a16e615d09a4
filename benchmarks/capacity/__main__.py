"""``python -m benchmarks.capacity [--write] [--jobs N]``: the tables of ``docs/capacity.md``, from measured figures.

Plans by formula, then simulates each size's peak (a minute or two), and prints both. ``--write`` puts the tables into
the guide, each in the place of the one whose head begins alike. ``--jobs`` is how many jobs a run counts (2000).
What is measured comes from ``python -m benchmarks.load --json`` and ``python -m benchmarks.capacity.bounds --json``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "capacity.md"


def main() -> None:
    """Compute, print, and write where that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--service-times", type=Path)
    parser.add_argument("--bounds", type=Path)
    wanted = parser.parse_args()
    os.environ.setdefault("TEST_DATABASE", "sqlite")
    import django

    from tests import services  # noqa: F401  # sets the environment that our own settings need

    django.setup()
    from benchmarks.capacity import figures, tables, trying
    from benchmarks.capacity.planning import CELL, SIZES

    read = figures.Figures.read(wanted.service_times or figures.SERVICE_TIMES, wanted.bounds or figures.BOUNDS)
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.2f}; {wanted.jobs} jobs a run",
        file=sys.stderr,
    )
    began = time.monotonic()
    tried = [trying.try_out(size, read, jobs=wanted.jobs) for size in SIZES if size <= CELL]
    made = [*tables.planned(read), tables.of_waiting(tried), tables.of_states(tried)]
    print("\n\n".join(made))
    print(f"in {time.monotonic() - began:.0f} s", file=sys.stderr)
    if wanted.write:
        GUIDE.write_text(replaced(GUIDE.read_text(), made))


def replaced(text: str, made: list[str]) -> str:
    """The guide with each table in the place of its last version. Raises ``SystemExit`` where there is none."""
    for table in made:
        start = table.split("|")[1]
        pattern = re.compile(rf"^\|{re.escape(start)}\|.*\n(?:\|.*\n?)+", re.M)
        text, count = pattern.subn((table + "\n").replace("\\", r"\\"), text)
        if count != 1:
            raise SystemExit(f"The guide has {count} tables that begin with “{start.strip()}”.")
    return text


if __name__ == "__main__":
    main()
