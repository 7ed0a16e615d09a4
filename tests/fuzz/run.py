"""``make fuzz``, ``python -m tests.fuzz.run [TARGET…] [--inputs N] [--seconds S]``: libFuzzer, guided by coverage.

Each target runs in a process of its own. What it finds new lies in ``var/fuzz/TARGET``, where the next run begins, with
the seeds in ``corpus/``. An input that breaks something is written beside it; copy it to ``corpus/`` once it is
mended, and the suite tries it for good.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import MOST_BYTES, TARGETS, environment

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "var" / "fuzz"
CORPUS = Path(__file__).resolve().parent / "corpus"
WATCHED = (
    "billing.webhooks", "generation.inspection", "generation.pixels", "generation.providers.fal",
    "generation.providers.replicate", "generation.providers.tripo", "privacy.receipts",
)  # fmt: skip
MEGABYTES = 3000


def set_up() -> None:
    """Django, with keys that nobody relies on and no server behind it."""
    import django

    from scripts.check import local

    os.environ.update(local(tempfile.mkdtemp(prefix="mmi-fuzz-")) | environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "modelmyimage.settings"
    django.setup()


def fuzz(name: str, arguments: list[str]) -> None:
    """Run one target in this process, which libFuzzer then ends."""
    import atheris

    with atheris.instrument_imports(include=["generation", "privacy", "billing"], enable_loader_override=False):
        set_up()
        for module in WATCHED:
            importlib.import_module(module)
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name])
    atheris.Fuzz()


def main() -> int:
    """Run targets one after the other; 1 if one broke."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.run")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], default=[])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each target")
    parser.add_argument("--seconds", type=int, default=0, help="the longest for each target; 0 for no limit")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    broken = []
    for name in chosen.targets or TARGETS:
        found = FOUND / name
        found.mkdir(parents=True, exist_ok=True)
        limits = [f"-runs={chosen.inputs}", f"-max_total_time={chosen.seconds}", f"-max_len={MOST_BYTES}"]
        limits += ["-timeout=20", f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1", "-verbosity=0"]
        arguments = [str(found), str(CORPUS / name), f"-artifact_prefix={found}-", *limits]
        if chosen.here:
            fuzz(name, arguments)
        command = [sys.executable, "-m", "tests.fuzz.run", name, "--here", f"--inputs={chosen.inputs}"]
        print(f"== {name}", flush=True)
        ended = subprocess.run([*command, f"--seconds={chosen.seconds}"], cwd=ROOT, check=False)
        if ended.returncode:
            broken.append(name)
    if broken:
        print(f"Broken: {', '.join(broken)}. The inputs are in {FOUND}.", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
