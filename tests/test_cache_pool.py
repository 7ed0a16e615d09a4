"""Requests share the process's connections to the cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.core.cache import cache, caches


def _pool() -> object:
    """As a request has it, whose thread is new."""
    cache.get("nothing")
    client = caches["default"]._cache  # type: ignore[attr-defined]  # what Django keeps it in
    return client.get_client().connection_pool


def test_threads_share_one_pool() -> None:
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        assert one.submit(_pool).result() is other.submit(_pool).result() is _pool()
