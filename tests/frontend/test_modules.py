"""The pages' modules that need no page, by Node's own test runner: each ``*.test.mjs`` beside this file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.generation.khronos import node

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_module(file: Path) -> None:
    done = subprocess.run(
        [node(), "--test", str(file)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout
