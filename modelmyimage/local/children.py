"""Child processes that never outlive us, each in a process group of its own.

``Guard`` starts them. The group keeps a terminal's Ctrl-C from reaching them, so that they are stopped in order, and
lets the forks of a child that crashed be ended with it. ``guard.py`` ends every group if we are killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

# The child tells the guard its process id while it is still a shell, then becomes the program: no moment in
# which we could die and leave a child that nobody knows of.
ANNOUNCE = ("/bin/sh", "-c", 'echo $$ >&0 && exec "$@" </dev/null', "sh")

CLOSE_SECONDS = 15.0


class Guard:
    """Starts processes and promises that they end with us.

    The guard process inherits the descriptors ``holding``: a lock among them is held until the last child is gone.
    It then removes the folders ``removing``.
    """

    def __init__(self, *, holding: Sequence[int] = (), removing: Sequence[Path] = ()) -> None:
        reading, self._pipe = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), *map(str, removing)],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            pass_fds=holding,
        )
        os.close(reading)

    def spawn(
        self,
        command: Sequence[str],
        *,
        output: IO[bytes] | int = subprocess.DEVNULL,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[bytes]:
        """Start ``command`` in its own process group, with both its outputs going to ``output``.

        ``options`` are those of ``subprocess.Popen``. Raises ``OSError`` when there is no such folder or user.
        """
        return subprocess.Popen(
            [*ANNOUNCE, *command],
            stdin=self._pipe,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            cwd=cwd,
            env=env,
            **options,
        )

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """End what is left of the group of a process that has ended, and take it off the guard's list."""
        signal_group(process, signal.SIGKILL)
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, f"-{process.pid}\n".encode())

    def stop(self, processes: Iterable[subprocess.Popen[bytes]], *, patience: float) -> None:
        """Ask all to stop, at once; after ``patience`` seconds kill those that have not. Repeatable."""
        waiting = list(processes)
        for process in waiting:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        for process in waiting:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                signal_group(process, signal.SIGKILL)
                process.wait()
            self.forget(process)

    def close(self) -> None:
        """End whatever is still running, and the guard itself. Folders to be removed are gone when this returns."""
        os.close(self._pipe)
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:  # a fork of ours still holds the pipe
            self.process.kill()
            self.process.wait()


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and its forks; nothing happens when none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
