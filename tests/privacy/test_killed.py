"""A write cut off by SIGKILL is never readable, and the sweep leaves nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from privacy.stores import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("each_store", "place"),
    [("directory", place) for place in ("begun", "middle", "uncommitted", "unrecorded")]
    + [("s3", place) for place in ("middle", "unrecorded")],
    indirect=["each_store"],
)
def test_killed_while_sealing(each_store: Store, settings: Settings, tmp_path: Path, place: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "STORE_URL": settings.STORE_URL,
        "S3_ENDPOINT_URL": settings.S3_ENDPOINT_URL,
    }
    command = [sys.executable, "-m", "tests.privacy.killed"]
    with subprocess.Popen([*command, place], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        blob_id = process.stdout.readline().strip()
        process.kill()
    assert process.returncode == -9
    out = subprocess.run(
        [*command, "after", blob_id], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
    ).stdout
    assert json.loads(out) == {
        "state": "writing",
        "readable": False,
        "read": "Gone",
        "early": 0,
        "swept": 1,
        "after": "destroyed",
        "left": [],
    }
