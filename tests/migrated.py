"""Databases that are up to date and empty, made once for all workers of a run: every migration is seconds of work.

The first worker that asks makes one, the others wait for it; each then has a copy of its own.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from modelmyimage.local.keys import ensure_keys
from tests.environment import ROOT, bare

TEMPLATE = "migrated"


def once(name: str, make: Callable[[Path], object]) -> Path:
    """A file of the whole run, which ``make`` has written for the first worker that asked."""
    path = Path(os.environ["TEST_RUN"]) / name  # tests/services.py
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            part = path.with_suffix(".part")
            make(part)
            part.rename(path)
    return path


def sqlite() -> Path:
    """The database of a site that starts, not to be changed."""
    return once("migrated.sqlite3", _migrate_sqlite)


def _migrate_sqlite(path: Path) -> None:
    """Make it, as a site does."""
    with tempfile.TemporaryDirectory() as folder:
        ensure_keys(Path(folder) / "local.env")
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=ROOT, env={**bare(), "STATE_DIR": folder}, check=True)
        path.write_bytes((Path(folder) / "db.sqlite3").read_bytes())


def postgres() -> None:
    """Let Django's test database of this worker begin as a copy of one that is up to date."""
    from django.db import connection

    once("migrated.postgres", _migrate_postgres)
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def _migrate_postgres(done: Path) -> None:
    """Make what is copied, as Django makes the test database of a run without workers."""
    from django.db import connection

    settings = connection.settings_dict
    name, own = settings["NAME"], settings["TEST"]["NAME"]
    settings["TEST"]["NAME"] = TEMPLATE
    connection.creation.create_test_db(verbosity=0, serialize=False)
    connection.close()
    settings["NAME"], settings["TEST"]["NAME"] = name, own
    done.touch()
