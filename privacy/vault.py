"""Who can read stored bytes: only what is written (``sealing``), read here, and destroyed (``destruction``).

A blob's row is committed before its first byte and closed only when key and object are confirmed gone, so the table
is the inventory and the outbox of deletions. What is not sealed whole is never readable.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
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
    "adopt",
    "aread",
    "blobs",
    "destroy",
    "discard",
    "read",
    "readable",
    "seal",
    "write",
]

CHUNK_BYTES = 1024 * 1024


class _Source:
    """Where ciphertext comes from; remembers a failure of the store, which is not a forgery."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.closed = False
        self.failure: VaultError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except VaultError as error:
            self.failure = error
            raise
        except OSError as error:
            self.failure = Unavailable(f"The store failed while reading ({type(error).__name__}).")
            raise

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
        self._stream.close()


def read(blob_id: UUID) -> Generator[bytes, None, None]:
    """The plaintext in chunks of at most 1 MiB.

    Row, key, object and the first chunk are looked at before this returns, so a view can still answer with an error.
    Raises ``Gone``, ``KeyLost``, ``Tampered``, ``Unavailable``; later chunks may raise the last two.
    """
    blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None or not blob.may_be_read():
        raise Gone("The blob is not there any more.")
    wrapped = keystore.get(blob.id)
    opened = store().open(blob.object_name)
    if opened.size != blob.sealed_size:
        opened.stream.close()
        raise Tampered("The object is not as long as what was sealed.")
    chunks = _chunks(blob, wrapped, _Source(opened.stream))
    first = next(chunks, b"")
    return _resumed(first, chunks)


def _chunks(blob: Blob, wrapped: bytes, source: _Source) -> Iterator[bytes]:
    size = 0
    try:
        stream = crypto.decrypting_stream(blob.id, wrapped, blob.master_key_id, cast(BinaryIO, source))
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            yield chunk
    except (tink.TinkError, OSError):
        raise source.failure or Tampered("The object is not what was sealed.") from None
    finally:
        source.close()
    if size != blob.plain_size:
        raise Tampered("The object does not hold as much as was sealed.")


def _resumed(first: bytes, rest: Iterator[bytes]) -> Generator[bytes, None, None]:
    if first:
        yield first
    del first
    yield from rest


def readable(blob_id: UUID) -> bool:
    """Whether the blob is sealed, within its retention, and its key and object are there. Raises ``Unavailable``."""
    blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None or not blob.may_be_read():
        return False
    return keystore.exists(blob.id) and store().exists(blob.object_name, committed=True)


async def aread(blob_id: UUID) -> AsyncGenerator[bytes, None]:
    """``read`` for views under ASGI: the same chunks and errors, each chunk fetched in a thread.

    Django buffers a plain iterator whole under ASGI, and decrypting in the event loop would stall everybody else.
    Early errors come with the first chunk: ask for that one before answering.
    """
    chunks = await sync_to_async(read)(blob_id)
    fetch: asyncio.Future[bytes] | None = None
    try:
        while True:
            fetch = asyncio.ensure_future(asyncio.to_thread(next, chunks, b""))
            # Shielded: a thread cannot be cancelled, and must not be left inside the iterator.
            chunk = await asyncio.shield(fetch)
            if not chunk:
                return
            yield chunk
    finally:
        if fetch is not None and not fetch.done():
            await asyncio.wait([fetch])
        await asyncio.to_thread(chunks.close)


def adopt(blob_id: UUID, group: UUID) -> None:
    """Move a sealed blob into another group: an upload becomes a job's. Raises ``Gone``."""
    if not Blob.objects.filter(pk=blob_id, state=Blob.State.SEALED).update(group=group):
        raise Gone("The blob is not there any more.")


def blobs(group: UUID) -> BlobQuerySet:
    """All blobs of a group, destroyed ones too, oldest first."""
    return Blob.objects.filter(group=group).order_by("created_at", "id")
