"""A process looked at from outside: how long it works, and the most memory that it takes. Linux only."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelmyimage.local.ports import LOOPBACK

MEGABYTE = 1_000_000
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Span:
    """What a process took in a while: seconds by the clock, seconds of processor time, its peak resident memory above
    what it had at the beginning in MB.
    """

    seconds: float = 0.0
    processor: float = 0.0
    above: float = 0.0


class Watched:
    """A process by its number."""

    def __init__(self, pid: int) -> None:
        self.place = Path(f"/proc/{pid}")

    @contextmanager
    def span(self) -> Iterator[Span]:
        """Filled in at its end."""
        found = Span()
        (self.place / "clear_refs").write_text("5")  # the kernel begins the peak anew
        base, worked, began = self._memory("VmRSS"), self._processor(), time.perf_counter()
        yield found
        found.seconds = time.perf_counter() - began
        found.processor = self._processor() - worked
        found.above = max(0.0, self._memory("VmHWM") - base)

    def listens(self, port: int, seconds: float = 60.0) -> None:
        """Return once it takes connections. Raises ``RuntimeError`` when it ends, or does not within the time."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self._memory("VmRSS"):
            with socket.socket() as client:
                if client.connect_ex((LOOPBACK, port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("It does not listen.")

    def _processor(self) -> float:
        words = (self.place / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS

    def _memory(self, which: str) -> float:
        lines = (self.place / "status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(which)) * 1024 / MEGABYTE
