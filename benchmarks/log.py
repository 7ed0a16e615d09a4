"""What the transparency log costs with a thousand and with a hundred thousand leaves.

``python -m benchmarks.log``: on SQLite and on Postgres. Two logs of each kind, each with a process of its own, are
timed in turn, round by round, so that whatever else the machine does falls on both alike. A round does each act
``ACTS`` times, on leaves and sizes chosen at random. Prints for each act the median milliseconds, the median of the
rounds' ratios (large ÷ small) and how many rows of the tree were read. The heights of the trees are 10 and 17: work
that grows with them has a ratio of 1.7, work that grows with the leaves one of 100.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

SIZES = {"10^3": 1_000, "10^5": 100_000}
ACTS, ROUNDS = 40, 9


def acts(rng: random.Random) -> dict[str, Callable[[], object]]:
    """What is measured, on the log as it is."""
    from django.db import transaction

    from privacy import heads, log

    def append() -> None:
        with transaction.atomic():
            log.lock()
            log.append([os.urandom(32)])

    def inclusion() -> None:
        size = log.size()
        log.inclusion(rng.randrange(size), size)

    def consistency() -> None:
        size = log.size()
        log.consistency(rng.randrange(1, size), size)

    return {"append": append, "inclusion proof": inclusion, "consistency proof": consistency, "head": heads.publish}


def stand_by(size: str) -> None:
    """Fill a log on the database that the environment names; then time a round for each line that comes in."""
    import django

    from tests import services  # noqa: F401  # starts the servers and sets the environment

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from privacy import log

    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # the tests' server is told to forget what a power cut would take
            cursor.execute("SET synchronous_commit = on")
    for start in range(0, SIZES[size], 1000):
        with transaction.atomic():
            log.append([os.urandom(32) for _ in range(min(1000, SIZES[size] - start))])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    read = [0]
    stored = log._stored

    def counting(numbers: Iterable[int]) -> dict[int, bytes]:
        found = stored(numbers)
        read[0] += len(found)
        return found

    log._stored = counting
    what = acts(random.Random(1))  # noqa: S311  # a choice, not a secret
    print("ready", flush=True)
    for _ in sys.stdin:
        found = {}
        for name, act in what.items():
            read[0], began = 0, time.perf_counter()
            for _ in range(ACTS):
                act()
            found[name] = ((time.perf_counter() - began) / ACTS * 1e3, read[0] / ACTS)
        print(json.dumps(found), flush=True)


def compare(name: str) -> None:
    """Print the figures of one kind of database."""
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment["TEST_DATABASE"] = name
    logs = {
        size: subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.log", size],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )
        for size in SIZES
    }  # fmt: skip
    for process in logs.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    rounds: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        found = {}
        for size, process in logs.items():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            found[size] = json.loads(process.stdout.readline())
        rounds.append(found)
    small, large = SIZES
    for act in rounds[0][small]:
        times = {size: median(found[size][act][0] for found in rounds) for size in SIZES}
        rows = {size: median(found[size][act][1] for found in rounds) for size in SIZES}
        ratio = median(found[large][act][0] / found[small][act][0] for found in rounds)
        print(
            f"{name:9} {act:18} {times[small]:6.2f} ms → {times[large]:6.2f} ms, ratio {ratio:.2f};"
            f" rows {rows[small]:.1f} → {rows[large]:.1f}",
            flush=True,
        )
    for process in logs.values():
        process.communicate()


def main() -> None:
    """Measure each kind of database."""
    if sys.argv[1:]:
        stand_by(sys.argv[1])
        return
    for name in ("sqlite", "postgres"):
        compare(name)


if __name__ == "__main__":
    main()
