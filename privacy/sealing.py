"""How bytes become a blob: the row is committed before the first byte, and only a whole write is ever sealed.

Tink ends a stream with a valid last frame even when it is left by an exception. So a write that fails is cut off from
the store first, the store gives an object its name only on ``commit``, and the row says ``sealed`` only after that.
"""

import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import BinaryIO, Self, cast
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from privacy import crypto, keystore
from privacy.destruction import destroy, discard
from privacy.errors import Gone, TooLarge, Unavailable, VaultError
from privacy.models import Blob
from privacy.retention import KEY_MARGIN, RETENTION
from privacy.stores import ObjectWriter, store

PIECE_BYTES = 64 * 1024


class _Sink:
    """Where Tink's ciphertext goes: measured, digested, stored; a dead end once ``dead``."""

    def __init__(self, target: ObjectWriter) -> None:
        self._target = target
        self.size = 0
        self.sha256 = hashlib.sha256()
        self.dead = False
        self.closed = False
        self.failure: VaultError | None = None

    def write(self, data: bytes) -> int:
        if not self.dead:
            try:
                self._target.write(data)
            except VaultError as error:  # Tink would lose it
                self.dead, self.failure = True, error
                raise
            self.size += len(data)
            self.sha256.update(data)
        return len(data)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


class SealedWriter:
    """One blob being written; as a context manager it aborts what was not committed."""

    def __init__(self, blob: Blob, wrapped: bytes, target: ObjectWriter, limit: int) -> None:
        self.blob = blob
        self._target = target
        self._limit = limit
        self._over = False
        self._sink = _Sink(target)
        sink = cast(BinaryIO, self._sink)
        self._stream = crypto.encrypting_stream(blob.id, wrapped, blob.master_key_id, sink)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    def write(self, data: bytes) -> None:
        """Seal the next bytes. Raises ``TooLarge`` or ``Unavailable``, and then everything written is destroyed."""
        if self._over:
            raise Gone("The write is over.")
        if self.blob.plain_size + len(data) > self._limit:
            self.abort()
            raise TooLarge("More bytes than this blob may have.")
        self.blob.plain_size += len(data)
        try:
            # In small pieces, since Tink copies what it is handed.
            for start in range(0, len(data), PIECE_BYTES):
                self._stream.write(data[start : start + PIECE_BYTES])
        except Exception:
            self.abort()
            raise self._sink.failure or Unavailable("Sealing failed.") from None

    def commit(self) -> Blob:
        """End the blob; from here on it can be read.

        Raises ``Gone`` when it was destroyed meanwhile and ``Unavailable`` when the store fails; nothing is left then.
        """
        if self._over:
            raise Gone("The write is over.")
        blob = self.blob
        try:
            self._stream.close()
            self._target.commit()
        except Exception:
            self.abort()
            raise self._sink.failure or Unavailable("The blob could not be finished.") from None
        blob.sealed_size, blob.sealed_sha256 = self._sink.size, self._sink.sha256.hexdigest()
        # Conditional: the sweep may have taken a slow writer for an interrupted one.
        sealed = Blob.objects.filter(pk=blob.pk, state=Blob.State.WRITING).update(
            state=Blob.State.SEALED,
            plain_size=blob.plain_size,
            sealed_size=blob.sealed_size,
            sealed_sha256=blob.sealed_sha256,
        )
        self._over = True
        if not sealed:
            # The object may have come to be after its row was closed, so the row is opened and closed once more;
            # and after its row was deleted, which nobody would come back for.
            with suppress(Unavailable):
                store().delete(blob.object_name)
            Blob.objects.filter(pk=blob.pk).update(state=Blob.State.DESTROYING, destroyed_at=None)
            with suppress(Gone):
                destroy(blob.pk)
            raise Gone("The blob was destroyed while it was being written.")
        blob.state = Blob.State.SEALED
        return blob

    def abort(self) -> None:
        """Destroy what was written and remove the row; harmless after ``commit`` and when repeated.

        Never raises for a store that is down: the row then stays open for the sweep.
        """
        if self._over:
            return
        self._over = True
        # Closing the stream writes a valid last frame, so it must have nowhere to go.
        self._sink.dead = True
        with suppress(Exception):
            self._stream.close()
        with suppress(Unavailable):
            self._target.abort()
        # A row that somebody else has begun to close stays with them, and in their receipt.
        if Blob.objects.filter(pk=self.blob.pk, state=Blob.State.WRITING).exists():
            discard(self.blob.pk)


def write(*, kind: str, group: UUID, keep: timedelta | None = None, limit: int) -> SealedWriter:
    """Begin a blob of at most ``limit`` plaintext bytes that may exist for ``keep`` (default: all its kind allows).

    Must not be called inside a transaction: the row has to be there before the bytes, whatever happens.
    Raises ``ValueError`` for an unknown kind or too long a ``keep``, and ``Unavailable``.
    """
    period = RETENTION.get(kind)
    if period is None:
        raise ValueError(f"{kind!r} is no kind of blob; privacy/retention.py lists them.")
    keep = period.longest if keep is None else keep
    if not timedelta(0) < keep <= period.longest:
        raise ValueError(f"A blob of kind {kind!r} may be kept for {period.longest} at most.")
    now = timezone.now()
    blob = Blob(
        id=uuid4(),
        group=group,
        kind=kind,
        object_name=f"{period.lifetime}/{secrets.token_hex(16)}",
        master_key_id=crypto.active_master_key(),
        created_at=now,
        expires_at=now + keep,
    )
    _outside_transactions()
    blob.save(force_insert=True)
    try:
        wrapped = crypto.new_blob_key(blob.id)
        keystore.put(blob.id, wrapped, keep + KEY_MARGIN)
        return SealedWriter(blob, wrapped, store().writer(blob.object_name), limit)
    except BaseException:
        discard(blob.id)
        raise


def _outside_transactions() -> None:
    """Raises ``RuntimeError`` inside a transaction, a test's own aside: what is saved now is there now.

    As ``transaction.atomic(durable=True)``, which begins and ends a transaction around a statement that is one itself.
    """
    around = transaction.get_connection().atomic_blocks
    if around and not around[-1]._from_testcase:
        raise RuntimeError("A blob is not begun inside a transaction: its row would not be there before its bytes.")


def seal(chunks: Iterable[bytes], *, kind: str, group: UUID, keep: timedelta | None = None, limit: int) -> Blob:
    """Write a whole blob from chunks. Raises what ``write`` and its writer raise, and whatever ``chunks`` raises."""
    with write(kind=kind, group=group, keep=keep, limit=limit) as writer:
        for chunk in chunks:
            writer.write(chunk)
        return writer.commit()
