"""A store for a benchmark: a directory, or rclone's S3 server on 127.0.0.1 with one."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from benchmarks.watching import Watched
from modelmyimage.local.ports import LOOPBACK, spare_port


@contextmanager
def ready(kind: str, folder: str) -> Iterator[None]:
    """Set the environment for a store of this kind (``directory``, ``s3``) in the folder, until the end."""
    if kind == "directory":
        os.environ |= {"STORE_URL": f"file://{folder}/blobs", "S3_ENDPOINT_URL": ""}
        yield
        return
    from tests import services

    (Path(folder) / "s3" / "bucket").mkdir(parents=True)
    port, key, secret = spare_port(), token_hex(8), token_hex(16)
    os.environ |= {
        "STORE_URL": "s3://bucket/benchmark",
        "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{port}",
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    binary = shutil.which("rclone", path=sysconfig.get_path("scripts")) or "rclone"
    with (Path(folder) / "s3.log").open("wb") as log:
        server = services.GUARD.spawn(
            [binary, "serve", "s3", "--addr", f"{LOOPBACK}:{port}", "--auth-key", f"{key},{secret}", f"{folder}/s3"],
            output=log,
        )
    try:
        Watched(server.pid).listens(port)
        yield
    finally:
        services.stop(server)
