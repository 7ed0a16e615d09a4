"""Where wrapped blob keys live: a Valkey or Redis of its own that writes nothing to disk.

Each key has a time-out a little above its blob's retention, so it dies by itself; dropping it makes the sealed
object noise at once, wherever copies of the object may be.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import cast
from uuid import UUID

import redis
from django.conf import settings

from privacy.errors import KeyLost, Unavailable

_PREFIX = "blob-key:"
_NO_TIME_OUT, _NO_KEY = -1, -2  # what PTTL says
_ANSWER_SECONDS = 5.0


@lru_cache(maxsize=8)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=2)


@contextmanager
def _server() -> Iterator[redis.Redis]:
    try:
        yield _client(settings.KEYSTORE_URL)
    except redis.RedisError as error:
        # The cause may quote the command, and with it a key.
        raise Unavailable(f"The key store did not answer ({type(error).__name__}).") from None


def ping() -> None:
    """Ask whether it is there. Raises ``Unavailable``."""
    with _server() as server:
        server.ping()


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


def drop(blob_id: UUID) -> bool:
    """Forget a blob's key, and ask for it again, in one exchange: whether it is still there. Raises ``Unavailable``.

    A key that is not there is forgotten already.
    """
    with _server() as server:
        pipeline = server.pipeline(transaction=False)
        pipeline.delete(_PREFIX + blob_id.hex)
        pipeline.exists(_PREFIX + blob_id.hex)
        return bool(pipeline.execute()[1])


def exists(blob_id: UUID) -> bool:
    """Whether the blob's key is there. Raises ``Unavailable``."""
    with _server() as server:
        return bool(server.exists(_PREFIX + blob_id.hex))


def lives(blob_ids: Iterable[UUID]) -> Iterator[tuple[UUID, timedelta | None]]:
    """How long each key has left before it dies by itself; ``None``: for ever. Keys that are gone are left out.

    Raises ``Unavailable``.
    """
    wanted = list(blob_ids)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        with _server() as server:
            pipeline = server.pipeline(transaction=False)
            for blob_id in some:
                pipeline.pttl(_PREFIX + blob_id.hex)
            left: list[int] = pipeline.execute()
        for blob_id, milliseconds in zip(some, left, strict=True):
            if milliseconds != _NO_KEY:
                yield blob_id, None if milliseconds == _NO_TIME_OUT else timedelta(milliseconds=milliseconds)


def ids() -> Iterator[UUID]:
    """The ids of all blobs that have a key, in no order. Raises ``Unavailable``."""
    with _server() as server:
        for name in server.scan_iter(match=_PREFIX + "*", count=1000):
            yield UUID(name.decode().removeprefix(_PREFIX))
