"""``python -m benchmarks.chaos.skewed SECONDS PROGRAM [WORD…]``: a Python program whose clock is off by so much.

time-machine replaces what CPython asks the time, for this process and its forks: a machine that lost its time server.
Clocks that only measure (``time.monotonic``) go on as they are, as they do there. ``PROGRAM`` is a script, or a
module after ``-m``.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

import time_machine


def main(seconds: float, program: list[str]) -> None:
    """Put the clock off, then become the program."""
    time_machine.travel(time.time() + seconds, tick=True).start()
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        sys.path[0] = str(Path(program[0]).parent)
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
