"""What it costs to find an access key among ten and among a million, known and unknown.

``python -m benchmarks.keys``: on SQLite and on Postgres. Prints the median of a look-up in microseconds, and the ratio:
near 1 where the cost does not grow with the number of keys.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

SIZES = (10, 1_000_000)
LOOKS, ROUNDS = 300, 9


FILL = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        " INSERT INTO accounts_accesskey ({names})"
        " SELECT lower(hex(randomblob(16))), lower(hex(randomblob(32))), {rest} FROM n"
    ),
    "postgresql": (
        "INSERT INTO accounts_accesskey ({names})"
        " SELECT gen_random_uuid(), md5(random()::text) || md5(random()::text), {rest}"
        " FROM generate_series(1, {count})"
    ),
}
"""By the database itself: a million rows by way of the models take minutes."""


def fill(owner: Any, number: int) -> None:
    """Add keys until there are so many."""
    from django.db import connection

    from accounts.models import AccessKey

    names = "id, digest, owner_id, name, description, ends_with, scopes, networks, enabled, created_at, calls"
    rest = f"{owner.pk}, 'k', '', 'abcd', '[]', '[]', true, CURRENT_TIMESTAMP, 0"
    count = number - AccessKey.objects.count()
    if count > 0:
        with connection.cursor() as cursor:
            cursor.execute(FILL[connection.vendor].format(count=count, names=names, rest=rest))


def timed(secrets: list[str]) -> float:
    """Microseconds of a look-up, the median over all."""
    from accounts import keys

    found = []
    for number in range(LOOKS):
        began = time.perf_counter()
        keys.find(secrets[number % len(secrets)])
        found.append((time.perf_counter() - began) * 1e6)
    return median(found)


def measure(name: str) -> None:
    """Both sizes on the database that the environment names."""
    import django

    from tests import services  # noqa: F401  # starts the servers and sets the environment

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from accounts import keys
    from accounts.models import User

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("keys@example.com")
    known = [keys.make(owner=owner, name="known", scopes=["read"])[1] for _ in range(5)]
    unknown = [keys.new_secret() for _ in range(50)]
    results: dict[int, dict[str, float]] = {}
    for size in SIZES:
        fill(owner, size)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE accounts_accesskey")
        results[size] = {
            what: median(timed(secrets) for _ in range(ROUNDS))
            for what, secrets in (("known", known), ("unknown", unknown))
        }
    for what in ("known", "unknown"):
        few, many = (results[size][what] for size in SIZES)
        print(f"{name:9} {what:8} {few:7.0f} µs of 10, {many:7.0f} µs of 10^6, ratio {many / few:.2f}", flush=True)


def main() -> None:
    """Each database in a process of its own."""
    if sys.argv[1:]:
        measure(sys.argv[1])
        return
    for name in ("sqlite", "postgres"):
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.keys", name],
            env={**environment, "TEST_DATABASE": name},
            check=True,
        )


if __name__ == "__main__":
    main()
