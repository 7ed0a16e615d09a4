"""Every example of the README, in its order, in a folder like the one it speaks of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelmyimage.cli.main import CODES
from tests.conftest import MUG, SRC, Site

README = (SRC.parent / "README.md").read_text()


@pytest.mark.site
def test_every_example(site: Site, home: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "photos/mug.jpg"):
        shutil.copy(MUG, tmp_path / name)
    (tmp_path / "notes.txt").write_text("no photo")
    program = tmp_path / "bin" / "mmi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m modelmyimage "$@"\n')
    program.chmod(0o700)
    environment = {
        **os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(SRC), "SITE": site.url,
    }  # fmt: skip
    said = ""
    for language, example in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S):
        (tmp_path / "model.glb").unlink(missing_ok=True)
        command = {"sh": ["sh", "-ec"], "python": [sys.executable, "-c"]}[language]
        done = subprocess.run(
            [*command, example],
            cwd=tmp_path,
            env=environment,
            input=site.key,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (example, done.stdout, done.stderr)
        said += done.stdout
        if "model.glb" in example and "notes.txt" not in example:
            assert (tmp_path / "model.glb").read_bytes()[:4] == b"glTF"
    assert (tmp_path / "models" / "mug.glb").read_bytes()[:4] == b"glTF"
    for expected in ("Nothing is unfinished.", "The signature holds.", "ready 100", "no JPEG, PNG"):
        assert expected in said


def test_the_exit_codes_are_those_of_the_program() -> None:
    told = dict(re.findall(r"^\| (\d+) \| (.*) \|$", README, re.M))
    assert told == dict(re.findall(r"^(\d+) +(.*)$", CODES, re.M))
