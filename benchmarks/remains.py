"""What of some bytes is found on a disk: in files of a folder, and in deleted ones that a process still has open.

Bytes are told by windows of 48, taken evenly from all over them. Linux only.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WINDOW, WINDOWS = 48, 24


@dataclass(frozen=True)
class Remains:
    """How many files hold some of it: those with a name, and those without one. ``bytes`` are of all files with a name,
    whatever is in them.
    """

    files: int
    deleted: int
    bytes: int


def windows(data: bytes) -> list[bytes]:
    """Pieces by which it is told, of the second half of each stretch, so that none is a common beginning."""
    step = len(data) // WINDOWS
    return [data[start + step // 2 : start + step // 2 + WINDOW] for start in range(0, step * WINDOWS, step)]


def search(folder: Path, processes: Iterable[int], pieces: list[bytes]) -> Remains:
    """Look through the folder and what the processes have open."""
    files, size = 0, 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                size += path.stat().st_size
                files += _holds(path, pieces)
    return Remains(files, sum(_holds(path, pieces) for path in _deleted(processes)), size)


def _deleted(processes: Iterable[int]) -> Iterator[Path]:
    seen = set()
    for process in processes:
        with suppress(OSError):
            for entry in Path(f"/proc/{process}/fd").iterdir():
                with suppress(OSError):
                    found = entry.stat()
                    what = os.readlink(entry)
                    nameless = what.endswith(" (deleted)") and not what.startswith("/memfd:")
                    if nameless and stat.S_ISREG(found.st_mode) and (found.st_dev, found.st_ino) not in seen:
                        seen.add((found.st_dev, found.st_ino))
                        yield entry


def _holds(path: Path, pieces: list[bytes]) -> bool:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as seen:
            return any(seen.find(piece) >= 0 for piece in pieces)
