"""How long `make run` takes until its link answers: first start on an empty state folder, then a second one.

``python -m benchmarks.start``. Setting up packages is not in it; `make run` without a .venv adds that once.
"""

import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.stack import launch

ROOT = Path(__file__).resolve().parent.parent


def seconds_to_page(state: Path) -> float:
    """Start the site on ``state``, open its link, stop it; returns the seconds until the page was there."""
    began = time.monotonic()
    running = launch(state)
    urllib.request.build_opener().open(running.link, timeout=60).read()
    took = time.monotonic() - began
    running.stop()
    return took


def main() -> None:
    """Print both times, and what make itself adds when everything is set up."""
    began = time.monotonic()
    subprocess.run(["make", "packages"], cwd=ROOT, check=True)
    print(f"make, nothing to do   {time.monotonic() - began:5.1f} s")
    with tempfile.TemporaryDirectory(prefix="mmi-") as folder:
        for name in ("first start", "second start", "third start"):
            print(f"{name:<20}  {seconds_to_page(Path(folder) / 'var'):5.1f} s", flush=True)


if __name__ == "__main__":
    main()
