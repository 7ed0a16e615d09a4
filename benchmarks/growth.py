"""What pages, the API, sweeps, audits and figures cost after a thousand jobs and after a million, on Postgres.

``python -m benchmarks.growth [--jobs 1000,1000000] [--recent 500] [--rounds 5] [--only WORDS] [--plans] [--no-walks]
[--data FOLDER] [--sizes FILE]``

``benchmarks/growth_rows.py`` says which rows are there. Each size has a database and a process of its own on one server
and they are timed in turn, round by round, so that whatever else the machine does falls on both alike. Each act goes
through the real view by Django's client, or is the function that a task or a page calls; caches are emptied before it.
Prints for each the median milliseconds of the rounds, how many of those were spent waiting for the database and in how
many queries, and the median of the rounds' ratios (large ÷ small): near 1 where the work does not grow with the jobs.
Then the acts that walk everything by nature, once each, and what a job leaves on disk, by table.

What is asked is whether a long past makes anything slower. Both sites are therefore equally busy now: ``--recent`` of
their jobs lie in the last week, and they differ in what was before. Adding up the calls of two days, say, costs what
those days had, at either size. With ``--recent 0`` each has its jobs evenly over two years, so that the larger one also
has a thousand times as much to do each day, and what works on a day's rows says so.

Two things are larger on the large site by what it is, and no fault: more days of its year have something in them, and a
page of its failed jobs is full.

``--only`` takes words, parted by commas, that an act's name has one of;
``--plans`` prints EXPLAIN (ANALYZE, BUFFERS) of each act's reading queries on the large database instead of timing;
``--data`` keeps the filled databases in a folder (open to other users) and takes up what is there already, for filling
takes minutes; ``--sizes`` writes the bytes per job as JSON.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

SETTINGS: Final = {
    "shared_buffers": "1GB", "max_wal_size": "8GB", "listen_addresses": "", "fsync": "off", "full_page_writes": "off",
    "autovacuum": "off",
}  # fmt: skip
"""A server of some size. Tables are vacuumed once filled, and nothing else may happen while they are timed."""
BUDGET, FEWEST, MOST = 0.25, 3, 40
"""Seconds that a round may spend on one act, and how often it does it then."""
LONG: Final = 5000
"""Milliseconds; what takes longer is done once."""
KEYS: Final = "keys.json"


class Asked:
    """What the database was asked while one act ran."""

    def __init__(self) -> None:
        self.seconds, self.count = 0.0, 0
        self.statements: list[tuple[str, Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """A wrapper of Django's around each query."""
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - began
            self.count += 1
            if sql.lstrip().upper().startswith("SELECT"):
                self.statements.append((sql, params))


def forgotten() -> None:
    """The caches are empty, but for what tasks remember of their last look."""
    from django.core.cache import cache

    from billing import books
    from trust import figures

    kept = cache.get_many([books.KEY, figures.AUDIT_KEY])
    cache.clear()
    cache.set_many(kept)


def timed(act: Any) -> tuple[float, float, float]:
    """Milliseconds of an act, those of them in the database, and queries: the median of as many as the budget has."""
    from django.db import connection

    found: list[tuple[float, float, float]] = []
    ends = time.perf_counter() + BUDGET
    while len(found) < MOST and (len(found) < FEWEST or time.perf_counter() < ends):
        forgotten()
        asked = Asked()
        with connection.execute_wrapper(asked):
            began = time.perf_counter()
            act()
            found.append(((time.perf_counter() - began) * 1e3, asked.seconds * 1e3, asked.count))
        if found[-1][0] > 1000 * BUDGET * 4:
            break  # seconds: once is enough to see it
    whole, inside, count = zip(*found, strict=True)
    return median(whole), median(inside), median(count)


def plans(act: Any) -> str:
    """How Postgres answers each of an act's different questions."""
    from django.db import connection

    asked = Asked()
    forgotten()
    with connection.execute_wrapper(asked):
        act()
    said = []
    for sql, params in {sql: (sql, params) for sql, params in asked.statements}.values():
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
            said.append("\n".join([sql[:600], *(f"    {line}" for (line,) in cursor.fetchall())]))
    return "\n\n".join(said)


def stand_by(jobs: int, recent: int, folder: Path) -> None:
    """Fill the database unless it is; then answer a line of JSON with another one, until there are none."""
    from tests import services  # noqa: F401  # starts the two Valkeys and sets the environment

    os.environ["DATABASE_URL"] = f"postgres://postgres@/{folder / 'pg'}/{named(jobs, recent)}"
    os.environ.update(json.loads((folder / KEYS).read_text()))
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import User
    from benchmarks import growth_acts, growth_rows, growth_upkeep
    from privacy.models import Blob

    call_command("migrate", verbosity=0)
    connection.ensure_connection()
    began = time.perf_counter()
    if not User.objects.exists():
        growth_rows.fill(jobs, recent)
    Blob.objects.open().delete()
    growth_upkeep.keep_alive()
    growth_upkeep.settle()
    acts, walks = growth_acts.acts(), growth_acts.walks()
    print(json.dumps({"seconds": time.perf_counter() - began, "acts": [*acts], "walks": [*walks]}), flush=True)
    for line in sys.stdin:
        what, name = json.loads(line)
        if what == "time":
            answer: Any = timed(acts[name])
        elif what == "walk":
            began = time.perf_counter()
            walks[name]()
            answer = time.perf_counter() - began
        elif what == "plans":
            answer = plans(acts[name])
        else:
            answer = growth_upkeep.sizes(jobs)
        print(json.dumps(answer), flush=True)


