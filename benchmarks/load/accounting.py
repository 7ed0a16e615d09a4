"""What each kind of process uses: seconds of processor time, by the kernel's count, and memory, shared pages divided.

Processor time is read from one control group (cgroup v2) for each kind: short-lived processes, such as those that
parse photos and meshes, are counted with whoever started them. That takes Linux and the right to make groups. Memory
is the sum of PSS, looked at once a second.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

LOOK_SECONDS = 1.0


class NoGroups(Exception):
    """This machine lets us make no control groups."""


class Accounts:
    """A control group for each kind of process. As a context manager, the groups are removed at its end."""

    def __init__(self) -> None:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        found = [mount[1] for mount in mounts if mount[2] == "cgroup2"]
        ours = [line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
        if not (found and ours):
            raise NoGroups("no cgroup v2")
        self.above = Path(found[0]) / ours[0].lstrip("/")
        self.place = self.above / f"benchmark-{os.getpid()}"
        try:
            self.place.mkdir()
        except OSError as error:
            raise NoGroups(error.strerror) from None
        self.kinds: list[str] = []
        self.peak: dict[str, int] = {}
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()
        for kind in self.kinds:
            for process in self._processes(kind):
                (self.above / "cgroup.procs").write_text(str(process))
            (self.place / kind).rmdir()
        self.place.rmdir()

    def take(self, kind: str, processes: Iterable[int]) -> None:
        """Count these processes, all that they have started and all that they will start, as of that kind."""
        place = self.place / kind
        place.mkdir(exist_ok=True)
        if kind not in self.kinds:
            self.kinds.append(kind)
        for process in _with_children(processes):
            try:
                (place / "cgroup.procs").write_text(str(process))
            except ProcessLookupError:
                continue  # it has ended meanwhile

    def seconds(self) -> dict[str, float]:
        """Processor seconds used so far, by kind."""
        found = {}
        for kind in self.kinds:
            line = (self.place / kind / "cpu.stat").read_text().splitlines()[0]
            found[kind] = int(line.split()[1]) / 1e6
        return found

    def memory(self) -> dict[str, int]:
        """Bytes of memory in use now, by kind."""
        return {kind: sum(map(_pss, self._processes(kind))) for kind in self.kinds}

    def forget_peak(self) -> None:
        """Begin to look for the peak of memory anew."""
        self.peak = {}

    def _processes(self, kind: str) -> list[int]:
        return [int(line) for line in (self.place / kind / "cgroup.procs").read_text().split()]

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for kind, used in self.memory().items():
                self.peak[kind] = max(self.peak.get(kind, 0), used)


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was added between two counts."""
    return {name: after[name] - before.get(name, 0) for name in after}


def _with_children(processes: Iterable[int]) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children[parent].append(int(entry.name))
    found = list(processes)
    for process in found:
        found += children[process]
    return found


def _pss(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
