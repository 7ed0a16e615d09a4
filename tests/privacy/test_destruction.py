"""Destroying: repeatable, confirmed by asking again, never claimed when it could not be observed."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.utils import timezone
from pytest_django.fixtures import Settings

from privacy import keystore, vault
from privacy.models import Blob
from privacy.retention import KEY_MARGIN
from privacy.stores import Store, store
from privacy.stores.s3 import PART_BYTES, S3Store
from privacy.tasks import sweep
from tests.privacy.conftest import S3Server

pytestmark = pytest.mark.django_db

NOBODY = "unix:///nowhere/key.sock"


def seal(size: int = 100) -> Blob:
    return vault.seal([os.urandom(size)], kind="source", group=uuid4(), limit=20_000_000)


@pytest.mark.parametrize("size", [0, 100, 11_000_000])
def test_destroyed_means_asked_for_again_in_vain(each_store: Store, size: int) -> None:
    blob = seal(size)
    destroyed = vault.destroy(blob.id)
    assert destroyed.state == Blob.State.DESTROYED
    assert destroyed.observation["key"] == destroyed.observation["object"] == "absent"
    assert destroyed.destroyed_at is not None
    assert destroyed.observation["at"] == destroyed.destroyed_at.isoformat(timespec="seconds")
    assert not each_store.exists(blob.object_name)
    assert not keystore.exists(blob.id)
    with pytest.raises(vault.Gone):
        vault.read(blob.id)


def test_destroying_twice_keeps_the_first_observation(each_store: Store) -> None:
    blob = seal()
    first = vault.destroy(blob.id)
    Blob.objects.filter(pk=blob.pk).update(observation={**first.observation, "at": "then"})
    assert vault.destroy(blob.id).observation["at"] == "then"


def test_discarding_deletes_the_row_too(each_store: Store) -> None:
    blob = seal()
    vault.discard(blob.id)
    vault.discard(blob.id)
    assert not Blob.objects.exists()
    assert list(each_store.names()) == []
    assert list(keystore.ids()) == []


def test_with_the_store_down_the_row_stays_open_and_the_sweep_comes_back(directory: Path) -> None:
    blob = seal()
    away = directory.with_name("away")
    directory.rename(away)
    directory.write_text("in the way")
    failed = vault.destroy(blob.id)
    assert (failed.state, failed.destroyed_at) == (Blob.State.DESTROYING, None)
    assert (failed.observation["key"], failed.observation["object"]) == ("absent", "unknown")
    with pytest.raises(vault.Gone):
        vault.read(blob.id)
    assert sweep() == 1
    assert Blob.objects.get().state == Blob.State.DESTROYING
    directory.unlink()
    away.rename(directory)
    assert (directory / blob.object_name).exists()
    assert sweep() == 1
    assert Blob.objects.get().state == Blob.State.DESTROYED
    assert not (directory / blob.object_name).exists()
    assert sweep() == 0


def test_with_s3_stopped_the_row_stays_open(rclone: S3Server, settings: Settings) -> None:
    settings.STORE_URL, settings.S3_ENDPOINT_URL = f"s3://bucket/{uuid4().hex}", rclone.endpoint
    blob = seal()
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    assert vault.destroy(blob.id).state == Blob.State.DESTROYING
    settings.S3_ENDPOINT_URL = rclone.endpoint
    assert store().exists(blob.object_name)
    sweep()
    assert Blob.objects.get().state == Blob.State.DESTROYED
    assert not store().exists(blob.object_name)


def test_uploads_are_listed_for_what_was_not_committed_alone(rclone: S3Server, settings: Settings) -> None:
    settings.STORE_URL, settings.S3_ENDPOINT_URL = f"s3://bucket/{uuid4().hex}", rclone.endpoint
    asked: list[str] = []
    place = store()
    assert isinstance(place, S3Store)
    place.client.meta.events.register("before-send.s3", lambda event_name, **_: asked.append(event_name.split(".")[2]))
    vault.destroy(seal(PART_BYTES + 1).pk)
    ends = asked[asked.index("CompleteMultipartUpload") + 1 :]
    assert ends == ["DeleteObject", "HeadObject"]
    writer = vault.write(kind="source", group=uuid4(), limit=20_000_000)
    writer.write(os.urandom(2 * PART_BYTES))  # and its process is killed
    asked.clear()
    destroyed = vault.destroy(writer.blob.pk)
    assert destroyed.observation["object"] == "absent"
    assert asked.count("ListMultipartUploads") == 2
    assert asked.count("AbortMultipartUpload") == 1
    assert list(place.names()) == []


def test_with_the_key_store_down_nothing_is_claimed_until_the_key_has_timed_out(
    directory: Path, settings: Settings
) -> None:
    blob, address = seal(), settings.KEYSTORE_URL
    settings.KEYSTORE_URL = NOBODY
    failed = vault.destroy(blob.id)
    assert (failed.state, failed.observation["key"]) == (Blob.State.DESTROYING, "unknown")
    assert not store().exists(blob.object_name)
    settings.KEYSTORE_URL = address
    assert vault.destroy(blob.id).observation["key"] == "absent"
    assert Blob.objects.get().state == Blob.State.DESTROYED


def test_a_key_store_lost_for_good_does_not_keep_rows_open_for_ever(directory: Path, settings: Settings) -> None:
    blob = seal()
    settings.KEYSTORE_URL = NOBODY
    Blob.objects.update(expires_at=timezone.now() - KEY_MARGIN - timedelta(seconds=1))
    destroyed = vault.destroy(blob.id)
    assert (destroyed.state, destroyed.observation["key"]) == (Blob.State.DESTROYED, "unknown")


def test_without_the_key_store_nothing_is_begun(each_store: Store, settings: Settings) -> None:
    settings.KEYSTORE_URL = NOBODY
    with pytest.raises(vault.Unavailable):
        seal()
    assert list(each_store.names()) == []
    assert not Blob.objects.exclude(state=Blob.State.DESTROYING).exists()


def test_a_store_that_fails_in_mid_write_leaves_nothing_readable(directory: Path) -> None:
    writer = vault.write(kind="source", group=uuid4(), limit=20_000_000)
    shutil.rmtree(directory)
    directory.write_text("in the way")
    writer.write(b"x" * 5_000_000)
    with pytest.raises(vault.Unavailable):
        writer.commit()
    assert not Blob.objects.filter(state=Blob.State.SEALED).exists()
    directory.unlink()
    sweep()
    assert not Blob.objects.open().exists()


def test_the_sweep_takes_what_is_due_and_nothing_else(each_store: Store) -> None:
    now = timezone.now()
    fresh, overdue = seal(), seal()
    writing, interrupted = (vault.write(kind="source", group=uuid4(), limit=10) for _ in range(2))
    Blob.objects.filter(pk=overdue.pk).update(expires_at=now - timedelta(seconds=1))
    Blob.objects.filter(pk=interrupted.blob.pk).update(created_at=now - timedelta(minutes=11))
    assert sweep() == 2
    states = dict(Blob.objects.values_list("pk", "state"))
    assert states == {
        fresh.pk: Blob.State.SEALED,
        overdue.pk: Blob.State.DESTROYED,
        writing.blob.pk: Blob.State.WRITING,
        interrupted.blob.pk: Blob.State.DESTROYED,
    }
    writing.abort()
    assert vault.readable(fresh.id)


def test_the_sweep_closes_rows_whose_object_is_gone_already(each_store: Store, no_keys: redis.Redis) -> None:
    """A bucket's lifecycle rule was faster, or the key store was emptied."""
    blob = seal()
    each_store.delete(blob.object_name)
    no_keys.flushall()
    Blob.objects.update(expires_at=timezone.now())
    assert sweep() == 1
    assert Blob.objects.get().observation["object"] == "absent"
    assert Blob.objects.get().state == Blob.State.DESTROYED


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key store has half a second for an answer."""
    monkeypatch.setattr(keystore, "_ANSWER_SECONDS", 0.5)
    keystore._client.cache_clear()
    yield
    keystore._client.cache_clear()


def test_a_hanging_key_store_ends_in_an_answer(directory: Path, no_keys: redis.Redis, impatient: None) -> None:
    """A stopped process accepts connections and never answers: the time-out must end it, and later all is well."""
    blob = seal()
    pid = no_keys.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        failed = vault.destroy(blob.id)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert failed.observation["key"] == "unknown"
    assert failed.state == Blob.State.DESTROYING
    assert vault.destroy(blob.id).state == Blob.State.DESTROYED
