"""The state folder of one machine: private, writable, and used by one running site at a time."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

from modelmyimage.local.keys import ensure_keys

LOG_LIMIT_BYTES = 5_000_000
# How long a killed site may take to end its children, which go on holding its lock.
TAKEOVER_SECONDS = 10.0


class StateError(Exception):
    """The folder cannot be used; the message says why in one line."""


def open_folder(state: Path) -> None:
    """Make the folder, its parts and the keys in it, for our eyes only. Raises ``StateError``."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
        for part in ("log", "mail", "blobs"):
            (state / part).mkdir(mode=0o700, exist_ok=True)
        ensure_keys(state / "local.env")
    except OSError as error:
        raise StateError(
            f"The folder {state} cannot be written ({error.strerror}). Set STATE_DIR to one that can."
        ) from error


def empty_folder(folder: Path) -> Path:
    """The folder, made if need be, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def lock(state: Path) -> int:
    """Take the folder for ourselves; returns the descriptor that holds the lock until it is closed everywhere.

    Raises ``StateError`` when another site is running on it.
    """
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + TAKEOVER_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            if (holder.isdigit() and exists(int(holder))) or time.monotonic() > deadline:
                os.close(descriptor)
                raise StateError(
                    f"ModelMyImage is already running on {state} (process {holder}). "
                    "Stop it first, or set STATE_DIR to another folder."
                ) from None
            time.sleep(0.05)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor


def exists(pid: int) -> bool:
    """Whether a process has this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def log_file(state: Path, name: str) -> Path:
    """Where the child ``name`` writes; what has grown too long is moved aside, once."""
    path = state / "log" / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


def open_log(path: Path) -> IO[bytes]:
    """The log opened for appending, readable by us alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
