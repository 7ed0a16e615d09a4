"""What goes wrong, and when: one plan for each seed, carried out on a running stack, part of it at the same time.

Processes are killed every few seconds all the way through, and started again at once, as compose does. The other
faults come once each, in an order of the seed's, at even distances; those that last overlap with the next ones.
"""

from __future__ import annotations

import heapq
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.chaos.line import Line, State
from modelmyimage.local.children import signal_group
from scripts.stack.native import Running, Stack

SKEW_SECONDS = 300.0


@dataclass(frozen=True)
class Fault:
    """``begin`` does it; ``end`` undoes it ``seconds`` later, where it lasts."""

    name: str
    begin: Callable[[], None]
    seconds: float = 0.0
    end: Callable[[], None] | None = None


@dataclass(order=True)
class _Due:
    at: float
    order: int
    what: Callable[[], None] = field(compare=False)


class Faults:
    """The plan of a seed over ``lasting`` seconds, a kill every ``every`` of them, and a count of what was done."""

    def __init__(
        self, stack: Stack, *, s3: Line, way_out: Line, disk: Path | None, seed: int, lasting: float, every: float
    ) -> None:
        self.stack, self.s3, self.way_out, self.disk = stack, s3, way_out, disk
        self.random = Random(seed)  # noqa: S311  # a plan, no secret
        self.done: Counter[str] = Counter()
        self.lines: list[str] = []
        self.began = time.monotonic()
        self._due: list[_Due] = []
        self._plain: dict[str, list[str]] = {}
        # What lasts a minute in five lasts a share of a shorter run.
        minute = min(60.0, lasting / 3)
        faults = self._faults(minute)
        self.random.shuffle(faults)
        for place, fault in enumerate(faults):
            self._plan(lasting * (0.04 + 0.8 * place / len(faults)), fault)
        site = sorted(name for name, one in stack.running.items() if one.service.image == "modelmyimage")
        for turn in range(1, int(lasting / every) + 1):
            name = self.random.choice(site)
            self._plan(turn * every, Fault(f"SIGKILL of {name}", partial(self._kill, name)))
        self.over_at = max(due.at for due in self._due)

    def go_on(self) -> bool:
        """Do what is due, and start again what died; false once everything was done and undone."""
        while self._due and self._due[0].at <= time.monotonic() - self.began:
            heapq.heappop(self._due).what()
        self.stack.tend()
        return bool(self._due)

    def _plan(self, at: float, fault: Fault) -> None:
        def begin() -> None:
            fault.begin()
            self.done[fault.name] += 1
            lasts = f" for {fault.seconds:.0f} s" if fault.end else ""
            self.lines.append(f"{time.monotonic() - self.began:6.1f} s  {fault.name}{lasts}")

        heapq.heappush(self._due, _Due(at, len(self._due), begin))
        if fault.end is not None:
            heapq.heappush(self._due, _Due(at + fault.seconds, len(self._due), fault.end))

    def _faults(self, minute: float) -> list[Fault]:
        def line(which: Line, state: State) -> Callable[[], None]:
            return lambda: which.become(state)

        def process(name: str, number: int) -> Callable[[], None]:
            return lambda: self._signal(self.stack.running[name], number)

        found = [
            Fault("S3 away, then slow", line(self.s3, State.CUT), minute, lambda: self._slowly(minute / 2)),
            Fault("all providers away", line(self.way_out, State.CUT), minute / 3, line(self.way_out, State.OPEN)),
            Fault("all providers silent", line(self.way_out, State.SILENT), minute / 3, line(self.way_out, State.OPEN)),
            Fault("broker restarted", process("broker", signal.SIGTERM)),
            Fault("broker killed", process("broker", signal.SIGKILL)),
            Fault("key store lost with all keys", process("keystore", signal.SIGKILL)),
            Fault("Postgres restarted", lambda: self._postgres(signal.SIGINT)),
            Fault("Postgres killed", lambda: self._postgres(signal.SIGKILL)),
        ]
        # Those that move jobs and destroy; the seed says which of the two is early and which is late.
        names = self.random.sample(["worker-remote", "worker-privacy"], 2)
        for name, seconds in zip(names, (SKEW_SECONDS, -SKEW_SECONDS), strict=True):
            ahead = "ahead" if seconds > 0 else "behind"
            found.append(
                Fault(
                    f"clock of {name} {abs(seconds):.0f} s {ahead}",
                    partial(self.skew, name, seconds),
                    minute / 2,
                    partial(self.skew, name, 0.0),
                )
            )
        if self.disk is not None:
            found.append(Fault("disk full", self._fill, minute / 4, self._free))
        return found

    def skew(self, name: str, seconds: float) -> None:
        """Start a process anew with its clock off by so much; 0: right again."""
        one = self.stack.running[name]
        plain = self._plain.setdefault(name, one.command)
        skewed = [sys.executable, "-m", "benchmarks.chaos.skewed", str(seconds), "-m", *plain]
        one.command = skewed if seconds else plain
        self._signal(one, signal.SIGKILL)

    def _kill(self, name: str) -> None:
        self._signal(self.stack.running[name], signal.SIGKILL)

    def _signal(self, one: Running, number: int) -> None:
        if one.process is not None:
            signal_group(one.process, number)
            if number == signal.SIGKILL:
                one.process.wait(10)

    def _postgres(self, number: int) -> None:
        assert self.stack.database is not None
        self.stack.database.send_signal(number)
        self.stack.database.wait(20)

    def _slowly(self, seconds: float) -> None:
        self.s3.become(State.SLOW)
        at = time.monotonic() - self.began + seconds
        heapq.heappush(self._due, _Due(at, len(self._due), lambda: self.s3.become(State.OPEN)))

    def _fill(self) -> None:
        assert self.disk is not None
        with (self.disk / "full").open("wb", buffering=0) as file:
            for piece in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(bytes(piece))
                except OSError:
                    continue

    def _free(self) -> None:
        assert self.disk is not None
        (self.disk / "full").unlink(missing_ok=True)
