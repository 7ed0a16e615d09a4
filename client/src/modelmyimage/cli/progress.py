"""What is seen while it goes on: one bar that moves on a terminal, and plain lines anywhere else."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from modelmyimage.shapes import Job

WIDTH = 24


class Progress:
    """Percent of each, of how many. Everything goes to ``stream``; results are printed by whoever has them."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar = self._stream.isatty()
        self._total = total
        self._percent: dict[str, int] = {}
        self._said: dict[str, str] = {}

    def job(self, which: str, name: str, job: Job) -> None:
        """How far this one is; names may repeat, ``which`` does not."""
        self._percent[which] = job.percent
        waiting = job.waiting.message if job.waiting else ""
        if waiting and self._said.get(which) != waiting:
            self.note(f"{name}: {waiting}")
        self._said[which] = waiting
        self._draw(f"{name}: {waiting}" if waiting else name)

    def finished(self, which: str, name: str) -> None:
        """This one is over."""
        self._percent[which] = 100
        self._draw(name)

    def note(self, text: str) -> None:
        """What the bar would show."""
        if not self._bar:
            self.line(text)

    def line(self, text: str) -> None:
        """Something to be read, which stays."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def result(self, text: str) -> None:
        """What was asked for; on standard output, for other programs."""
        self._clear()
        print(text, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        self._clear()

    def _draw(self, beside: str) -> None:
        if not self._bar:
            return
        share = sum(self._percent.values()) / (100 * self._total)
        full = round(share * WIDTH)
        over = sum(percent >= 100 for percent in self._percent.values())
        text = f"[{'#' * full}{'-' * (WIDTH - full)}] {share:4.0%}  {over} of {self._total}  {beside}"
        self._stream.write(f"\r\x1b[K{text[: max(20, shutil.get_terminal_size().columns - 1)]}")
        self._stream.flush()

    def _clear(self) -> None:
        if self._bar:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
