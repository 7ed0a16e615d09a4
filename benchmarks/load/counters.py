"""What the servers say they did: Postgres's transactions, rows and log, the Valkeys' commands; what is kept for good.

Postgres counts each statement outside a transaction as one, reading ones too; those that wrote are counted by the
numbers that it gave out. Its figures of rows come late by up to a second.
"""

from __future__ import annotations

import time
from typing import Any

LATE_SECONDS = 1.5


def database() -> dict[str, float]:
    """Counts since the server began; empty for SQLite, which counts nothing."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return {}
    time.sleep(LATE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xact_commit, xact_rollback, tup_inserted, tup_updated, tup_deleted, "
            "pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_lsn() - '0/0'::pg_lsn "
            "FROM pg_stat_database WHERE datname = current_database()"
        )
        row = cursor.fetchone()
    names = ("transactions", "rolled_back", "inserted", "updated", "deleted", "writing", "log_bytes")
    return {name: float(value) for name, value in zip(names, row, strict=True)}


def kept_bytes() -> int:
    """Bytes of all tables with their indexes, after what is dead was removed; 0 for SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")
        cursor.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid >= 16384")
        return int(cursor.fetchone()[0])


def commands(url: str) -> dict[str, float]:
    """How often a Valkey was sent each command, by name."""
    found: dict[str, Any] = _valkey(url).info("commandstats")
    return {name.removeprefix("cmdstat_"): float(said["calls"]) for name, said in found.items()}


def exchanges(url: str) -> float:
    """How often a Valkey was asked, and did more than wait: what a script or a pipeline does counts as one.

    By its count of what it read, less the calls that wait for a message. ``commands`` has what scripts call, too.
    """
    said: dict[str, Any] = _valkey(url).info("stats")
    return float(said["total_reads_processed"]) - commands(url).get("brpop", 0)


def bytes_of_a_key() -> float:
    """What one blob's key takes in the key store's memory: measured with a thousand that die at once."""
    from datetime import timedelta
    from uuid import uuid4

    from django.conf import settings

    from privacy import crypto, keystore

    server, ids = _valkey(settings.KEYSTORE_URL), [uuid4() for _ in range(1000)]
    before = int(server.info("memory")["used_memory"])
    for blob in ids:
        keystore.put(blob, crypto.new_blob_key(blob), timedelta(minutes=5))
    after = int(server.info("memory")["used_memory"])
    for blob in ids:
        keystore.drop(blob)
    return (after - before) / len(ids)


def _valkey(url: str) -> Any:
    import redis

    return redis.Redis.from_url(url.replace("redis+socket://", "unix://"))
