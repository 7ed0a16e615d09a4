"""The database keeps the ledger's rules against code that forgets them: raw SQL, on whichever database the run has.

``test_on_sqlite_too`` runs this file and the ledger's own tests again on SQLite when the run is on Postgres.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from billing import ledger, verification
from billing.models import Entry, LedgerAccount, Transaction
from tests.billing.append_only import RULES

postgres_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no such thing")
sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="Postgres has no such statement")


def sql(statement: str, *params: Any) -> int:
    """Run one statement in a savepoint; how many rows it touched."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)


@pytest.fixture
def told(owner: User) -> Transaction:
    """A ledger with a grant, and a hold of 4 that was captured."""
    job = uuid.uuid4()
    ledger.hold(user=owner, credits=4, job=job)
    return ledger.capture(job=job)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_entry SET amount = amount * 2",
        "UPDATE billing_entry SET account_id = account_id",
        "DELETE FROM billing_entry",
        "UPDATE billing_transaction SET credits = 1",
        "UPDATE billing_transaction SET reason = 'other'",
        "DELETE FROM billing_transaction",
        "UPDATE billing_ledgeraccount SET balance = 1000000 WHERE balance IS NOT NULL",
        "UPDATE billing_ledgeraccount SET balance = NULL WHERE balance IS NOT NULL",
        "UPDATE billing_ledgeraccount SET user_id = NULL",
        "UPDATE billing_ledgeraccount SET kind = 'available'",
        "DELETE FROM billing_ledgeraccount",
    ],
)
def test_what_was_written_stays(told: Transaction, statement: str) -> None:
    with pytest.raises(IntegrityError):
        sql(statement)
    assert ledger.verify() == []


@postgres_only
@pytest.mark.parametrize("table", ["billing_entry", "billing_transaction", "billing_ledgeraccount"])
def test_tables_are_not_emptied(told: Transaction, table: str) -> None:
    connection.check_constraints()  # Postgres truncates no table with deferred checks outstanding
    with pytest.raises(IntegrityError):
        sql(f"TRUNCATE {table} CASCADE")


@sqlite_only
def test_rows_are_not_replaced(told: Transaction) -> None:
    first = Entry.objects.order_by("pk")[0]
    with pytest.raises(IntegrityError):
        sql(
            "INSERT OR REPLACE INTO billing_entry (id, transaction_id, account_id, amount) VALUES (%s, %s, %s, 9)",
            first.pk,
            first.transaction_id,
            first.account_id,
        )
    with pytest.raises(IntegrityError):
        sql("INSERT OR REPLACE INTO billing_transaction SELECT * FROM billing_transaction LIMIT 1")


def test_no_balance_below_zero_even_past_the_ledger(told: Transaction, owner: User) -> None:
    available = LedgerAccount.objects.get(user=owner, kind="available")
    other = Transaction.objects.create(key="raw", kind="hold", user=owner, credits=7, job=uuid.uuid4())
    with pytest.raises(IntegrityError, match="ledger_balance_not_negative"), transaction.atomic():
        Entry.objects.create(transaction=other, account=available, amount=-7)
    with pytest.raises(IntegrityError), transaction.atomic():  # nor may the figure be put right afterwards
        LedgerAccount.objects.filter(pk=available.pk).update(balance=7)
    if connection.vendor == "postgresql":
        with pytest.raises(IntegrityError, match="does not balance"):
            connection.check_constraints()
    transaction.set_rollback(True)


