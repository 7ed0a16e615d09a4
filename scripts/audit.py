"""``make audit``: known holes in what we depend on, and secrets in what is committed. Silence is never taken for clean.

Advisories are asked for at the registries; where nobody answers, nothing is known, and that fails as a hole does. New
findings that are no secrets go into ``.secrets.baseline``: ``python -m scripts.audit accept``, after looking at each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
PROGRAMS: Final = Path(sys.executable).parent
BASELINE: Final = ".secrets.baseline"
LOCKED: Final = ("requirements/run.txt", "requirements/dev.txt")
NO_SECRETS: Final = r"^(package-lock\.json|requirements/|client/package-lock\.json|docs/images/|tests/fuzz/corpus/)"
"""Digests of packages, and binary files."""


class Unknown(Exception):
    """Nobody answered: nothing can be said. The message says who, in one line."""


def answered(*command: str) -> tuple[int, Any]:
    """A program's exit code, and the JSON that it prints, or ``None`` when it prints none."""
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        return ended.returncode, json.loads(ended.stdout)
    except ValueError:
        return ended.returncode, None


def python() -> list[str]:
    """Holes of the locked Python packages, one a line. Raises ``Unknown``."""
    files = [part for file in LOCKED for part in ("-r", file)]
    options = ["--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    _code, found = answered(str(PROGRAMS / "pip-audit"), *options, *files)
    asked = found.get("dependencies") if isinstance(found, dict) else None
    if not asked or not all("vulns" in one for one in asked):
        raise Unknown("The Python packages' advisories could not be asked for: see `.venv/bin/pip-audit --strict`.")
    return [f"{one['name']} {one['version']}: {hole['id']}" for one in asked for hole in one["vulns"]]


def javascript() -> list[str]:
    """Holes of the front end's packages, one a line. Raises ``Unknown``."""
    _code, found = answered("npm", "audit", "--json")
    if not isinstance(found, dict) or "auditReportVersion" not in found:
        raise Unknown("The front end's advisories could not be asked for: see `npm audit`.")
    return [f"{name}: {hole['severity']}" for name, hole in found.get("vulnerabilities", {}).items()]


def tracked() -> list[str]:
    """The files that are committed, or about to be."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def secrets() -> list[str]:
    """Places that look like a secret and are not in the baseline, one a line. Raises ``Unknown``."""
    command = [str(PROGRAMS / "detect-secrets-hook"), "--baseline", BASELINE, "--json"]
    code, found = answered(*command, *tracked())
    if code in (0, 3):  # 3: nothing new, but lines have moved
        return []
    if not isinstance(found, dict):
        raise Unknown("The search for secrets failed: see `.venv/bin/detect-secrets-hook`.")
    results: dict[str, list[dict[str, Any]]] = found.get("results", {})
    return [f"{name}:{one['line_number']}: {one['type']}" for name, places in results.items() for one in places]


def accept() -> int:
    """Write the baseline anew from what is found now."""
    plugins = ("KeywordDetector", "HexHighEntropyString")  # every test's password, every digest
    without = [part for plugin in plugins for part in ("--disable-plugin", plugin)]
    command = [str(PROGRAMS / "detect-secrets"), "scan", "--exclude-files", NO_SECRETS, *without]
    _code, found = answered(*command)
    if found is None:
        return 1
    (ROOT / BASELINE).write_text(json.dumps(found | {"generated_at": ""}, indent=1) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    """Ask all three; 0 only if each answered that there is nothing."""
    failed = False
    checks: tuple[tuple[str, Callable[[], list[str]]], ...] = (
        ("Python packages", python),
        ("front-end packages", javascript),
        ("secrets", secrets),
    )
    for what, check in checks:
        try:
            found = check()
        except Unknown as error:
            failed = True
            print(f"{what}: not known. {error}")
            continue
        failed = failed or bool(found)
        print(f"{what}: {'nothing found' if not found else ''}", *found, sep="\n  " if found else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(accept() if sys.argv[1:] == ["accept"] else main())
