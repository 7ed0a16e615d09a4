"""How many movements of credits a second, with a thousand and with a million entries already there.

``python -m benchmarks.ledger``: on SQLite and on Postgres; one movement a transaction: a hold and its capture, of a
person chosen at random among five hundred. Three ledgers of each kind, each with a process of its own, are timed in
turn, round by round, so that whatever else the machine does falls on all alike: a thousand entries, a million, and a
million of which one person alone, the one who is timed, has 100,000. Prints the median of the rounds, and of the
rounds' ratios to the first: near 1 where the work does not grow with the ledger. The third shows what SQLite's check
costs that adds up an account at each entry.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any
from uuid import uuid4

PEOPLE, CREDITS = 500, 1000
SIZES = {"thousand": (1_000, 0), "million": (1_000_000, 0), "one person": (900_000, 100_000)}
"""Entries of everybody, and of one person beside them."""
PAIRS, ROUNDS = 100, 9


def people() -> list[Any]:
    """People with open accounts and no credits."""
    from accounts.models import User
    from billing import ledger

    made = User.objects.bulk_create([User(email=f"p{number}@example.com") for number in range(PEOPLE)])
    for person in made:
        ledger.balance(person)
    return list(made)


def fill(owners: Sequence[Any], entries: int) -> None:
    """Write grants in turn to the owners until there are so many more entries, past the triggers."""
    from django.db import connection, transaction

    from billing.models import Entry, LedgerAccount, Transaction

    accounts = {account.user_id: account for account in LedgerAccount.objects.filter(kind="available")}
    issued = LedgerAccount.objects.get_or_create(user=None, kind="issued")[0]
    with transaction.atomic(), without_triggers(connection):
        for start in range(0, entries // 2, 5000):
            count = min(5000, entries // 2 - start)
            told = Transaction.objects.bulk_create(
                Transaction(key=uuid4().hex, kind="grant", user=owners[(start + n) % len(owners)], credits=CREDITS)
                for n in range(count)
            )
            Entry.objects.bulk_create(
                entry
                for one in told
                for entry in (
                    Entry(transaction=one, account=issued, amount=-CREDITS),
                    Entry(transaction=one, account=accounts[one.user_id], amount=CREDITS),
                )
            )
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE billing_ledgeraccount SET balance = (SELECT COALESCE(SUM(amount), 0) FROM billing_entry"
                " WHERE account_id = billing_ledgeraccount.id) WHERE balance IS NOT NULL"
            )
    if connection.vendor == "postgresql":  # as its autovacuum would; nobody asks SQLite to, and on grants alone it errs
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def without_triggers(connection: Any) -> Any:
    """A context in which the ledger's triggers do not fire; they are back afterwards."""
    from contextlib import contextmanager
    from importlib import import_module

    rules: Any = import_module("billing.migrations.0003_debt")

    @contextmanager
    def away() -> Any:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL session_replication_role = replica")
                yield
                cursor.execute("SET LOCAL session_replication_role = origin")
            else:
                for name in rules.SQLITE:
                    cursor.execute(f"DROP TRIGGER {name}")
                yield
                for statement in rules.SQLITE.values():
                    cursor.execute(statement)

    return away()


def rate(owners: Sequence[Any], rng: random.Random) -> float:
    """Movements a second in one round."""
    from billing import ledger

    began = time.perf_counter()
    for _ in range(PAIRS):
        job = uuid4()
        ledger.hold(user=rng.choice(owners), credits=1, job=job)
        ledger.capture(job=job)
    return 2 * PAIRS / (time.perf_counter() - began)


def stand_by(size: str) -> None:
    """Fill a ledger on the database that the environment names; then time a round for each line that comes in."""
    import django

    from tests import services  # noqa: F401  # starts the servers and sets the environment

    os.environ["GRANT_CREDITS"] = "0"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # the tests' server is told to forget what a power cut would take
            cursor.execute("SET synchronous_commit = on")
    owners, rng = people(), random.Random(1)  # noqa: S311  # a choice, not a secret
    shared, alone = SIZES[size]
    fill(owners, shared)
    fill(owners[:1], alone)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(rate(owners[:1] if alone else owners, rng), flush=True)


def compare(name: str) -> None:
    """Print the figures of one kind of database."""
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment["TEST_DATABASE"] = name
    ledgers = {
        size: subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.ledger", size],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )
        for size in SIZES
    }  # fmt: skip
    for process in ledgers.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    found: dict[str, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size, process in ledgers.items():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            found[size].append(float(process.stdout.readline()))
    for size, rates in found.items():
        ratio = median(one / other for one, other in zip(found["thousand"], rates, strict=True))
        print(f"{name:9} {size:11} {median(rates):6.0f} movements/s, ratio {ratio:.2f}", flush=True)
    for process in ledgers.values():
        process.communicate()


def main() -> None:
    """Measure each kind of database."""
    if sys.argv[1:]:
        stand_by(sys.argv[1])
        return
    for name in ("sqlite", "postgres"):
        compare(name)


if __name__ == "__main__":
    main()
