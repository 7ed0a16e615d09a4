"""How much memory sealing and opening one large blob takes, on both stores.

``python -m benchmarks.vault_memory [MB]`` prints, for each store, the peak above the base in MB (10^6 bytes) and the
speed in MB/s. Counted is memory of the process's own (anonymous and shared), looked at every millisecond: pages of
libraries come and go as the kernel likes. The base is a process that has just sealed and opened a blob of 6 MB.
Linux only.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

MEGABYTE = 1_000_000
CHUNK = 250_000


def measure(megabytes: int) -> dict[str, Any]:
    """Seal and open one blob of that size in this process, which must have its environment for Django set."""
    import django

    django.setup()
    from django.core.management import call_command

    from privacy import vault

    call_command("migrate", "privacy", verbosity=0)
    chunk, group, limit = os.urandom(CHUNK), uuid4(), megabytes * MEGABYTE
    # Two parts on S3, so that its client has done everything once.
    first = vault.seal([chunk] * 24, kind="source", group=group, limit=6 * MEGABYTE)
    assert sum(len(part) for part in vault.read(first.id)) == 6 * MEGABYTE

    found: dict[str, Any] = {}
    blob, found["seal"] = _measured(
        lambda: vault.seal(_chunks(chunk, limit // CHUNK), kind="source", group=group, limit=limit), megabytes
    )
    size, found["open"] = _measured(lambda: sum(len(part) for part in vault.read(blob.id)), megabytes)
    assert size == blob.plain_size == limit
    vault.destroy(blob.id)
    vault.destroy(first.id)
    return found


def _chunks(chunk: bytes, count: int) -> Iterator[bytes]:
    """Each a copy of its own, so that whoever keeps them all is found out."""
    for _ in range(count):
        yield bytes(memoryview(chunk))


def _measured(action: Callable[[], Any], megabytes: int) -> tuple[Any, dict[str, float]]:
    base, over = _own_memory(), threading.Event()
    peak = base

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.001):
            peak = max(peak, _own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    try:
        result = action()
    finally:
        seconds = time.monotonic() - start
        over.set()
        watcher.join()
    return result, {"base": base, "above": round(peak - base, 2), "speed": round(megabytes / seconds)}


def _own_memory() -> float:
    """Anonymous and shared memory of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = [line.split() for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
    if len(fields) != 2:
        raise RuntimeError("The kernel does not tell what memory is the process's own.")
    return sum(int(field[1]) for field in fields) * 1024 / 1_000_000


def in_child(megabytes: int, **environment: str) -> dict[str, Any]:
    """``measure`` in a process of its own; keyword arguments are environment variables."""
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks.vault_memory", "--here", str(megabytes)],
        # Large buffers are given back as they are freed, so that none is in the base and each is in the peak.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "262144", **environment},
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return dict(json.loads(out))


def main(megabytes: int) -> None:
    """Start what is needed, measure both stores, print a table."""
    os.environ["TEST_DATABASE"] = "sqlite"
    from tests import services  # starts the key store and fills the environment

    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
        (Path(folder) / "s3" / "bucket").mkdir(parents=True)
        port = 18_000 + os.getpid() % 2_000
        key, secret = token_hex(8), token_hex(16)
        os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
        binary = shutil.which("rclone", path=sysconfig.get_path("scripts")) or "rclone"
        rclone = subprocess.Popen(
            [binary, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{key},{secret}", f"{folder}/s3"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(1)
            print(f"{'store':<10} {'what':<5} {'base MB':>8} {'above MB':>9} {'MB/s':>6}   ({megabytes} MB)")
            for name, url, endpoint in (
                ("directory", f"file://{folder}/blobs", ""),
                ("s3", "s3://bucket/benchmark", f"http://127.0.0.1:{port}"),
            ):
                for what, figures in in_child(megabytes, STORE_URL=url, S3_ENDPOINT_URL=endpoint).items():
                    base, above, speed = figures.values()
                    print(f"{name:<10} {what:<5} {base:>8.1f} {above:>9.2f} {speed:>6.0f}")
        finally:
            services.stop(rclone)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 256)
