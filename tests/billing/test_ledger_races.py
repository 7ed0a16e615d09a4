"""Many threads, one balance: no overdraft, nothing told twice, nobody deadlocked. On whichever database the run has."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from billing import ledger
from billing.ledger import Balance
from billing.models import Entry, LedgerAccount, Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run every act in a thread and database connection of its own, released together; results or ledger errors."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(30)
            return act()
        except ledger.LedgerError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def kinds(results: list[Any]) -> Counter[str]:
    """How many of each: transactions and errors."""
    return Counter(type(result).__name__ for result in results)


def test_fifty_threads_one_balance(owner: User) -> None:
    ledger.grant(user=owner, credits=13, key="top-up", reason="test")
    jobs = [uuid.uuid4() for _ in range(50)]
    results = at_once([partial(ledger.hold, user=owner, credits=1, job=job) for job in jobs])
    assert kinds(results) == {"Transaction": 23, "InsufficientCredits": 27}
    assert ledger.balance(owner) == Balance(available=0, held=23)
    assert sum(Entry.objects.values_list("amount", flat=True)) == 0
    assert ledger.verify() == []


def test_fifty_threads_doing_everything(owner: User) -> None:
    """Whole lives of jobs side by side, both ends raced against each other."""
    ledger.grant(user=owner, credits=15, key="top-up", reason="test")

    def life(number: int) -> str:
        job = uuid.UUID(int=number // 2 + 1)  # two threads for each job
        try:
            ledger.hold(user=owner, credits=3, job=job)
        except ledger.InsufficientCredits:
            return "poor"
        try:
            (ledger.capture if number % 4 < 2 else ledger.release)(job=job)
        except ledger.AlreadySettled:
            return "late"
        return "settled"

    at_once([partial(life, number) for number in range(50)])
    now = ledger.balance(owner)
    captured = Transaction.objects.filter(kind="capture").count()
    assert now == Balance(available=25 - 3 * captured, held=0)
    assert now.available >= 0
    assert ledger.verify() == []


def test_the_same_hold_fifty_times(owner: User) -> None:
    job = uuid.uuid4()
    results = at_once([lambda: ledger.hold(user=owner, credits=6, job=job).pk] * 50)
    assert len(set(results)) == 1
    assert ledger.balance(owner) == Balance(available=4, held=6)
    assert ledger.verify() == []


def test_capture_against_release(owner: User) -> None:
    for _ in range(10):
        job = uuid.uuid4()
        ledger.hold(user=owner, credits=1, job=job)
        results = at_once([partial(ledger.capture, job=job), partial(ledger.release, job=job)])
        assert kinds(results) == {"Transaction": 1, "AlreadySettled": 1}
    assert ledger.balance(owner).held == 0
    assert ledger.verify() == []


def test_the_welcome_grant_comes_once(owner: User) -> None:
    results = at_once([lambda: ledger.balance(owner)] * 20)
    assert set(results) == {Balance(available=10, held=0)}
    assert Transaction.objects.count() == 1


def test_one_key_for_two_people(owner: User, stranger: User) -> None:
    """Locks are a person's own, so here the unique key decides."""
    results = at_once(
        [
            lambda: ledger.grant(user=owner, credits=5, key="pack", reason="pack"),
            lambda: ledger.grant(user=stranger, credits=5, key="pack", reason="pack"),
        ]
    )
    assert kinds(results) == {"Transaction": 1, "KeyReused": 1}
    assert ledger.verify() == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_one_customer_does_not_wait_for_another(owner: User, stranger: User) -> None:
    """Everybody's accounts take entries without a lock: no queue for one row."""
    ledger.balance(owner)
    ledger.hold(user=stranger, credits=1, job=uuid.uuid4())
    with transaction.atomic():
        ledger.grant(user=owner, credits=5, key="pack", reason="pack")

        def other() -> Balance:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            ledger.grant(user=stranger, credits=5, key="other", reason="pack")
            return ledger.balance(stranger)

        assert at_once([other]) == [Balance(available=14, held=1)]


@pytest.mark.parametrize("credits", [1, 5])
def test_the_database_alone_stops_an_overdraft(owner: User, credits: int) -> None:
    """Past the ledger and its lock, entries written side by side still cannot overdraw."""
    ledger.balance(owner)
    mine = LedgerAccount.objects.get(user=owner, kind="available")
    held = LedgerAccount.objects.get(user=owner, kind="held")

    def raw() -> str:
        try:
            with transaction.atomic():
                told = Transaction.objects.create(
                    key=uuid.uuid4().hex, kind="hold", user=owner, credits=credits, job=uuid.uuid4()
                )
                Entry.objects.create(transaction=told, account=mine, amount=-credits)
                Entry.objects.create(transaction=told, account=held, amount=credits)
        except Exception as error:
            return type(error).__name__
        return "done"

    assert Counter(at_once([raw] * 20)) == {"done": 10 // credits, "IntegrityError": 20 - 10 // credits}
    assert ledger.verify() == []
