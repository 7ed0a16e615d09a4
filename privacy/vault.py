"""Who can read stored bytes: only what is written (``sealing``), read here, and destroyed (``destruction``).

A blob's row is committed before its first byte and closed only when key and object are confirmed gone, so the table
is the inventory and the outbox of deletions. What is not sealed whole is never readable.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing
from uuid import UUID

from privacy import crypto, keystore
from privacy.destruction import Known, destroy, discard
from privacy.errors import Gone, KeyLost, Tampered, TooLarge, Unavailable, VaultError
from privacy.models import Blob, BlobQuerySet
from privacy.sealing import SealedWriter, seal, write
from privacy.stores import store

__all__ = [
    "Gone",
    "KeyLost",
    "Known",
    "Reading",
    "SealedWriter",
    "Tampered",
    "TooLarge",
    "Unavailable",
    "VaultError",
    "aread",
    "blobs",
    "destroy",
    "discard",
    "opened",
    "read",
    "readable",
    "seal",
    "write",
]


class Reading:
    """A blob being read: ``first`` is the beginning of its plaintext, ``over`` whether there is no more to come.

    The store's stream is closed when it was read to its end, and by ``close``.
    """

    def __init__(self, blob: Blob) -> None:
        """Raises what ``opened`` raises."""
        wrapped = keystore.get(blob.id)
        found = store().open(blob.object_name)
        self.close: Callable[[], None] = found.stream.close
        try:
            if found.size != blob.sealed_size:
                raise Tampered("The object is not as long as what was sealed.")
            self._left = blob.plain_size
            self._opening = crypto.opening(blob.id, wrapped, blob.master_key_id, found.stream, found.size)
            self.over = False
            self.first = self.more()
        except BaseException:
            self.close()
            raise

    def hold(self) -> None:
        """Wait for the store to give what ``more`` needs. Raises ``Tampered`` or ``Unavailable``."""
        self._opening.hold()
        if not self._opening.left:
            self.close()

    def more(self) -> list[bytes]:
        """The next chunks of plaintext; there are some until it is over. Raises ``Tampered`` or ``Unavailable``."""
        self.hold()
        found = self._opening.read()
        self._left -= sum(map(len, found))
        self.over = not self._opening.left
        if self.over and self._left:
            raise Tampered("The object does not hold as much as was sealed.")
        return found


def opened(of: Known) -> Reading:
    """A blob to be read. Row, key, object and first chunk are looked at, so a view can still answer with an error.

    Of one that was destroyed since its row was read, the key is gone. Raises ``Gone``, ``KeyLost``, ``Tampered``,
    ``Unavailable``.
    """
    blob = of if isinstance(of, Blob) else next(iter(Blob.objects.filter(pk=of)), None)
    if blob is None or not blob.may_be_read():
        raise Gone("The blob is not there any more.")
    return Reading(blob)


def read(of: Known) -> Generator[bytes, None, None]:
    """The plaintext in chunks as long as the blob's segments: 64 KiB.

    Raises what ``opened`` raises, at once; later chunks may raise ``Tampered`` and ``Unavailable``.
    """
    return _chunks(opened(of))


def _chunks(reading: Reading) -> Generator[bytes, None, None]:
    with closing(reading):
        yield from reading.first
        while not reading.over:
            yield from reading.more()


def readable(blob_id: UUID) -> bool:
    """Whether the blob is sealed, within its retention, and its key and object are there. Raises ``Unavailable``."""
    blob = next(iter(Blob.objects.filter(pk=blob_id)), None)
    if blob is None or not blob.may_be_read():
        return False
    return keystore.exists(blob.id) and store().exists(blob.object_name, committed=True)


async def aread(reading: Reading) -> AsyncGenerator[bytes, None]:
    """What ``read`` yields, for views under ASGI; a thread reads the store for a chunk while the one before is sent.

    Django buffers a plain iterator whole under ASGI. Opening is for the event loop: it takes 40 microseconds a chunk,
    and a thread would spend more than that on taking the interpreter's lock from the loop, once for each segment.
    Whoever has opened a blob and begins none of this leaves it to the garbage collector to close.
    """
    ahead: asyncio.Future[None] | None = None
    try:
        chunks = reading.first
        while not reading.over:
            ahead = asyncio.get_running_loop().run_in_executor(None, reading.hold)
            for chunk in chunks:
                yield chunk
            # Shielded: a thread cannot be cancelled, and must not be left inside the store's stream.
            await asyncio.shield(ahead)
            chunks = reading.more()
        for chunk in chunks:
            yield chunk
    finally:
        if ahead is not None and not ahead.done():
            await asyncio.wait([ahead])
        if ahead is not None and not ahead.cancelled():
            ahead.exception()  # seen: a reader who went away does not hear of it
        if not reading.over:
            await asyncio.to_thread(reading.close)


def blobs(group: UUID) -> BlobQuerySet:
    """All blobs of a group, destroyed ones too, oldest first."""
    return Blob.objects.filter(group=group).order_by("created_at", "id")
