"""A store in a directory: an object is a file, and a file being written has a name of its own until it is whole.

Nothing is flushed to the disk on purpose: after a power cut the key store is empty, and no object can be opened anyway.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from privacy.errors import Gone, Unavailable
from privacy.stores import ObjectReader, Opened

_UNFINISHED = ".part"


@contextmanager
def _told() -> Iterator[None]:
    """Turn the operating system's refusals into ours; a path says nothing of a photo, but the cause is enough."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"The directory store failed: {error.strerror}.") from None


class DirectoryStore:
    """Objects as files below one directory, mode 0700."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def writer(self, name: str) -> "FileWriter":
        """Begin a file."""
        with _told():
            return FileWriter(self.root, self.root / name)

    def open(self, name: str) -> Opened:
        """Read a file."""
        with _told():
            try:
                stream = open(self.root / name, "rb", buffering=0)  # noqa: SIM115  # its reader closes it
            except FileNotFoundError:
                raise Gone("The object is not in the store.") from None
            return Opened(os.fstat(stream.fileno()).st_size, cast(ObjectReader, stream))

    def exists(self, name: str, *, committed: bool = False) -> bool:
        """Whether the file or its unfinished form is there; an unreadable directory is not an absence."""
        path = self.root / name
        with _told():
            return _present(path) or _present(_unfinished(path))

    def delete(self, name: str, *, committed: bool = False) -> None:
        """Remove the file, finished or not."""
        path = self.root / name
        with _told():
            # The unfinished one first: a writer that finishes between the two finds nothing to rename.
            _unfinished(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """All files below the directory, whatever made them."""
        with _told():
            for folder, _, files in os.walk(self.root, onerror=_raise):
                for file in files:
                    name = (Path(folder) / file).relative_to(self.root).as_posix()
                    yield name.removesuffix(_UNFINISHED)


class FileWriter:
    """One file being written."""

    def __init__(self, root: Path, path: Path) -> None:
        self._file: int | None = None
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path = path
        self._size = 0
        self._file = os.open(_unfinished(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, data: bytes) -> None:
        """Append to the unfinished file."""
        if self._file is None:
            raise Unavailable("The write is over.")
        rest = memoryview(data)
        with _told():
            while rest:
                written = os.write(self._file, rest)
                self._size += written
                rest = rest[written:]

    def commit(self) -> None:
        """Give the file its name, if it is as long as what was written and nobody has removed it."""
        if self._file is None:
            raise Unavailable("The write is over.")
        with _told():
            size = os.fstat(self._file).st_size
            self._close()
            if size != self._size:
                raise Unavailable("The directory store holds another size than was written.")
            _unfinished(self._path).rename(self._path)

    def abort(self) -> None:
        """Remove the unfinished file."""
        with _told():
            self._close()
            _unfinished(self._path).unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def __del__(self) -> None:
        with suppress(OSError):
            self._close()


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + _UNFINISHED)


def _present(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
