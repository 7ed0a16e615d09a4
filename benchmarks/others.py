"""20 MB up, 20 MB down once, and what is left: this site beside two other services that forget files.

``python -m benchmarks.others [--rounds 5] [--venv FOLDER]``: installs bepasty (with gunicorn) and OnionShare's command
line from the package registry into a virtual environment that goes with the run (or into FOLDER, which stays), starts
each service and ours on 127.0.0.1 and does the same with each, over the same client. Printed are MB/s of the transfers
(medians), the memory of its processes before the first and at its most (proportional set size, looked at ten times a
second), what a second download gets, and in how many files some of what was sent or fetched is found, and in how many
deleted ones that are still open: while the file waits, and after it was fetched once. Not counted is the time that
OnionShare packs what it is to share, and that our model is made.

They differ in what they do, and the figures have to be read so. Ours takes a photo (a sample, padded by comments to the
limit of 20 MB), seals it, decodes and strips it before it answers; then a stand-in for a provider returns a mesh of
20 MB, which is inspected, made anew, sealed, sent by ``GET /api/v1/jobs/ID/asset``, and acknowledged by ``DELETE``.
bepasty takes the file in pieces as base64, as its interface wants, and keeps it until its lifetime is over. OnionShare
without Tor (``--local-only``) is two programs: one receives into a folder, one shares a file of it until it was fetched
once. Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import remains
from benchmarks.forgetful import Bepasty, OnionShare, Ours, Service
from benchmarks.remains import Remains
from modelmyimage.local.children import Guard

PACKAGES = ("bepasty==1.2.2", "gunicorn==27.0.1", "onionshare-cli==2.7")
MEGABYTE = 1_000_000
SIZE = 20 * MEGABYTE
PHOTO = Path(__file__).resolve().parent.parent / "static" / "samples" / "mug.jpg"


@dataclass
class Found:
    """What one service took and left: MB/s of each round, MB of memory, and what remains."""

    up: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)
    idle: float = 0.0
    peak: float = 0.0
    waiting: list[Remains] = field(default_factory=list)
    after: list[Remains] = field(default_factory=list)
    again: set[str] = field(default_factory=set)

    def line(self) -> str:
        """The figures of a line of the table."""
        return (
            f"{median(self.up):>6.0f} {median(self.down):>6.0f} {self.idle:>6.0f} {self.peak:>6.0f}   "
            f"{_most(self.waiting):<16} {_most(self.after):<16} {', '.join(sorted(self.again))}"
        )


def _most(found: list[Remains]) -> str:
    return f"{max(one.files for one in found)} + {max(one.deleted for one in found)}"


def photo() -> bytes:
    """A JPEG of exactly ``SIZE`` bytes: the sample, with comments that nobody has written before."""
    picture = PHOTO.read_bytes()
    padding, left = [], SIZE - len(picture)
    while left:
        size = min(left, 60_000) if left > 60_004 or left <= 60_000 else left - 1000
        padding.append(b"\xff\xfe" + (size - 2).to_bytes(2, "big") + os.urandom(size - 4))
        left -= size
    return picture[:2] + b"".join(padding) + picture[2:]


def mesh() -> bytes:
    """A GLB of about ``SIZE`` bytes: a hilly square."""
    import numpy as np
    import trimesh

    side = 745
    across = np.linspace(0, 1, side)
    x, z = np.meshgrid(across, across)
    heights = np.random.default_rng().random((side, side)) / side
    corners = np.stack((x, heights, z), axis=-1).reshape(-1, 3)
    first = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    faces = np.concatenate(
        (np.stack((first, first + side, first + 1), 1), np.stack((first + 1, first + side, first + side + 1), 1))
    )
    found = trimesh.Trimesh(corners, faces, process=False).export(file_type="glb")
    assert isinstance(found, bytes)
    return found


@contextmanager
def weighed(service: Service, found: Found) -> Iterator[None]:
    """Look at the processes' memory all the time."""
    over = threading.Event()
    found.idle = found.peak = _memory(service)

    def watch() -> None:
        while not over.wait(0.1):
            found.peak = max(found.peak, _memory(service))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _memory(service: Service) -> float:
    total = 0
    for process in service.processes():
        with suppress(OSError):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / MEGABYTE


def measured(service: Service, rounds: int) -> Found:
    """The same so many times, after once to warm up."""
    found, returned = Found(), list[bytes]()
    service.start()
    try:
        time.sleep(2)
        with weighed(service, found):
            for number in range(rounds + 1):
                data = photo()
                began = time.perf_counter()
                sent = service.up(data)
                took = time.perf_counter() - began
                what = service.between(sent)
                returned = returned or service.told(what)  # the same each time
                pieces = remains.windows(data) + returned
                waiting = remains.search(service.folder, service.processes(), pieces)
                began = time.perf_counter()
                size = service.down(what)
                if number:
                    found.up.append(len(data) / MEGABYTE / took)
                    found.down.append(size / MEGABYTE / (time.perf_counter() - began))
                service.after(what)
                found.again.add(service.again(what))
                found.waiting.append(waiting)
                found.after.append(remains.search(service.folder, service.processes(), pieces))
    finally:
        service.stop()
    return found


def installed(folder: Path) -> Path:
    """The folder of the others' programs."""
    programs = folder / "bin"
    if not (programs / "onionshare-cli").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([programs / "pip", "install", "-q", *PACKAGES], check=True)
    return programs


def main() -> None:
    """Install, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--venv", type=Path)
    asked = parser.parse_args()
    made = mesh()
    with tempfile.TemporaryDirectory(prefix="mmi-") as place:
        folder = Path(place)
        programs = installed(asked.venv or folder / "venv")
        guard = Guard()
        try:
            print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.2f} before; {SIZE // MEGABYTE} MB, "
                  f"{asked.rounds} rounds; {', '.join(PACKAGES)}")  # fmt: skip
            print(f"{'':<13} {'up':>6} {'down':>6} {'idle':>6} {'most':>6}   {'waiting':<16} {'after':<16} again")
            for service in (
                Ours(folder / "ours", made),
                Bepasty(folder / "bepasty", programs, guard),
                OnionShare(folder / "onionshare", programs, guard),
            ):
                print(f"{service.name:<13} {measured(service, asked.rounds).line()}", flush=True)
            print("MB/s; MB of memory; files with some of it, and deleted ones that are open; a second download")
            print(f"load {os.getloadavg()[0]:.2f} after")
        finally:
            guard.close()


if __name__ == "__main__":
    main()