def test_no_second_settlement_even_past_the_ledger(told: Transaction, owner: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Transaction.objects.create(key="raw", kind="release", user=owner, credits=4, job=told.job, settles=told.settles)


def test_shapes(owner: User) -> None:
    """Rows that say nothing sensible are refused."""
    ledger.balance(owner)
    for wrong in (
        {"kind": "capture", "job": uuid.uuid4()},
        {"kind": "hold"},
        {"kind": "reverse"},
        {"kind": "grant", "settles": Transaction.objects.get()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Transaction.objects.create(key="raw", user=owner, credits=0, **wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerAccount.objects.filter(user=owner).create(user=None, kind="available", balance=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerAccount.objects.create(user=None, kind="spent", balance=0)


def test_accounts_start_at_nothing(owner: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerAccount.objects.create(user=owner, kind="available", balance=100)


@postgres_only
def test_entries_that_do_not_sum_to_zero_never_commit(owner: User) -> None:
    ledger.balance(owner)
    available = LedgerAccount.objects.get(user=owner, kind="available")
    issued = LedgerAccount.objects.get(kind="issued")

    def lopsided(*amounts: int) -> None:
        made = Transaction.objects.create(key="raw", kind="grant", user=owner, credits=5)
        for account, amount in zip((available, issued), amounts, strict=False):
            Entry.objects.create(transaction=made, account=account, amount=amount)
        connection.check_constraints()  # what a commit does

    for amounts in ((), (5,), (5, -4), (4, -4)):
        with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
            lopsided(*amounts)
    assert ledger.verify() == []


def test_nothing_is_added_to_a_finished_transaction(told: Transaction) -> None:
    issued = LedgerAccount.objects.get(kind="issued")

    def add() -> None:
        with transaction.atomic():
            Entry.objects.create(transaction=told, account=issued, amount=1)
            connection.check_constraints()  # what a commit does

    with pytest.raises(IntegrityError):
        add()


def broken(statement: str, told: Transaction) -> list[str]:
    """What ``verify`` says after a change made with the triggers out of the way; the change is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        connection.check_constraints()
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger fires
        else:
            for name in RULES.SQLITE:
                cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(statement, [told.pk])
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = origin")
        found = ledger.verify()
        transaction.set_rollback(True)
    return [line for line in found if "lost its trigger" not in line]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE billing_entry SET amount = amount + 1 WHERE transaction_id = %s AND amount > 0", "should sum to 0"),
        ("DELETE FROM billing_entry WHERE transaction_id = %s", "should sum to 0 and move 4"),
        ("UPDATE billing_transaction SET credits = 3 WHERE id = %s", "which is not its hold"),
        ("UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'available' AND %s > 0", "balance 7"),
        ("DELETE FROM billing_transaction WHERE id = %s", "its open holds come to 4"),
    ],
)
def test_verify_finds(told: Transaction, statement: str, said: str) -> None:
    if statement.startswith("DELETE FROM billing_transaction") and connection.vendor == "sqlite":
        statement = "UPDATE billing_transaction SET kind = 'grant', settles_id = NULL WHERE id = %s"
    found = broken(statement, told)
    assert any(said in line for line in found), found
    assert ledger.verify() == []


def test_verify_finds_a_lost_trigger(told: Transaction, capsys: pytest.CaptureFixture[str]) -> None:
    connection.check_constraints()
    with transaction.atomic():
        name = "ledger_entry_fixed"
        sql(f"DROP TRIGGER {name}" + (" ON billing_entry" if connection.vendor == "postgresql" else ""))
        with pytest.raises(SystemExit) as left:
            call_command("verify_ledger")
        transaction.set_rollback(True)
    assert left.value.code == 1
    assert capsys.readouterr().out == "the database has lost its trigger ledger_entry_fixed\n"


@pytest.mark.django_db(transaction=True)
def test_the_triggers_can_be_taken_away_and_put_back(owner: User) -> None:
    """The migration is reversible."""
    try:
        call_command("migrate", "billing", "0001", verbosity=0)
        assert len(list(verification.guards())) >= 10
    finally:
        call_command("migrate", verbosity=0)  # what depended on it went, too
    ledger.balance(owner)
    assert ledger.verify() == []
    with pytest.raises(IntegrityError):
        sql("DELETE FROM billing_entry")