class Beside:
    """A process that has one of the databases."""

    def __init__(self, jobs: int, recent: int, folder: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.jobs = jobs
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.growth",
             "--stand-by", str(jobs), str(recent), str(folder)],
            env={**environment, "TEST_DATABASE": "sqlite"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1,
        )  # fmt: skip
        self.ready = self._read()

    def ask(self, what: str, name: str = "") -> Any:
        """Its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([what, name]) + "\n")
        return self._read()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the process with {self.jobs} jobs ended")
        return json.loads(line)

    def end(self) -> None:
        """It ends when nothing more can come."""
        self.process.communicate()


def named(jobs: int, recent: int) -> str:
    """The database of so many jobs, so many of them of the last week."""
    return f"growth_{jobs}_{recent}"


@contextmanager
def server(kept: Path | None, names: list[str]) -> Iterator[Path]:
    """A folder with Postgres running in it, these databases, and keys that outlast a run."""
    import psycopg

    from modelmyimage.local.children import Guard
    from scripts import postgres

    folder = kept or Path(tempfile.mkdtemp(prefix="mmi-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    guard = Guard(removing=[] if kept else [folder])
    running, socket = postgres.start(guard, folder, SETTINGS)
    try:
        with psycopg.connect(host=str(socket), user="postgres", dbname="postgres", autocommit=True) as opened:
            there = {name for (name,) in opened.execute("SELECT datname FROM pg_database").fetchall()}
            for name in names:
                if name not in there:
                    opened.execute(f"CREATE DATABASE {name}")
        if not (folder / KEYS).exists():
            made = {
                name: f"test:{base64.b64encode(os.urandom(32)).decode()}" for name in ("MASTER_KEYS", "SIGNING_KEYS")
            }
            (folder / KEYS).write_text(json.dumps(made))
        yield folder
    finally:
        postgres.stop(guard, running)
        guard.close()


def chosen(names: list[str], only: str) -> list[str]:
    """Those that have one of the words, which commas part."""
    return [name for name in names if any(word in name for word in only.split(","))]


def compare(small: Beside, large: Beside, rounds: int, only: str) -> None:
    """Time every act that both have."""
    print(f"{'':34} {small.jobs:>9} jobs: ms (database, queries) {large.jobs:>9} jobs: ms (database, queries)  ratio")
    for name in chosen(small.ready["acts"], only):
        # Once before it counts, unless it takes so long that nothing of that can be chance.
        first = {beside.jobs: beside.ask("time", name) for beside in (small, large)}
        found: dict[int, list[tuple[float, float, float]]] = {small.jobs: [], large.jobs: []}
        for _ in range(rounds):
            for beside in (small, large):
                slow = first[large.jobs][0] > LONG
                found[beside.jobs].append(first[beside.jobs] if slow else beside.ask("time", name))
        ratio = median(b[0] / a[0] for a, b in zip(found[small.jobs], found[large.jobs], strict=True))
        shown = [
            f"{median(one[0] for one in rows):9.2f} ({median(one[1] for one in rows):8.2f}, {rows[-1][2]:3.0f})"
            for rows in found.values()
        ]
        print(f"{name:34} {shown[0]:>40} {shown[1]:>40}  {ratio:5.2f}{' <' if ratio > 1.5 else ''}", flush=True)


def main() -> None:
    """Fill, time, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", default="1000,1000000")
    parser.add_argument("--recent", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sizes", type=Path)
    parser.add_argument("--no-walks", action="store_true")
    parser.add_argument("--stand-by", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stand_by:
        jobs, recent, at = options.stand_by
        stand_by(int(jobs), int(recent), Path(at))
        return
    sizes = [int(one) for one in options.jobs.split(",")]
    with server(options.data, [named(jobs, options.recent) for jobs in sizes]) as folder:
        small, large = (Beside(jobs, options.recent, folder) for jobs in sizes)
        filled = ", ".join(f"{one.jobs} jobs ready in {one.ready['seconds']:.0f} s" for one in (small, large))
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {filled}", flush=True)
        busy = f"{options.recent} of them" if options.recent else "as many as in any other week"
        print(f"Jobs of the last week, at both sizes: {busy}.", flush=True)
        if options.plans:
            for name in chosen(large.ready["acts"], options.only):
                print(f"\n## {name}\n\n{large.ask('plans', name)}", flush=True)
        else:
            compare(small, large, options.rounds, options.only)
        if not (options.plans or options.no_walks):
            for name in large.ready["walks"]:
                took = [beside.ask("walk", name) for beside in (small, large)]
                each = " ".join(f"{took[at] * 1e3:12.1f} ms" for at in (0, 1))
                print(f"{name:34} {each}  of everything: {took[1] / large.jobs * 1e6:.2f} µs a job", flush=True)
        found = large.ask("sizes")
        if options.sizes:
            options.sizes.write_text(json.dumps(found, indent=1))
        if not options.plans:
            for table, count in found.items():
                print(f"{table:34} {count:10.1f} bytes a job")
        for beside in (small, large):
            beside.end()
        print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
