"""What the vault promises, on both stores: whole or nothing, readable only with row, key and object, then gone."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from privacy import keystore, vault
from privacy.models import Blob
from privacy.retention import KEY_MARGIN, RETENTION
from privacy.stores import Store, store
from tests.privacy.streams import aread

pytestmark = pytest.mark.django_db

LIMIT = 64_000_000


def seal(data: bytes, kind: str = "source", group: UUID | None = None, keep: timedelta | None = None) -> Blob:
    step = 300_007
    chunks = (data[start : start + step] for start in range(0, len(data), step))
    return vault.seal(chunks, kind=kind, group=group or uuid4(), keep=keep, limit=LIMIT)


def opened(blob: Blob) -> bytes:
    return b"".join(vault.read(blob.id))


def replace(blob: Blob, data: bytes) -> None:
    """Put other bytes in the place of a blob's object, as somebody with access to the store could."""
    store().delete(blob.object_name)
    writer = store().writer(blob.object_name)
    writer.write(data)
    writer.commit()


def ciphertext(blob: Blob) -> bytes:
    return store().open(blob.object_name).stream.read()


@pytest.mark.parametrize("size", [0, 1, 1_048_576, 1_048_577, 12_345_678])
def test_what_was_sealed_comes_back(each_store: Store, size: int) -> None:
    data = os.urandom(size)
    blob = seal(data)
    chunks = list(vault.read(blob.id))
    assert b"".join(chunks) == data
    assert max(map(len, chunks), default=0) <= 1_048_576
    row = Blob.objects.get()
    assert (row.plain_size, row.sealed_size, row.state) == (size, len(ciphertext(blob)), Blob.State.SEALED)
    assert size < 16 or data[:16] not in ciphertext(blob)


def test_names_begin_with_the_lifetime_and_say_nothing_else(directory: Path) -> None:
    first, second = seal(b"the same", kind="upload"), seal(b"the same", kind="upload")
    assert first.object_name.split("/")[0] == second.object_name.split("/")[0] == "10m"
    assert first.object_name != second.object_name
    assert str(first.id).replace("-", "") not in first.object_name
    assert seal(b"x", kind="asset").object_name.startswith("26h/")


def test_the_row_is_there_before_the_first_byte(each_store: Store) -> None:
    writer = vault.write(kind="source", group=uuid4(), limit=10)
    row = Blob.objects.get()
    assert row.state == Blob.State.WRITING
    assert row.object_name not in list(each_store.names()) or each_store.exists(row.object_name)
    writer.abort()


@pytest.mark.django_db(transaction=True)
def test_a_blob_cannot_be_begun_in_a_transaction_that_may_be_undone(directory: Path) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"), transaction.atomic():
        vault.write(kind="source", group=uuid4(), limit=10)
    assert list(keystore.ids()) == []
    assert list(store().names()) == []


def test_an_unfinished_blob_is_not_readable(each_store: Store) -> None:
    writer = vault.write(kind="source", group=uuid4(), limit=LIMIT)
    writer.write(os.urandom(11_000_000))
    assert not vault.readable(writer.blob.id)
    with pytest.raises(vault.Gone):
        vault.read(writer.blob.id)
    writer.commit()
    assert vault.readable(writer.blob.id)


@pytest.mark.parametrize("size", [0, 10, 11_000_000])
def test_abort_leaves_no_row_no_key_no_object(each_store: Store, size: int) -> None:
    writer = vault.write(kind="source", group=uuid4(), limit=LIMIT)
    writer.write(os.urandom(size))
    writer.abort()
    writer.abort()
    assert nothing_left()
    with pytest.raises(vault.Gone):
        writer.write(b"more")
    with pytest.raises(vault.Gone):
        writer.commit()
    assert nothing_left()


def nothing_left() -> bool:
    return not Blob.objects.exists() and list(keystore.ids()) == [] and list(store().names()) == []


def test_leaving_by_an_exception_destroys_what_was_written(each_store: Store) -> None:
    """Tink would end the stream with a valid frame here; it must not reach the store."""

    def chunks() -> Iterator[bytes]:
        yield os.urandom(6_000_000)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vault.seal(chunks(), kind="source", group=uuid4(), limit=LIMIT)
    assert nothing_left()


