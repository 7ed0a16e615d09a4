"""Whether a back-up is one: restore it into an empty database, and have books and log prove that it is the site.

    python -m scripts.restore_drill --into URL site.dump         a file of pg_dump --format=custom
    python -m scripts.restore_drill --into URL --from URL        dump that database first, and compare the rows
    python -m scripts.restore_drill --into URL --restored        it is restored already: only look

Needs pg_dump and pg_restore on the path, and the keys that the settings ask for; docs/backup.md says when and why.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psycopg

ROOT: Final = Path(__file__).resolve().parent.parent
TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


class Failed(Exception):
    """The drill failed; the message says at what."""


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints. Raises ``Failed`` with the end of its complaint."""
    try:
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failed(f"{command[0]} could not be run ({error.strerror}).") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
        raise Failed(f"{' '.join(command[:1])}: {said[-1500:]}")
    return done.stdout.strip()


def counted(url: str) -> dict[str, int]:
    """Table -> number of rows, of the application's tables. Raises ``Failed``."""
    try:
        with psycopg.connect(url) as database:
            names = [name for (name,) in database.execute(TABLES)]
            count = psycopg.sql.SQL("SELECT count(*) FROM {}")
            found = {}
            for name in names:
                row = database.execute(count.format(psycopg.sql.Identifier(name))).fetchone()
                found[name] = int(row[0]) if row else 0
            return found
    except psycopg.Error as error:
        raise Failed(f"The database does not answer ({type(error).__name__}).") from None


def restore(dump: Path, into: str) -> None:
    """Fill an empty database from a dump. Raises ``Failed``, also when it is not empty."""
    if counted(into):
        raise Failed("The database to restore into is not empty; name one that is.")
    run("pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", "--dbname", into, str(dump))


def prove(into: str, heads: Iterable[Path]) -> list[str]:
    """What the restored database says of itself. Raises ``Failed`` at the first thing that is wrong."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL_FILE"}
    environment["DATABASE_URL"] = into
    manage = (sys.executable, str(ROOT / "manage.py"))
    against = [part for head in heads for part in ("--against", str(head.resolve()))]
    said = []
    for command in (["migrate", "--check"], ["verify_ledger"], ["verify_log", *against]):
        said.append(run(*manage, *command, environment=environment))
    return [line for line in said if line]


def drill(into: str, *, dump: Path | None, source: str, heads: Iterable[Path]) -> list[str]:
    """The whole of it; the lines to print. Raises ``Failed``."""
    before: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="mmi-") as folder:
        if source:
            dump = Path(folder) / "site.dump"
            before = counted(source)
            run("pg_dump", "--format=custom", "--no-owner", "--file", str(dump), "--dbname", source)
        if dump is not None:
            restore(dump, into)
    said = prove(into, heads)
    after = counted(into)
    if not after.get("django_migrations"):
        raise Failed("There is no site in that database.")
    for table, rows in before.items():
        # What went on beside the dump only added, or forgot what was due: far fewer rows is something else.
        if rows and after.get(table, 0) < rows // 2:
            raise Failed(f"{table} has {after.get(table, 0)} rows; there were {rows}.")
    return [*said, f"Restored: {len(after)} tables, {sum(after.values())} rows."]


def main(arguments: list[str]) -> int:
    """Exit code 0 when the back-up is one, 1 with the reason when not."""
    parser = argparse.ArgumentParser(prog="python -m scripts.restore_drill", description="Prove that a back-up is one.")
    parser.add_argument("--into", required=True, metavar="URL", help="an empty Postgres database")
    parser.add_argument("--against", type=Path, action="append", default=[], metavar="HEAD", help="a mirrored head")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("dump", type=Path, nargs="?", help="a file of pg_dump --format=custom")
    what.add_argument("--from", dest="source", default="", metavar="URL", help="dump this database first")
    what.add_argument("--restored", action="store_true", help="it is restored already")
    chosen = parser.parse_args(arguments)
    try:
        for line in drill(chosen.into, dump=chosen.dump, source=chosen.source, heads=chosen.against):
            print(line)
    except Failed as failed:
        print(f"The drill failed. {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
