"""Where wrapped blob keys live: a Valkey or Redis of its own that writes nothing to disk.

Each key has a time-out a little above its blob's retention, so it dies by itself; dropping it makes the sealed
object noise at once, wherever copies of the object may be.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import cast
from uuid import UUID

import redis
from django.conf import settings

from privacy.errors import KeyLost, Unavailable

_PREFIX = "blob-key:"


@lru_cache(maxsize=8)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)


@contextmanager
def _server() -> Iterator[redis.Redis]:
    try:
        yield _client(settings.KEYSTORE_URL)
    except redis.RedisError as error:
        # The cause may quote the command, and with it a key.
        raise Unavailable(f"The key store did not answer ({type(error).__name__}).") from None


def put(blob_id: UUID, wrapped: bytes, ttl: timedelta) -> None:
    """Keep a blob's wrapped key for ``ttl``. Raises ``Unavailable``."""
    with _server() as server:
        server.set(_PREFIX + blob_id.hex, wrapped, px=ttl)


def get(blob_id: UUID) -> bytes:
    """A blob's wrapped key. Raises ``KeyLost`` or ``Unavailable``."""
    with _server() as server:
        wrapped = cast("bytes | None", server.get(_PREFIX + blob_id.hex))
    if wrapped is None:
        raise KeyLost("The key store holds no key for this blob.")
    return wrapped


def drop(blob_id: UUID) -> None:
    """Forget a blob's key; a key that is not there is forgotten already. Raises ``Unavailable``."""
    with _server() as server:
        server.delete(_PREFIX + blob_id.hex)


def exists(blob_id: UUID) -> bool:
    """Whether the blob's key is there. Raises ``Unavailable``."""
    with _server() as server:
        return bool(server.exists(_PREFIX + blob_id.hex))


def ids() -> Iterator[UUID]:
    """The ids of all blobs that have a key, in no order. Raises ``Unavailable``."""
    with _server() as server:
        for name in server.scan_iter(match=_PREFIX + "*", count=1000):
            yield UUID(name.decode().removeprefix(_PREFIX))
