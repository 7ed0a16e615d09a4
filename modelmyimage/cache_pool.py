"""One process has one set of connections to the cache, whoever asks.

Django gives each request a cache of its own, which would connect anew: more than most of what is asked of it costs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import redis


@cache
def _shared(url: str, **options: Any) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(url, **options)


class SharedPool:
    """For ``CACHES``, as its ``pool_class``. Safe with threads; a forked child connects by itself."""

    @staticmethod
    def from_url(url: str, **options: Any) -> redis.ConnectionPool:
        """The pool of this process for that address. Connects on first need."""
        return _shared(url, **options)
