"""The contract that both stores keep."""

from __future__ import annotations

import os
from uuid import uuid4

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from pytest_django.fixtures import Settings

from privacy.errors import Gone, Unavailable, VersionsKept
from privacy.stores import Store, store
from privacy.stores.s3 import PART_BYTES, S3Store
from tests.privacy.conftest import S3Server

NAME = "1h/0123456789abcdef0123456789abcdef"

# One byte, one request, exactly one part, several parts and a bit.
SIZES = [0, 1, 100_000, PART_BYTES, 2 * PART_BYTES + 17]


def put(where: Store, name: str, data: bytes, step: int = 700_001) -> None:
    writer = where.writer(name)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
    writer.commit()


def get(where: Store, name: str) -> bytes:
    opened = where.open(name)
    found = b""
    while chunk := opened.stream.read(300_000):
        found += chunk
    opened.stream.close()
    assert opened.size == len(found)
    return found


@pytest.mark.parametrize("size", SIZES)
def test_what_was_committed_comes_back(each_store: Store, size: int) -> None:
    data = os.urandom(size)
    put(each_store, NAME, data)
    assert get(each_store, NAME) == data
    assert each_store.exists(NAME)
    assert list(each_store.names()) == [NAME]


@pytest.mark.parametrize("size", [100_000, 2 * PART_BYTES + 17])
def test_before_commit_there_is_nothing_to_read(each_store: Store, size: int) -> None:
    writer = each_store.writer(NAME)
    writer.write(os.urandom(size))
    with pytest.raises(Gone):
        each_store.open(NAME)
    writer.commit()
    assert each_store.open(NAME).size == size


def test_unfinished_writes_are_seen_and_deleted(each_store: Store) -> None:
    """A killed process leaves a write behind: it exists, it is listed, and deleting its name removes it."""
    writer = each_store.writer(NAME)
    writer.write(os.urandom(2 * PART_BYTES))
    assert each_store.exists(NAME)
    assert list(each_store.names()) == [NAME]
    each_store.delete(NAME)
    assert not each_store.exists(NAME)
    assert list(each_store.names()) == []
    with pytest.raises(Unavailable):
        writer.commit()
    assert not each_store.exists(NAME)


@pytest.mark.parametrize("size", [0, 5, 2 * PART_BYTES])
def test_abort_leaves_nothing(each_store: Store, size: int) -> None:
    writer = each_store.writer(NAME)
    writer.write(os.urandom(size))
    writer.abort()
    writer.abort()
    assert not each_store.exists(NAME)
    assert list(each_store.names()) == []
    with pytest.raises(Unavailable):
        writer.write(b"more")
    with pytest.raises(Unavailable):
        writer.commit()


def test_delete_is_repeatable_and_touches_only_its_name(each_store: Store) -> None:
    put(each_store, NAME, b"one")
    put(each_store, NAME + "0", b"longer name, same beginning")
    each_store.delete(NAME)
    each_store.delete(NAME)
    each_store.delete("1h/never-was")
    assert not each_store.exists(NAME)
    assert get(each_store, NAME + "0") == b"longer name, same beginning"


def test_what_is_not_there_is_gone(each_store: Store) -> None:
    assert not each_store.exists(NAME)
    assert list(each_store.names()) == []
    with pytest.raises(Gone):
        each_store.open(NAME)


def test_a_directory_is_private(directory: os.PathLike[str]) -> None:
    put(store(), NAME, b"x")
    path = os.path.join(directory, NAME)
    assert os.stat(directory).st_mode & 0o777 == 0o700
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_asked_is_no_absence(settings: Settings, tmp_path: os.PathLike[str]) -> None:
    """A path below something that is no directory: neither there nor absent."""
    file = os.path.join(tmp_path, "file")
    with open(file, "w"):
        pass
    settings.STORE_URL = f"file://{file}"
    for action in (store().exists, store().delete, store().open, store().writer):
        with pytest.raises(Unavailable):
            action(NAME)


def test_rclone_keeps_a_folder_that_has_one_in_it(settings: Settings, rclone: S3Server) -> None:
    """It removes what is empty after each deletion, and loses what somebody else is writing there (compose file)."""
    prefix = uuid4().hex
    settings.STORE_URL, settings.S3_ENDPOINT_URL = f"s3://bucket/{prefix}", rclone.endpoint
    folder = rclone.folder / "bucket" / prefix
    for name in ("1h", "10m"):
        if name == "1h":
            (folder / name / "stays").mkdir(parents=True)
        put(store(), f"{name}/object", b"x")
        assert list(store().names()) == [f"{name}/object"]
        store().delete(f"{name}/object")
    assert [(folder / name).is_dir() for name in ("1h", "10m")] == [True, False], "else no folder need stay"


def test_s3_that_is_down_is_unavailable(settings: Settings, rclone: S3Server) -> None:
    settings.STORE_URL, settings.S3_ENDPOINT_URL = "s3://bucket/x", "http://127.0.0.1:9"
    for action in (store().exists, store().delete, store().open):
        with pytest.raises(Unavailable):
            action(NAME)


def test_s3_requests_are_signed(settings: Settings, rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server really checks, so that what passes here passes at a real one."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    settings.STORE_URL, settings.S3_ENDPOINT_URL = f"s3://bucket/{uuid4().hex}", rclone.endpoint
    with pytest.raises(Unavailable, match="S3 refused"):
        store().open(NAME)


def test_s3_bodies_are_sent_without_asking_for_leave(settings: Settings, rclone: S3Server) -> None:
    """The client may miss the leave that it is given, and then waits for a second."""
    settings.STORE_URL, settings.S3_ENDPOINT_URL = f"s3://bucket/{uuid4().hex}", rclone.endpoint
    place, sent = store(), []
    assert isinstance(place, S3Store)
    place.client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
    put(place, NAME, os.urandom(PART_BYTES + 1))
    put(place, NAME + "0", b"a small one")
    assert [request.method for request in sent] == ["POST", "PUT", "PUT", "POST", "PUT"]
    assert not [request for request in sent if "Expect" in request.headers]


def test_deleting_from_a_bucket_with_versions_is_no_success(moto_bucket: tuple[object, str]) -> None:
    client, bucket = moto_bucket
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})  # type: ignore[attr-defined]
    put(store(), NAME, b"x")
    with pytest.raises(VersionsKept):
        store().delete(NAME)


def test_a_stranger_reads_nothing(rclone: S3Server, settings: Settings) -> None:
    prefix = uuid4().hex
    settings.STORE_URL, settings.S3_ENDPOINT_URL = f"s3://bucket/{prefix}", rclone.endpoint
    put(store(), NAME, b"x")
    stranger = boto3.client(
        "s3", endpoint_url=rclone.endpoint, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    with pytest.raises(ClientError):
        stranger.get_object(Bucket="bucket", Key=f"{prefix}/{NAME}")
