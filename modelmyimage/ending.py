"""A process that ends closes its database connections first, while the threads that keep them can still run.

Left to the interpreter, psycopg's pool is taken down last, and from Python 3.13 on its threads have been stopped for
good by then: each ``manage.py shell`` waited ten seconds for them before it ended.
"""

from __future__ import annotations

import atexit

from django.db import connections


def close_pools() -> None:
    """Close the pool of each database that has one. Whoever asks it after that is given a new one."""
    for connection in connections.all():
        if hasattr(connection, "close_pool"):  # Postgres alone has pools
            connection.close()
            connection.close_pool()


def watch() -> None:
    """Have it done before the interpreter ends."""
    atexit.register(close_pools)
