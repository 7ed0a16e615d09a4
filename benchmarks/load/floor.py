"""The physical floor of a job: the same bytes hashed, sealed, copied and stored, the same transactions, and no more.

One process, one thing after another, as bare as the libraries allow; the servers are those of the site, and what they
use counts, as it does for a job. What a job does is counted first: its blobs, the bytes that it moves, its transactions
and rows, its exchanges with the Valkeys; so a job that asks the database less often has a lower floor as well. S3 is
asked by the client that the site has, for each blob once to put, get and delete it, and not whether it is gone. And the
work that is no overhead: the photo decoded and redrawn, cut out, the mesh made anew, by the very functions that a job
calls.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from benchmarks.load.accounting import Accounts, used

CHUNK = 64 * 1024
ROW_BYTES = 400
"""About as much as a row of a job has."""


@dataclass(frozen=True)
class Load:
    """What one job was seen to do: sizes in bytes, how many of each operation."""

    blobs: Sequence[int]
    """Plain sizes; each is sealed once and opened once."""
    moved: int
    """Bytes through sockets: in, out, to the provider and back, to the store and back."""
    writing: int
    reading: int
    """Transactions that wrote, and that only read."""
    rows: int
    """Rows inserted, updated, deleted."""
    exchanges: int
    """With the two Valkeys; a script or a pipeline is one, whatever it does there."""


@dataclass(frozen=True)
class Cost:
    """Seconds for one job: by the clock, and of processors, servers included."""

    wall: float
    cpu: float


def measure(parts: Mapping[str, Callable[[], None]], accounts: Accounts, times: int) -> dict[str, Cost]:
    """Each part, so many times, after once to warm up."""
    found = {}
    for name, part in parts.items():
        part()
        before, began = accounts.seconds(), time.perf_counter()
        for _ in range(times):
            part()
        wall = (time.perf_counter() - began) / times
        kinds = used(before, accounts.seconds())
        counted = sum(kinds[kind] for kind in ("client", *SERVERS[name.split(":")[0]]))
        found[name] = Cost(wall, counted / times)
    return found


SERVERS = {"hash and AES-GCM": (), "socket copy": (), "Postgres": ("postgres",), "S3": ("s3",),
           "Valkey": ("broker", "keystore"), "work": ()}  # fmt: skip


def floor_parts(load: Load) -> dict[str, Callable[[], None]]:
    """What any site must do for such a job, by what does it."""
    return {
        "hash and AES-GCM": lambda: _sealed(load.blobs),
        "socket copy": lambda: _copied(load.moved),
        "Postgres": _transactions(load),
        "S3": _requests(load),
        "Valkey": _exchanges(load.exchanges),
    }


def work_parts(photo: bytes, mesh: bytes) -> dict[str, Callable[[], None]]:
    """What a job is for."""
    from generation import engine, images, meshes

    picture = images.normalise([photo]).data
    return {
        "work: photo redrawn": lambda: _done(images.normalise([photo])),
        "work: cut out": lambda: _done(engine.encode_cut_out(engine.cut_out(picture))),
        "work: mesh made anew": lambda: _done(meshes.inspect([mesh])),
    }


def _done(_: object) -> None:
    """What was made is dropped."""


def _sealed(sizes: Sequence[int]) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    for size in sizes:
        plain, key, nonce = os.urandom(1024) * (size // 1024 + 1), AESGCM(os.urandom(32)), os.urandom(12)
        sealed = key.encrypt(nonce, plain, None)
        hashlib.sha256(sealed).digest()
        key.decrypt(nonce, sealed, None)


def _copied(size: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.create_connection(server.getsockname())
        here, _ = server.accept()
        with there, here:
            piece = bytes(CHUNK)

            def send() -> None:
                for _ in range(size // CHUNK + 1):
                    there.sendall(piece)
                there.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send)
            sender.start()
            into = bytearray(CHUNK)
            while here.recv_into(into):
                pass
            sender.join()


def _transactions(load: Load) -> Callable[[], None]:
    """Each in a round trip of its own: rows are written in as many transactions, and read by their key."""
    import psycopg
    from django.conf import settings

    place = settings.DATABASES["default"]
    connection = psycopg.connect(
        host=place["HOST"], port=place["PORT"], user=place["USER"], password=place["PASSWORD"], dbname=place["NAME"],
        autocommit=True,
    )  # fmt: skip
    connection.execute("CREATE TABLE IF NOT EXISTS benchmark_floor (id uuid PRIMARY KEY, body text)")
    body, many = "x" * ROW_BYTES, max(1, round(load.rows / max(1, load.writing)))
    insert = "INSERT INTO benchmark_floor SELECT gen_random_uuid(), %s FROM generate_series(1, %s)"

    def run() -> None:
        known = uuid4()
        connection.execute("INSERT INTO benchmark_floor VALUES (%s, %s)", (known, body))
        for number in range(load.writing - 1):
            if number % 2:
                connection.execute(insert, (body, many))
            else:
                connection.execute("UPDATE benchmark_floor SET body = %s WHERE id = %s", (body, known))
        for _ in range(load.reading):
            connection.execute("SELECT * FROM benchmark_floor WHERE id = %s", (known,)).fetchone()

    return run


def forget_rows() -> None:
    """Remove the table that the transactions were tried on."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_floor")


def _requests(load: Load) -> Callable[[], None]:
    """By boto3's client alone: the blobs put, got and deleted."""
    from privacy.stores import store
    from privacy.stores.s3 import S3Store

    place = store()
    assert isinstance(place, S3Store)
    client, bucket = place.client, place.bucket

    def run() -> None:
        names = [f"benchmark/{uuid4().hex}" for _ in load.blobs]
        for name, size in zip(names, load.blobs, strict=True):
            client.put_object(Bucket=bucket, Key=name, Body=bytes(size))
            client.get_object(Bucket=bucket, Key=name)["Body"].read()
        for name in names:
            client.delete_object(Bucket=bucket, Key=name)

    return run


def _exchanges(count: int) -> Callable[[], None]:
    import redis
    from django.conf import settings

    client = redis.Redis.from_url(settings.KEYSTORE_URL)

    def run() -> None:
        for number in range(count):
            if number % 2:
                client.get("benchmark")
            else:
                client.set("benchmark", bytes(300), px=60_000)

    return run