def test_a_writer_that_is_forgotten_seals_nothing(each_store: Store) -> None:
    """Collecting the stream as garbage closes it, last frame included; the blob must not become whole by that."""
    writer = vault.write(kind="source", group=uuid4(), limit=LIMIT)
    writer.write(b"x" * 3_000_000)
    blob_id, name = writer.blob.id, writer.blob.object_name
    del writer
    gc.collect()
    with pytest.raises(vault.Gone):
        vault.read(blob_id)
    with pytest.raises(vault.Gone):
        store().open(name)
    assert vault.destroy(blob_id).state == Blob.State.DESTROYED
    assert list(store().names()) == []


def test_past_the_limit_nothing_is_left(each_store: Store) -> None:
    with pytest.raises(vault.TooLarge):
        vault.seal([b"x" * 5_000_000] * 3, kind="source", group=uuid4(), limit=14_999_999)
    assert nothing_left()
    assert vault.seal([b"x" * 5] * 3, kind="source", group=uuid4(), limit=15).plain_size == 15


@pytest.mark.parametrize("size", [100, 11_000_000])
def test_a_blob_destroyed_while_it_is_written_cannot_be_finished(each_store: Store, size: int) -> None:
    """S3 takes a small object in one request, so it may exist after its row was closed: it must go again."""
    writer = vault.write(kind="source", group=uuid4(), limit=LIMIT)
    writer.write(b"x" * size)
    assert vault.destroy(writer.blob.id).state == Blob.State.DESTROYED
    writer.write(b"x" * 100)
    with pytest.raises(vault.VaultError):
        writer.commit()
    assert list(store().names()) == []
    assert list(keystore.ids()) == []
    assert not vault.readable(writer.blob.id)


def test_a_blob_discarded_while_it_is_written_leaves_nothing(each_store: Store) -> None:
    writer = vault.write(kind="source", group=uuid4(), limit=LIMIT)
    writer.write(b"x" * 100)
    vault.discard(writer.blob.id)
    with pytest.raises(vault.VaultError):
        writer.commit()
    assert nothing_left()


@pytest.mark.parametrize("where", [0, 30, 1_048_600, -1])
def test_an_altered_byte_is_rejected(directory: Path, where: int) -> None:
    blob = seal(os.urandom(2_500_000))
    sealed = bytearray(ciphertext(blob))
    sealed[where] ^= 1
    replace(blob, bytes(sealed))
    with pytest.raises(vault.Tampered):
        opened(blob)


@pytest.mark.parametrize("cut", [1, 16, 500_000, 1_048_576, 2_400_000])
def test_truncated_and_lengthened_objects_are_rejected(each_store: Store, cut: int) -> None:
    blob = seal(os.urandom(2_500_000))
    sealed = ciphertext(blob)
    for changed in (sealed[:-cut], sealed + b"\0" * cut, sealed[cut:], b""):
        replace(blob, changed)
        with pytest.raises(vault.Tampered):
            opened(blob)


@pytest.mark.parametrize("cut", [1, 500_000, 1_048_576])
def test_the_size_on_the_row_is_not_what_the_truth_hangs_on(directory: Path, cut: int) -> None:
    """Even with a row that was made to agree, a shorter or longer object does not open."""
    blob = seal(os.urandom(2_500_000))
    sealed = ciphertext(blob)
    for changed in (sealed[:-cut], sealed + b"\0" * cut):
        replace(blob, changed)
        Blob.objects.update(sealed_size=len(changed))
        with pytest.raises(vault.Tampered):
            opened(blob)


def test_swapped_objects_are_rejected(each_store: Store) -> None:
    """Same size, both ours, each with its own key; and with each other's keys too."""
    one, two = seal(b"1" * 100), seal(b"2" * 100)
    first, second = ciphertext(one), ciphertext(two)
    replace(one, second)
    replace(two, first)
    for blob in (one, two):
        with pytest.raises(vault.Tampered):
            opened(blob)
    key = keystore.get(two.id)
    keystore.put(one.id, key, timedelta(minutes=1))
    with pytest.raises(vault.KeyLost):
        opened(one)


def test_a_lost_key_is_told_before_the_first_chunk(each_store: Store, no_keys: redis.Redis) -> None:
    blob = seal(b"x" * 3_000_000)
    no_keys.flushall()
    assert not vault.readable(blob.id)
    with pytest.raises(vault.KeyLost):
        vault.read(blob.id)


def test_a_lost_object_is_told_before_the_first_chunk(each_store: Store) -> None:
    blob = seal(b"x" * 3_000_000)
    store().delete(blob.object_name)
    assert not vault.readable(blob.id)
    with pytest.raises(vault.Gone):
        vault.read(blob.id)


