"""What the databases themselves have to enforce, once more on the one-machine database: the suite runs on Postgres."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import migrated
from tests.environment import ROOT
from tests.long import LONG
from tests.test_erasure import PLACES

FILES = [
    "tests/billing/test_books_end.py",
    "tests/billing/test_database_refuses.py",
    "tests/billing/test_ledger.py",
    *(["tests/billing/test_ledger_machine.py"] if LONG else []),
    "tests/billing/test_ledger_races.py",
    "tests/privacy/test_log.py",
    "tests/trust/test_notices.py",
    "tests/test_erasure.py::test_nothing_leads_to_the_person_and_nobody_else_loses_anything",
    "tests/test_erasure.py::test_killed_it_finishes_later_once",
    "tests/test_erasure.py::test_two_workers_at_once_do_it_once",
    "tests/usage/test_sums.py",
]
NOT = [f"--deselect=tests/privacy/test_log.py::{name}" for name in (
    "test_any_changed_byte_of_the_file_fails", "test_hostile_proofs_fail_quietly",
)]  # fmt: skip
"""They are about files, which are the same."""
if not LONG:  # what is undone at a kill is a transaction, wherever in it; the places are our own
    ERASED = "tests/test_erasure.py::test_killed_it_finishes_later_once"
    NOT += [f"--deselect={ERASED}[{place}]" for place in PLACES if place not in ("first rows", "account gone")]


@pytest.mark.skipif(os.environ.get("TEST_DATABASE") == "sqlite", reason="this is the run on SQLite")
def test_the_same_holds_on_sqlite() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.pop("DATABASE_URL", None)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--reuse-db", *NOT, *FILES],
        cwd=ROOT,
        env={**environment, "TEST_DATABASE": "sqlite", "TEST_SQLITE": str(migrated.sqlite())},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
