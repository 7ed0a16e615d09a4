"""How fast a sealed model leaves the web process, and a photo is sealed on its way in, beside the same bytes unsealed.

``python -m benchmarks.streaming [--store directory|s3] [--sizes 5,20,60,200] [--clients 1,16] [--rounds 5]
[--most 2000] [--only down|up]``: starts Postgres, two Valkeys and, for ``s3``, rclone's server; then the web process as
it is deployed, with references mounted beside (``streaming_site``). Downloads are of an asset by
``GET /api/v1/jobs/ID/asset`` with a key. Their reference, ``unsealed``, is the very same request, answered with the
same bytes as they lie in the same store; ``bare`` asks for no key and looks up no job either, so beside it a small file
shows what the request costs, not the seal. Uploads, of sizes up to the limit for photos, are sealed by the API's own
code, as a body and as a form; their reference reads the same request and hashes it. All are asked in turns; ``--most``
bounds the megabytes of one kind (two rounds at least).

Printed are MB/s (10^6 bytes) of all clients together (median of the rounds), median and 95 % of single transfers and
their number, the web process's processor seconds for 1 GB (median), and its peak resident memory above what it was
before a round (the most of all). Ratios are the sealed by each reference. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from benchmarks import wire
from benchmarks.watching import Watched
from modelmyimage.local.ports import spare_port

MEGABYTE = 1_000_000
PIECE = 1024 * 1024

Transfer = Callable[[], int]
"""Moves a file; how many bytes it has."""


@dataclass
class Found:
    """What rounds of one kind of transfer took: MB/s, processor seconds for 1 GB and MB above base, one for each round;
    seconds, one for each transfer.
    """

    rates: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    above: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def line(self) -> str:
        """The figures of a line of the table."""
        times = sorted(self.times)
        slow = times[min(len(times) - 1, int(0.95 * len(times)))]
        return (
            f"{median(self.rates):>7.0f} {1000 * median(times):>8.0f} {1000 * slow:>7.0f} {len(times):>4} "
            f"{median(self.processor):>7.2f} {max(self.above):>8.1f}"
        )


@dataclass
class Site:
    """The web process and what may be asked of it."""

    port: int
    secret: str
    process: Watched

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}

    def fetch(self, path: str, see: Callable[[memoryview], None] | None = None) -> int:
        """Get a file; how many bytes came."""
        return wire.fetched(self.port, path, self._headers, see)

    def send(self, path: str, body: bytes, media_type: str) -> int:
        """Post a file; how many bytes the server says it took."""
        return int(wire.sent(self.port, path, body, {**self._headers, "Content-Type": media_type})[0])


def turns(what: str, ways: Mapping[str, Transfer], site: Site, count: int, rounds: int) -> None:
    """So many clients at once do each in turns, the sealed one first; prints all, and its ratio to each other."""

    def timed(act: Transfer, found: Found) -> int:
        began = time.perf_counter()
        size = act()
        found.times.append(time.perf_counter() - began)
        return size

    all_found = {name: Found() for name in ways}
    with ThreadPoolExecutor(count) as crowd:
        for number in range(rounds + 1):
            for name, act in ways.items():
                into = all_found[name] if number else Found()  # the first round warms up
                with site.process.span() as span:
                    sizes = list(crowd.map(lambda _, act=act, into=into: timed(act, into), range(count)))
                size = sum(sizes)
                into.rates.append(size / MEGABYTE / span.seconds)
                into.processor.append(span.processor / (size / 1e9))
                into.above.append(span.above)
    (_, sealed), *others = all_found.items()
    print(f"{what:<24} sealed    {sealed.line()}")
    for name, found in others:
        worked = median(found.processor)  # in steps of 10 ms: small rounds may show none
        print(f"{'':<24} {name:<9} {found.line()}   ratio {median(sealed.rates) / median(found.rates):.2f}"
              f"{f', processor {median(sealed.processor) / worked:.2f}' if worked else ''}", flush=True)  # fmt: skip


def delivered(owner: Any, data: bytes) -> dict[str, str]:
    """A job with these bytes as its asset, and the same bytes as a plain object: the paths by which they are had."""
    from django.utils import timezone

    from generation.models import Job
    from privacy import vault
    from privacy.stores import store

    now, job_id = timezone.now(), uuid4()
    blob = vault.seal(pieces(data), kind="asset", group=job_id, limit=len(data))
    Job.objects.create(
        id=job_id, owner=owner, stage=Job.Stage.DELIVER, asset_id=blob.pk, asset_bytes=len(data), created_at=now,
        due_at=now + timedelta(hours=1), deadline_at=now, ready_at=now, asset_expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    name = f"plain/{blob.pk.hex}"
    writer = store().writer(name)
    for piece in pieces(data):
        writer.write(piece)
    writer.commit()
    path = f"/api/v1/jobs/{job_id}/asset"
    return {"sealed": path, "unsealed": f"/unsealed{path}", "bare": f"/bare/{name}"}


def pieces(data: bytes) -> Iterator[bytes]:
    """The bytes, 1 MiB at a time."""
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def downloads(site: Site, owner: Any, sizes: list[int], clients: list[int], rounds: int, most: int) -> None:
    """The table of downloads."""
    for megabytes in sizes:
        data = os.urandom(megabytes * MEGABYTE)
        paths = delivered(owner, data)
        for path in paths.values():
            digest = hashlib.sha256()
            assert site.fetch(path, digest.update) == len(data)
            assert digest.digest() == hashlib.sha256(data).digest()
        del data
        for count in clients:
            ways = {name: partial(site.fetch, path) for name, path in paths.items()}
            turns(f"down, {count} x {megabytes} MB", ways, site, count, rounds_of(rounds, most, megabytes * count))


def uploads(site: Site, sizes: list[int], clients: list[int], rounds: int, most: int) -> None:
    """The table of uploads."""
    from django.conf import settings

    boundary = uuid4().hex
    before = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="p"\r\n\r\n'.encode()
    for megabytes in (size for size in sizes if size * MEGABYTE <= settings.UPLOAD_LIMIT_BYTES):
        data = os.urandom(megabytes * MEGABYTE)
        form = b"".join((before, data, f"\r\n--{boundary}--\r\n".encode()))
        for kind, body, media_type in (
            ("body", data, "image/jpeg"),
            ("form", form, f"multipart/form-data; boundary={boundary}"),
        ):
            for path in ("/sealed", "/hashed"):
                assert site.send(path, body, media_type) == len(data)
            for count in clients:
                ways = {name: partial(site.send, f"/{name}", body, media_type) for name in ("sealed", "hashed")}
                turns(f"up, {kind}, {count} x {megabytes} MB", ways, site, count,
                      rounds_of(rounds, most, megabytes * count))  # fmt: skip


def rounds_of(rounds: int, most: int, megabytes: int) -> int:
    """How many rounds of so many megabytes are made."""
    return max(2, min(rounds, most // megabytes))


def main() -> None:
    """Start everything, measure, stop everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", choices=("directory", "s3"), default="directory")
    parser.add_argument("--sizes", default="5,20,60,200")
    parser.add_argument("--clients", default="1,16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=2000)
    parser.add_argument("--only", choices=("down", "up"))
    asked = parser.parse_args()
    sizes, clients = ([int(number) for number in text.split(",")] for text in (asked.sizes, asked.clients))

    import django

    from benchmarks import stores
    from tests import services  # starts Postgres and two Valkeys, and sets the environment

    with tempfile.TemporaryDirectory(prefix="mmi-", dir=services.FOLDER) as folder, stores.ready(asked.store, folder):
        django.setup()
        from django.core.management import call_command

        from accounts import keys
        from accounts.models import User

        call_command("migrate", verbosity=0)
        owner = User.objects.create_user("owner@example.com")
        _, secret = keys.make(owner=owner, name="streaming", scopes=["generate"])
        port = spare_port()
        server = services.GUARD.spawn(
            [sys.executable, "-m", "benchmarks.streaming_site"],
            output=(Path(folder) / "web.log").open("wb"),
            # As deployed: the tests, which set this environment, have each request open a connection to Postgres.
            env={name: value for name, value in os.environ.items() if name != "DATABASE_CONNECTIONS"}
            | {"PORT": str(port)},
        )
        try:
            site = Site(port, secret, Watched(server.pid))
            site.process.listens(port)
            print(f"{asked.store}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f} before")
            print(f"{'':<34} {'MB/s':>7} {'p50 ms':>8} {'p95 ms':>7} {'n':>4} {'cpu s/GB':>7} {'above MB':>8}")
            if asked.only != "up":
                downloads(site, owner, sizes, clients, asked.rounds, asked.most)
            if asked.only != "down":
                uploads(site, sizes, clients, asked.rounds, asked.most)
            print(f"load {os.getloadavg()[0]:.2f} after")
        except Exception:
            print((Path(folder) / "web.log").read_text()[-2000:], file=sys.stderr)
            raise
        finally:
            services.stop(server)


if __name__ == "__main__":
    main()
