"""The import contracts of pyproject.toml hold, and each one fails when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import PACKAGES, ROOT

BROKEN = {
    "nothing": None,
    "Imports go one way": ("privacy/vault.py", "import generation.models"),
    "Nothing imports the stand-ins": ("generation/registry.py", "import sandbox.mailbox"),
    "Providers and the engine know nothing of Django": ("generation/engine/frame.py", "import django.conf"),
    "The application needs no training and no measurements": ("generation/engine/depth.py", "import training.corpus"),
    "The application does not use its own client": ("modelmyimage/api.py", "import client"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages of a folder."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("contract", BROKEN)
def test_contract(contract: str, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    change = BROKEN[contract]
    if change:
        file, line = change
        with (tmp_path / file).open("a") as source:
            source.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert (done.returncode == 0) == (change is None), done.stdout
    if change:
        assert f"{contract} BROKEN" in done.stdout
