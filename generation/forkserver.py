"""Where confined processes come from: one process that has the parsers loaded, of which each task gets a fork.

Loading numpy and Pillow takes a hundred times as long as parsing most files. So each of our processes starts one
server, which loads all tasks' modules and has them rehearse, reads nothing hostile, and forks twice for a task: a
keeper, which waits and tells how it ended, and the process that confines itself and does the work. Requests come over
a socket with three descriptors each: the work's input, its output, and the line to its keeper. The server ends when
the process that started it does.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
REQUEST = struct.Struct(">16sIQ")  # task, seconds, bytes of memory
NUMBER = struct.Struct(">i")
START_SECONDS = 30.0
"""How long a busy machine may take to start the server and the process."""


class Unreachable(Exception):
    """The server did not start the process, twice."""


class Child:
    """A process at work: ``stdin`` and ``stdout`` are our ends of its pipes, unbuffered."""

    def __init__(self, pid: int, stdin: BinaryIO, stdout: BinaryIO, line: socket.socket) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._line = line
        self._ended = False

    def wait(self, seconds: float) -> int:
        """Its exit status, or the negative number of the signal that ended it. Raises ``TimeoutError``."""
        self._line.settimeout(max(seconds, 0.001))
        told = self._line.recv(NUMBER.size, socket.MSG_WAITALL)
        self._ended = True
        return int(NUMBER.unpack(told)[0]) if len(told) == NUMBER.size else -signal.SIGKILL

    def end(self) -> None:
        """Leave nothing of it, nor of what it started, and let go of its pipes."""
        if not self._ended:
            # Its keeper has not told us of its end, so the number is still its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            with suppress(OSError):
                self.wait(5)
        self.close()

    def close(self) -> None:
        """Let go of its pipes."""
        for part in (self.stdin, self.stdout, self._line):
            part.close()


class ForkServer:
    """The server of this process; started when first needed, and again when it has died or we were forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self, task: str, *, seconds: int, memory: int) -> Child:
        """A process for one task. Raises ``Unreachable``."""
        for _ in range(2):
            child = self._spawn(task, seconds, memory)
            if child is not None:
                return child
            with self._lock:
                self._forget()
        raise Unreachable

    def _spawn(self, task: str, seconds: int, memory: int) -> Child | None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours, theirs = socket.socketpair()
        ours.settimeout(START_SECONDS)
        try:
            with self._lock:
                request = REQUEST.pack(task.encode(), seconds, memory)
                socket.send_fds(self._connected(), [request], [theirs_in, theirs_out, theirs.fileno()])
        except OSError:
            ours.settimeout(0)  # nobody will answer
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
            theirs.close()
        try:
            told = ours.recv(NUMBER.size, socket.MSG_WAITALL)
        except OSError:
            told = b""
        pid = NUMBER.unpack(told)[0] if len(told) == NUMBER.size else 0
        child = Child(pid, os.fdopen(ours_in, "wb", buffering=0), os.fdopen(ours_out, "rb", buffering=0), ours)
        if pid:
            return child
        child.close()
        return None

    def _connected(self) -> socket.socket:
        if self._line is None or self._owner != os.getpid():
            self._forget()
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "generation.forkserver", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=ROOT,
                    env=_environment(),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._line, self._owner = ours, os.getpid()
        return self._line

    def _forget(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


def _environment() -> dict[str, str]:
    """What the processes may know: how to find their libraries, and to use one thread."""
    passed = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONPATH") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
    return {**passed, **threads, "LC_ALL": "C.UTF-8"}


# --- below this line: inside the server ------------------------------------------------------------------------


def serve(line: socket.socket) -> None:
    """Fork for each request until whoever sends them is gone."""
    from generation import confined

    for where in confined.TASKS.values():
        importlib.import_module(where.partition(":")[0]).rehearse()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave nothing behind
    while True:
        request, files, _, _ = socket.recv_fds(line, REQUEST.size, 3)
        if len(request) < REQUEST.size or len(files) < 3:
            return
        if os.fork() == 0:
            line.close()
            _keep(request, *files)
        for file in files:
            os.close(file)


def _keep(request: bytes, stdin: int, stdout: int, line: int) -> NoReturn:
    """Start the work, tell its process id, wait for its end, tell its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    bare, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(request, stdin, stdout, line)
    os.close(held)
    os.read(bare, 1)  # ends when it leads its group and has let go of all that it inherited, or is gone
    os.close(stdin)
    os.close(stdout)
    try:
        os.write(line, NUMBER.pack(pid))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(line, NUMBER.pack(status))
    finally:
        os._exit(0)


def _work(request: bytes, stdin: int, stdout: int, line: int) -> NoReturn:
    """Keep three pipes and nothing else, then do the task in confinement."""
    from generation import confined

    try:
        os.setpgid(0, 0)
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        os.closerange(3, max(stdin, stdout, line, 255) + 1)  # the keeper hears of it, and tells that we are here
        task, seconds, memory = REQUEST.unpack(request)
        confined.serve(task.rstrip(b"\0").decode(), seconds, memory)
    finally:
        os._exit(1)


if __name__ == "__main__":
    # Under its own name, as tasks import it.
    from generation.forkserver import serve as _serve

    _serve(socket.socket(fileno=int(sys.argv[1])))
