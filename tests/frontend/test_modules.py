"""The pages' modules that need no page, by Node's own test runner: each ``*.test.mjs`` beside this file."""

from __future__ import annotations

import re
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


def test_the_light_of_each_room_is_gathered_small() -> None:
    """At the library's own size, that is nine tenths of a GIF's work on a device without a graphics card."""
    sources = [file.read_text() for file in (ROOT / "frontend").rglob("*.js")]
    gathered = [line for source in sources for line in source.splitlines() if ".fromScene(" in line]
    assert len(gathered) == 2
    assert all("size: ROOM_PX" in line for line in gathered)


def test_what_moves_for_ever_is_not_painted_anew() -> None:
    """A page that waits for a model is open for minutes; what changes a shadow or a size keeps a processor busy."""
    styles = "".join(file.read_text() for file in (ROOT / "frontend" / "styles").glob("*.css"))
    endless = set(re.findall(r"animation: ([\w-]+) [^;]*infinite", styles)) - {"making"}  # that ends with the file
    assert endless
    for name in endless:
        (moves,) = re.findall(rf"@keyframes {name} {{(.*?)\n}}", styles, re.DOTALL)
        assert set(re.findall(r"([\w-]+):", moves)) <= {"opacity", "transform"}, name
