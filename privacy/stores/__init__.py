"""Where sealed bytes lie: dumb named objects, in a directory or an S3 bucket.

A store never sees plaintext and knows nothing of rows, keys or retention. An object exists whole or not at all:
bytes are written under a temporary name, or as parts, until ``commit``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class ObjectWriter(Protocol):
    """One object being written."""

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises ``Unavailable``."""

    def commit(self) -> None:
        """Make the object exist. Raises ``Unavailable``, and then it does not."""

    def abort(self) -> None:
        """Leave nothing behind; harmless after ``commit`` and when repeated. Raises ``Unavailable``."""


class ObjectReader(Protocol):
    """One object being read, as files are."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many of the next bytes; none at the end. Raises ``Unavailable`` or ``OSError``."""

    def readinto(self, into: memoryview, /) -> int:
        """Put the next bytes into a piece of memory; how many, 0 at the end. Raises ``Unavailable`` or ``OSError``."""

    def close(self) -> None:
        """Read no more; harmless when repeated."""


@dataclass(frozen=True)
class Opened:
    """An object being read: its size in bytes, and its bytes."""

    size: int
    stream: ObjectReader


class Store(Protocol):
    """Named objects."""

    def writer(self, name: str) -> ObjectWriter:
        """Begin an object. Raises ``Unavailable``."""

    def open(self, name: str) -> Opened:
        """Read an object. Raises ``Gone`` when there is none, ``Unavailable``."""

    def exists(self, name: str, *, committed: bool = False) -> bool:
        """Whether the object, or anything of an unfinished write of it, is there. Raises ``Unavailable``.

        ``committed``: its write is known to have been committed, so that nothing unfinished need be looked for.
        """

    def delete(self, name: str, *, committed: bool = False) -> None:
        """Remove the object and whatever an unfinished write left; missing is done. Raises ``Unavailable``.

        ``committed`` as in ``exists``.
        """

    def names(self) -> Iterator[str]:
        """The names of all objects, finished or not, in no order. Raises ``Unavailable``."""


def store() -> Store:
    """The store that ``settings.STORE_URL`` names: ``file:///path`` or ``s3://bucket/prefix``."""
    return _store(settings.STORE_URL, settings.S3_ENDPOINT_URL)


@lru_cache(maxsize=8)
def _store(url: str, endpoint: str) -> Store:
    # Imported here: boto3 costs a quarter of a second, and a directory needs none of it.
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/"):
        from privacy.stores.directory import DirectoryStore

        return DirectoryStore(parts.path)
    if parts.scheme == "s3" and parts.netloc:
        from privacy.stores.s3 import S3Store

        return S3Store(bucket=parts.netloc, prefix=parts.path.strip("/"), endpoint=endpoint)
    raise ImproperlyConfigured("STORE_URL must be file:///absolute/path or s3://bucket/prefix.")
