"""How blobs stream: in long segments, with the store read off the event loop and no further ahead than one chunk."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from tink.streaming_aead import streaming_aead_key_templates

from privacy import crypto, vault
from privacy.models import Blob
from privacy.stores import Store

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 3_000_001


def seal(data: bytes) -> Blob:
    return vault.seal([data], kind="asset", group=uuid4(), limit=len(data))


async def fetched(blob_id: UUID) -> bytes:
    try:
        return b"".join([chunk async for chunk in vault.aread(blob_id)])
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


def test_the_store_is_read_in_threads_and_no_further_than_the_next_chunk(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, ours = os.urandom(SIZE), vault._Source._read
    reads: list[tuple[int, threading.Thread]] = []

    def noted(source: vault._Source, size: int) -> bytes:
        piece = ours(source, size)
        reads.append((len(piece), threading.current_thread()))
        return piece

    monkeypatch.setattr(vault._Source, "_read", noted)
    blob = seal(data)

    async def slow_reader() -> None:
        got, furthest = 0, 0
        async for chunk in vault.aread(blob.id):
            await asyncio.sleep(0.02)  # time to read more than is allowed
            assert len(chunk) <= vault.CHUNK_BYTES
            furthest = max(furthest, sum(size for size, _ in reads) - got)
            got += len(chunk)
        # The chunk in hand, what is held for the next, and what Tink has taken in.
        assert furthest <= vault.CHUNK_BYTES + vault.AHEAD_BYTES + 2 * vault.PIECE_BYTES
        assert got == SIZE
        await sync_to_async(connections.close_all)()

    asyncio.run(slow_reader())
    assert sum(size for size, _ in reads) == blob.sealed_size
    assert not [size for size, thread in reads if size and thread is threading.main_thread()]


def test_a_reader_who_goes_away_leaves_no_complaint(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blob, failed = seal(os.urandom(SIZE)), threading.Event()

    def fails(source: vault._Source, size: int) -> None:
        failed.set()
        raise vault.Unavailable("The store is away.")

    monkeypatch.setattr(vault._Source, "hold", fails)

    async def goes_away() -> None:
        chunks = vault.aread(blob.id)
        await anext(chunks)
        await asyncio.to_thread(failed.wait, 5)
        await chunks.aclose()
        await sync_to_async(connections.close_all)()

    async def stays() -> None:
        with pytest.raises(vault.Unavailable):
            await fetched(blob.id)

    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(goes_away())
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