def test_past_its_retention_a_blob_is_gone_even_before_the_sweep(directory: Path) -> None:
    blob = seal(b"x")
    Blob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not vault.readable(blob.id)
    with pytest.raises(vault.Gone):
        vault.read(blob.id)


def test_an_unknown_blob_is_gone() -> None:
    assert not vault.readable(uuid4())
    for action in (vault.read, vault.destroy, lambda blob_id: vault.destroy(blob_id, adopted_by=uuid4())):
        with pytest.raises(vault.Gone):
            action(uuid4())
    vault.discard(uuid4())


@pytest.mark.parametrize("kind", RETENTION)
def test_nothing_is_kept_longer_than_its_kind_allows(directory: Path, kind: str) -> None:
    longest = RETENTION[kind].longest
    blob = seal(b"x", kind=kind)
    assert blob.expires_at - blob.created_at == longest
    assert seal(b"x", kind=kind, keep=timedelta(seconds=9)).expires_at < blob.expires_at
    for keep in (longest + timedelta(seconds=1), timedelta(0), -longest):
        with pytest.raises(ValueError, match="kept"):
            seal(b"x", kind=kind, keep=keep)
    with pytest.raises(ValueError, match="no kind"):
        seal(b"x", kind="backup")


def test_the_key_dies_by_itself_a_little_after_the_blob(directory: Path, no_keys: redis.Redis) -> None:
    keep = timedelta(minutes=7)
    blob = seal(b"x", keep=keep)
    left = timedelta(milliseconds=no_keys.pttl(f"blob-key:{blob.id.hex}"))
    assert keep + KEY_MARGIN - timedelta(seconds=30) < left <= keep + KEY_MARGIN


def test_the_key_store_holds_no_key_in_the_clear(directory: Path, settings: Settings) -> None:
    """Without the master key, store and key store together open nothing."""
    blob = seal(b"x" * 100)
    settings.MASTER_KEYS = "test:" + base64.b64encode(os.urandom(32)).decode()
    with pytest.raises(vault.KeyLost):
        vault.read(blob.id)


def test_master_keys_rotate(directory: Path, settings: Settings) -> None:
    old, new = (f"{kid}:{base64.b64encode(os.urandom(32)).decode()}" for kid in ("old", "new"))
    settings.MASTER_KEYS = old
    before = seal(b"before")
    settings.MASTER_KEYS = f"{new},{old}"
    after = seal(b"after")
    assert (before.master_key_id, after.master_key_id) == ("old", "new")
    assert (opened(before), opened(after)) == (b"before", b"after")
    settings.MASTER_KEYS = new
    assert opened(after) == b"after"
    with pytest.raises(vault.KeyLost):
        opened(before)


def test_a_sealed_blob_is_adopted_as_it_goes(directory: Path) -> None:
    upload, group = seal(b"photo", kind="upload"), uuid4()
    assert list(vault.blobs(group)) == []
    assert vault.destroy(upload.id, adopted_by=group).group == group
    with pytest.raises(vault.Gone):
        vault.destroy(upload.id, adopted_by=uuid4())
    assert [blob.state for blob in vault.blobs(group)] == [Blob.State.DESTROYED]


@pytest.mark.django_db(transaction=True)
def test_async_reading_leaves_the_event_loop_free(each_store: Store) -> None:
    data = os.urandom(5_000_000)
    blob = seal(data)

    async def main() -> tuple[bytes, float]:
        ticks: list[float] = []

        async def tick() -> None:
            while True:
                ticks.append(time.monotonic())
                await asyncio.sleep(0.001)

        beside = asyncio.create_task(tick())
        got = b"".join([chunk async for chunk in aread(blob.id)])
        beside.cancel()
        await sync_to_async(connections.close_all)()
        return got, max(b - a for a, b in pairwise(ticks))

    got, longest_stall = asyncio.run(main())
    assert got == data
    assert longest_stall < 0.5


@pytest.mark.django_db(transaction=True)
def test_async_reading_tells_early_and_closes_when_dropped(directory: Path) -> None:
    blob = seal(os.urandom(5_000_000))

    async def dropped() -> None:
        chunks = aread(blob.id)
        await anext(chunks)
        await chunks.aclose()
        await sync_to_async(connections.close_all)()

    async def missing() -> None:
        try:
            await anext(aread(uuid4()))
        finally:
            await sync_to_async(connections.close_all)()

    asyncio.run(dropped())
    links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
    assert not any(blob.object_name in link for link in links)
    with pytest.raises(vault.Gone):
        asyncio.run(missing())


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")
