"""What is written one after another whatever the number of processes: the log's leaves, one account's credits.

Beside them, in the same run, what a committed row costs at the least: a bare INSERT on a connection that is kept, and
one on a connection of its own, as each task and each request makes it without a pool.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

LEAVES = 3000
MOVEMENTS = 200
TOGETHER = 8


def per_second(act: Callable[[], object], times: int) -> float:
    """How often a second it can be done, one after another."""
    began = time.perf_counter()
    for _ in range(times):
        act()
    return times / (time.perf_counter() - began)


def bare() -> dict[str, float]:
    """Committed one-row transactions a second: on one connection, and on a new one each."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS benchmark_bare (id uuid PRIMARY KEY)")

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO benchmark_bare VALUES (%s)", [uuid4()])

    def insert_anew() -> None:
        insert()
        connection.close()

    insert()
    kept = per_second(insert, 1000)
    return {"bare_commits_per_second": kept, "commits_on_new_connections_per_second": per_second(insert_anew, 200)}


def log() -> dict[str, float]:
    """Receipts that enter the log a second, by the code that the task runs, and heads signed a second."""
    from django.utils import timezone

    from privacy import heads, log, receipts
    from privacy.models import Receipt

    body = {"format": receipts.FORMAT, "job": "", "outcome": "done", "destroyed": [], "elsewhere": []}
    now = timezone.now()
    signed = receipts.keep(group=uuid4(), body={**body, "id": str(uuid4())}, at=now)
    signing = per_second(lambda: receipts.keep(group=uuid4(), body={**body, "id": str(uuid4())}, at=now), 300)
    Receipt.objects.bulk_create(
        Receipt(id=uuid4(), group=uuid4(), issued_at=now - timedelta(seconds=1), key_id=signed.key_id,
                document={**signed.document, "number": number})
        for number in range(LEAVES)
    )  # fmt: skip
    began, appended = time.perf_counter(), 0
    while count := log.append_waiting():
        appended += count
    rate = appended / (time.perf_counter() - began)
    return {"log_appends_per_second": rate, "receipts_signed_per_second": signing,
            "heads_per_second": per_second(heads.publish, 100)}  # fmt: skip


def ledger() -> dict[str, float]:
    """Movements of credits a second: of one account, one after another and by many at once, and of many accounts."""
    from accounts.models import User
    from billing import ledger

    people = [User.objects.create_user(f"books{number}@example.com") for number in range(TOGETHER)]
    for person in people:
        ledger.grant(user=person, credits=1_000_000, key=f"grant:{person.pk}", reason="benchmark")

    def pair(person: Any) -> None:
        job: UUID = uuid4()
        ledger.hold(user=person, credits=1, job=job)
        ledger.capture(job=job)

    alone = 2 * per_second(lambda: pair(people[0]), MOVEMENTS)
    one = at_once([lambda: pair(people[0])] * TOGETHER)
    many = at_once([partial(pair, person) for person in people])
    return {"ledger_one_account_alone_per_second": alone, "ledger_one_account_per_second": 2 * one,
            "ledger_many_accounts_per_second": 2 * many}  # fmt: skip


def at_once(acts: list[Callable[[], None]]) -> float:
    """How many a second when each has a thread and a connection of its own."""
    from django.db import connection

    started = threading.Barrier(len(acts) + 1)

    def many(act: Callable[[], None]) -> None:
        act()
        started.wait()
        for _ in range(MOVEMENTS // len(acts)):
            act()
        connection.close()

    threads = [threading.Thread(target=many, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    started.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return MOVEMENTS // len(acts) * len(acts) / (time.perf_counter() - began)
