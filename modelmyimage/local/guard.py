"""A process that outlives its starter by a moment, to end what the starter had started.

Run as a script, never imported, so that it starts in milliseconds. Standard input is a pipe: each child announces
itself with the line ``PID`` before it becomes its program, and the starter takes it back with ``-PID`` once its
process group has ended. When the pipe closes, because the starter has stopped or was killed in any way, every
group still announced is ended: politely, then not. The folders named as arguments are removed after that. Pipes and
groups work alike on Linux and macOS.
"""

import os
import signal
import sys
import time

PATIENCE_SECONDS = 3.0


def alive(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def end(groups: set[int]) -> None:
    """Ask each group to stop; kill what has not within ``PATIENCE_SECONDS``."""
    for final in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            try:
                os.killpg(group, final)
            except (ProcessLookupError, PermissionError):
                continue
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(map(alive, groups)) and time.monotonic() < deadline:
            time.sleep(0.02)


def main() -> None:
    """Keep the list of groups until the starter is gone."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            groups.add(number)
        else:
            groups.discard(-number)
    end(groups)
    if sys.argv[1:]:
        import shutil  # not above: most guards have nothing to remove, and start the sooner

        for folder in sys.argv[1:]:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
