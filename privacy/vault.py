"""Who can read stored bytes: only what is written (``sealing``), read here, and destroyed (``destruction``).

A blob's row is committed before its first byte and closed only when key and object are confirmed gone, so the table
is the inventory and the outbox of deletions. What is not sealed whole is never readable.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from typing import BinaryIO, cast
from uuid import UUID

import tink
from asgiref.sync import sync_to_async

from privacy import crypto, keystore
from privacy.destruction import destroy, discard
from privacy.errors import Gone, KeyLost, Tampered, TooLarge, Unavailable, VaultError
from privacy.models import Blob, BlobQuerySet
from privacy.sealing import SealedWriter, seal, write
from privacy.stores import store

__all__ = [
    "Gone",
    "KeyLost",
    "SealedWriter",
    "Tampered",
    "TooLarge",
    "Unavailable",
    "VaultError",
    "aread",
    "blobs",
    "destroy",
    "discard",
    "read",
    "readable",
    "seal",
    "write",
]

CHUNK_BYTES = 512 * 1024
PIECE_BYTES = 128 * 1024  # what Tink reads at a time
AHEAD_BYTES = CHUNK_BYTES + 2 * PIECE_BYTES  # what Tink needs for a chunk: a segment beyond it, in whole pieces


class _Source:
    """Where ciphertext comes from; remembers a failure of the store, which is not a forgery."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held: deque[bytes] = deque()
        self._size = 0
        self.closed = False
        self.failure: VaultError | None = None

    def hold(self, size: int) -> None:
        """Read until so many bytes are held, or to the end. Raises ``Unavailable``."""
        while self._size < size and (piece := self._read(PIECE_BYTES)):
            self._held.append(piece)
            self._size += len(piece)

    def read(self, size: int = -1) -> bytes:
        if not self._held:
            return self._read(size)
        piece = self._held.popleft()
        if 0 <= size < len(piece):
            self._held.appendleft(piece[size:])
            piece = piece[:size]
        self._size -= len(piece)
        return piece

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except VaultError as error:
            self.failure = error
        except OSError as error:
            self.failure = Unavailable(f"The store failed while reading ({type(error).__name__}).")
        raise self.failure from None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
        self._stream.close()


class _Reading:
    """A blob being read."""

    def __init__(self, blob: Blob, wrapped: bytes, source: _Source) -> None:
        self.source = source
        self._left = blob.plain_size
        self._stream = crypto.decrypting_stream(blob.id, wrapped, blob.master_key_id, cast(BinaryIO, source))

    def chunk(self) -> bytes:
        """The next plaintext, empty at the end. Raises ``Tampered`` or ``Unavailable``."""
        try:
            found = self._stream.read(CHUNK_BYTES)
        except (tink.TinkError, OSError):
            raise self.source.failure or Tampered("The object is not what was sealed.") from None
        self._left -= len(found)
        if not found and self._left:
            raise Tampered("The object does not hold as much as was sealed.")
        return found


def _opened(blob_id: UUID) -> tuple[_Reading, bytes]:
    """A blob, and its first chunk, by which all that can be wrong with it at the beginning shows."""
    blob = next(iter(Blob.objects.filter(pk=blob_id)), None)
    if blob is None or not blob.may_be_read():
        raise Gone("The blob is not there any more.")
    wrapped = keystore.get(blob.id)
    opened = store().open(blob.object_name)
    source = _Source(opened.stream)
    try:
        if opened.size != blob.sealed_size:
            raise Tampered("The object is not as long as what was sealed.")
        reading = _Reading(blob, wrapped, source)
        return reading, reading.chunk()
    except BaseException:
        source.close()
        raise


def read(blob_id: UUID) -> Generator[bytes, None, None]:
    """The plaintext in chunks of at most 512 KiB.

    Row, key, object and the first chunk are looked at before this returns, so a view can still answer with an error.
    Raises ``Gone``, ``KeyLost``, ``Tampered``, ``Unavailable``; later chunks may raise the last two.
    """
    return _chunks(*_opened(blob_id))


def _chunks(reading: _Reading, chunk: bytes) -> Generator[bytes, None, None]:
    with closing(reading.source):
        while chunk:
            yield chunk
            chunk = reading.chunk()


def readable(blob_id: UUID) -> bool:
    """Whether the blob is sealed, within its retention, and its key and object are there. Raises ``Unavailable``."""
    blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None or not blob.may_be_read():
        return False
    return keystore.exists(blob.id) and store().exists(blob.object_name, committed=True)


async def aread(blob_id: UUID) -> AsyncGenerator[bytes, None]:
    """``read`` for views under ASGI: the same chunks and errors; the store is read in a thread while a chunk is sent.

    Django buffers a plain iterator whole under ASGI. Opening is for the event loop: Tink keeps Python's lock, so that a
    thread that opens stalls the loop as well, and many that do keep taking the lock from each other. A chunk takes a
    fraction of a millisecond. Early errors come with the first chunk: ask for that one before answering.
    """
    reading, chunk = await sync_to_async(_opened)(blob_id)
    source = reading.source
    ahead: asyncio.Future[None] | None = None
    try:
        while chunk:
            ahead = asyncio.ensure_future(asyncio.to_thread(source.hold, AHEAD_BYTES))
            yield chunk
            # Shielded: a thread cannot be cancelled, and must not be left inside the source.
            await asyncio.shield(ahead)
            chunk = reading.chunk()
    finally:
        if ahead is not None and not ahead.done():
            await asyncio.wait([ahead])
        if ahead is not None and not ahead.cancelled():
            ahead.exception()  # seen: a reader who went away does not hear of it
        await asyncio.to_thread(source.close)


def blobs(group: UUID) -> BlobQuerySet:
    """All blobs of a group, destroyed ones too, oldest first."""
    return Blob.objects.filter(group=group).order_by("created_at", "id")
