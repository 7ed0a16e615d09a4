"""A process keeps its connections to Postgres, has so many at most, and survives that they die."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection
from django.db.utils import ConnectionHandler

from modelmyimage import ending

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connections to keep"),
]
ALIAS = "pooled"


@pytest.fixture
def connections() -> Iterator[ConnectionHandler]:
    """The test's database as a site of its own reaches it, with one connection for a process."""
    pool = {**settings.DATABASE_POOL, "max_size": 1, "timeout": 2.0}
    place = {**connection.settings_dict, "OPTIONS": {"pool": pool}, "CONN_HEALTH_CHECKS": True}
    handler = ConnectionHandler({"default": place, ALIAS: place})
    yield handler
    mine: Any = handler[ALIAS]
    mine.close()
    mine.close_pool()


def backend(connections: ConnectionHandler) -> int:
    """The number of the server's process at the other end; the connection is given back, as after each request."""
    mine: Any = connections[ALIAS]
    try:
        with mine.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])
    finally:
        mine.close()


def test_a_thread_gets_the_connection_that_another_has_given_back(connections: ConnectionHandler) -> None:
    first = backend(connections)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(backend, connections).result() == first


def test_a_connection_that_died_is_replaced_before_anybody_gets_it(connections: ConnectionHandler) -> None:
    dead = backend(connections)
    with psycopg.connect(**connections[ALIAS].get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [dead])
    assert backend(connections) != dead


def test_whoever_finds_none_free_is_told_so_in_time(connections: ConnectionHandler) -> None:
    connections[ALIAS].ensure_connection()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(backend, connections)
        with pytest.raises(OperationalError):
            waiting.result()
        connections[ALIAS].close()
        assert thread.submit(backend, connections).result()


def test_a_forked_worker_keeps_its_connections_from_task_to_task(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelmyimage import celery

    [fixup] = celery.app._fixups
    own = fixup.worker_fixup
    monkeypatch.setattr(own, "_db", SimpleNamespace(connections=connections, DatabaseError=own.DatabaseError))
    pooled = {ALIAS: {"OPTIONS": {"pool": settings.DATABASE_POOL}}}
    monkeypatch.setattr(own, "_settings", SimpleNamespace(DATABASES=pooled))
    monkeypatch.setattr(own, "worker", SimpleNamespace(pool_cls="celery.concurrency.prefork:TaskPool"))
    first = backend(connections)
    own.close_database()
    second = backend(connections)
    assert second != first, "Celery by itself: this test is of use no more once that has changed"
    celery.keep_connections()
    own.close_database()
    assert backend(connections) == second


def test_a_process_that_ends_closes_its_pool_while_its_threads_can_still_run(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend(connections)
    pool = connections[ALIAS].pool  # type: ignore[attr-defined]  # Postgres's alone
    at_the_end: list[Any] = []
    monkeypatch.setattr(ending, "connections", connections)
    monkeypatch.setattr("atexit.register", at_the_end.append)
    apps.get_app_config("modelmyimage").ready()
    assert not pool.closed
    (close,) = at_the_end
    close()
    assert pool.closed
    assert backend(connections)  # whoever still asks is given a new one
