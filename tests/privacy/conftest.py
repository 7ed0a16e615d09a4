"""Both stores for every test that asks for ``each_store``; S3 is rclone's, with real signatures, on the disk."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
import redis
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from modelmyimage.local.ports import spare_port
from privacy.stores import Store, store
from tests.services import stop


@dataclass
class S3Server:
    """A running S3: where it listens, and the directory its objects lie in (rclone's only)."""

    endpoint: str
    folder: Path
    process: subprocess.Popen[bytes]


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen.")


@pytest.fixture(scope="session")
def credentials() -> Iterator[tuple[str, str]]:
    """A key and a secret, in the environment for as long as an S3 server runs; moto takes any."""
    with pytest.MonkeyPatch.context() as patch:
        key, secret = secrets.token_hex(8), secrets.token_hex(16)
        patch.setenv("AWS_ACCESS_KEY_ID", key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        yield key, secret


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory, credentials: tuple[str, str]) -> Iterator[S3Server]:
    """``rclone serve s3``."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bucket").mkdir()
    port = spare_port()
    binary = shutil.which("rclone", path=sysconfig.get_path("scripts")) or "rclone"
    process = subprocess.Popen(
        [binary, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", ",".join(credentials), str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_port(port, process)
        yield S3Server(f"http://127.0.0.1:{port}", folder, process)
    finally:
        stop(process)


@pytest.fixture(params=["directory", "s3"])
def each_store(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Store:
    """The configured store: a fresh directory, then a fresh prefix of a bucket."""
    if request.param == "directory":
        settings.STORE_URL = f"file://{tmp_path}/blobs"
    else:
        server: S3Server = request.getfixturevalue("rclone")
        settings.STORE_URL = f"s3://bucket/{uuid4().hex}"
        settings.S3_ENDPOINT_URL = server.endpoint
    return store()


@pytest.fixture
def directory(settings: Settings, tmp_path: Path) -> Path:
    """The configured store is a fresh directory, this one."""
    settings.STORE_URL = f"file://{tmp_path}/blobs"
    return tmp_path / "blobs"


@pytest.fixture(scope="session")
def moto(credentials: tuple[str, str]) -> Iterator[str]:
    """The address of a moto server, which has versioning and lifecycle rules but no signatures."""
    port = spare_port()
    process = subprocess.Popen(
        [shutil.which("moto_server", path=sysconfig.get_path("scripts")) or "moto_server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


@pytest.fixture
def moto_bucket(moto: str, settings: Settings) -> tuple[object, str]:
    """The configured store is a fresh bucket at moto's; returns a client and the bucket's name."""
    bucket = f"b-{uuid4().hex}"
    client = boto3.client("s3", endpoint_url=moto, region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    settings.STORE_URL = f"s3://{bucket}/mmi"
    settings.S3_ENDPOINT_URL = moto
    return client, bucket


@pytest.fixture(autouse=True)
def no_keys() -> Iterator[redis.Redis]:
    """The key store, empty at the start of each test."""
    client = redis.Redis.from_url(django_settings.KEYSTORE_URL)
    client.flushall()
    yield client
    client.close()
