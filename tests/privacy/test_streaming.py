"""How blobs stream: in long segments, with the store read off the event loop and no further ahead than one chunk."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from tink.streaming_aead import streaming_aead_key_templates

from privacy import crypto, vault
from privacy.models import Blob
from privacy.opening import RUN_BYTES
from privacy.stores import ObjectReader, Opened, Store
from privacy.stores.directory import DirectoryStore
from tests.privacy.streams import aread

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 3_000_001


def seal(data: bytes) -> Blob:
    return vault.seal([data], kind="asset", group=uuid4(), limit=len(data))


async def fetched(blob_id: UUID) -> bytes:
    try:
        return b"".join([chunk async for chunk in aread(blob_id)])
    finally:
        await sync_to_async(connections.close_all)()


def test_sealing_adds_a_tag_for_each_64_kb(directory: Path) -> None:
    blob = seal(os.urandom(SIZE))
    assert blob.sealed_size - blob.plain_size == 40 + 16 * (SIZE // 65_520 + 1)


@pytest.mark.parametrize("name", ["AES256_GCM_HKDF_4KB", "AES256_GCM_HKDF_1MB"])
def test_what_was_sealed_in_other_segments_opens(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A release may find blobs of the one before, whose segments had 4 kB."""
    data = os.urandom(SIZE)
    with monkeypatch.context() as before:
        before.setattr(crypto, "_template", lambda: getattr(streaming_aead_key_templates, name))
        blob = seal(data)
    assert b"".join(vault.read(blob.id)) == data
    assert asyncio.run(fetched(blob.id)) == data


def watched(monkeypatch: pytest.MonkeyPatch, see: Callable[[int], None]) -> None:
    """Whatever is read of a file of the store is shown to ``see``, in the thread that reads it."""
    ours = DirectoryStore.open

    class Watched(io.RawIOBase):
        def __init__(self, stream: ObjectReader) -> None:
            super().__init__()
            self.stream = stream

        def readinto(self, into: Any) -> int:
            size = self.stream.readinto(into)
            see(size)
            return size

        def close(self) -> None:
            self.stream.close()
            super().close()

    def opened(store: DirectoryStore, name: str) -> Opened:
        found = ours(store, name)
        return Opened(found.size, cast(ObjectReader, Watched(found.stream)))

    monkeypatch.setattr(DirectoryStore, "open", opened)


def test_the_store_is_read_in_threads_and_no_further_than_the_next_chunk(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(SIZE)
    reads: list[tuple[int, threading.Thread]] = []
    blob = seal(data)
    watched(monkeypatch, lambda size: reads.append((size, threading.current_thread())))

    async def slow_reader() -> None:
        got, furthest = 0, 0
        async for chunk in aread(blob.id):
            await asyncio.sleep(0.02)  # time to read more than is allowed
            assert len(chunk) <= crypto.SEGMENT_BYTES
            furthest = max(furthest, sum(size for size, _ in reads) - got)
            got += len(chunk)
        assert furthest <= 2 * RUN_BYTES + blob.sealed_size - blob.plain_size  # the chunk in hand, and the next
        assert got == SIZE
        await sync_to_async(connections.close_all)()

    asyncio.run(slow_reader())
    assert sum(size for size, _ in reads) == blob.sealed_size
    assert not [size for size, thread in reads if size and thread is threading.main_thread()]


def test_a_reader_who_goes_away_leaves_no_complaint(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blob, failed, pieces = seal(os.urandom(SIZE)), threading.Event(), []

    def fails(size: int) -> None:
        pieces.append(size)
        if len(pieces) > 1:
            failed.set()
            raise vault.Unavailable("The store is away.")

    watched(monkeypatch, fails)

    async def goes_away() -> None:
        chunks = aread(blob.id)
        await anext(chunks)
        assert await asyncio.to_thread(failed.wait, 5)
        await chunks.aclose()
        await sync_to_async(connections.close_all)()

    async def stays() -> None:
        with pytest.raises(vault.Unavailable):
            await fetched(blob.id)

    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(goes_away())
        pieces.clear()
        asyncio.run(stays())
    assert caplog.records == []


def test_many_streams_keep_their_connections(each_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """S3's client keeps ten unless told otherwise, and closes the others after one use."""
    blob = seal(b"x" * 1000)
    with caplog.at_level(logging.WARNING, "urllib3.connectionpool"):
        streams = [each_store.open(blob.object_name).stream for _ in range(24)]
        assert {len(stream.read()) for stream in streams} == {blob.sealed_size}
        for stream in streams:
            stream.close()
    assert caplog.records == []
