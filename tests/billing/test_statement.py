"""The lines that people read come to their balance, whatever happened and in whatever order."""

from __future__ import annotations

import random
import uuid
from contextlib import suppress

import pytest
from django.db import connection, transaction

from accounts.models import User
from billing import ledger, proof, statement
from tests.billing.append_only import RULES
from tests.billing.happenings import bought, every_kind, job
from tests.long import LONG

pytestmark = pytest.mark.django_db


def in_short(lines: list[statement.Line]) -> list[tuple[str, int, int, int]]:
    return [(line.what, line.moved, line.credits, line.balance) for line in lines]


def test_one_line_for_each_thing(owner: User) -> None:
    every_kind(owner)
    shown = statement.page(user=owner)
    assert in_short(shown.lines) == [
        ("adjusted", 1, -1, 1),
        ("adjusted", 10, 10, 2),
        ("restored", 4, 4, -8),
        ("taken_back", 15, -15, -12),
        ("reserved", 25, -25, 3),
        ("returned", 5, 0, 28),
        ("returned", 3, 0, 28),
        ("spent", 2, -2, 28),
        ("bought", 20, 20, 30),
        ("welcome", 10, 10, 10),
    ]
    assert shown.before == ""
    assert ledger.balance(owner) == ledger.Balance(available=1, held=25, owed=0)
    assert [line.reason for line in shown.lines[:2]] == ["One too many", "A job that was lost last week"]
    assert {line.payment.stripe_id for line in shown.lines if line.payment} == {"cs_1"}
    assert proof.holds(owner)


def test_a_debt_is_a_balance_below_zero(owner: User) -> None:
    bought(owner, 20)
    job(owner, 30, "capture")
    ledger.reverse(key="back:1", original="payment:cs_1", credits=20, reason="dispute")
    assert ledger.balance(owner) == ledger.Balance(available=0, held=0, owed=20)
    newest = statement.page(user=owner).lines[0]
    assert (newest.what, newest.credits, newest.balance) == ("taken_back", -20, -20)
    bought(owner, 50, "cs_2")
    assert statement.page(user=owner).lines[0].balance == 30 == ledger.balance(owner).available
    assert proof.holds(owner)


@pytest.mark.parametrize("seed", range(25 if LONG else 8))
def test_lines_come_to_the_balance(owner: User, stranger: User, seed: int) -> None:
    """Anything the ledger can be told, in any order, for two people; after every step."""
    rng = random.Random(seed)  # noqa: S311  # a test's choices
    jobs: dict[User, list[uuid.UUID]] = {owner: [], stranger: []}
    for step in range(60):
        user = rng.choice([owner, stranger])
        some = rng.randint(1, 12)
        purchase = f"payment:cs_{rng.randint(0, step)}"
        known = rng.choice(jobs[user] or [uuid.uuid4()])
        with suppress(ledger.LedgerError):
            match rng.randint(0, 8):
                case 0:
                    bought(user, some, f"cs_{step}")
                case 1 | 2:
                    jobs[user].append(job(user, rng.randint(0, 12)))
                case 3:
                    ledger.capture(job=known)
                case 4:
                    ledger.release(job=known)
                case 5:
                    ledger.refund(job=known)
                case 6:
                    ledger.reverse(key=f"back:{step}", original=purchase, credits=some, reason="refund")
                case 7:
                    ledger.restore(key=f"won:{step}", original=purchase, credits=some, reason="dispute")
                case 8:
                    ledger.take(user=user, credits=some, key=f"take:{step}", reason="adjustment")
        for each in (owner, stranger):
            balance = ledger.balance(each)
            lines = list(statement.everything(each))
            assert lines[-1].balance == sum(line.credits for line in lines) == balance.available - balance.owed
            assert sum(line.moved for line in lines if line.what == "reserved") == balance.held
    for each in (owner, stranger):
        assert proof.holds(each)
        assert pages(each) == list(reversed(list(statement.everything(each))))


def pages(user: User, only: str = "") -> list[statement.Line]:
    """All pages, one after another."""
    found, before = [], ""
    while True:
        page = statement.page(user=user, only=only, before=before)
        found += page.lines
        if not page.before:
            return found
        before = page.before


def test_pages_stay_put_and_filters_keep_the_balances(owner: User, monkeypatch) -> None:
    monkeypatch.setattr(statement, "PAGE_SIZE", 3)
    every_kind(owner)
    whole = list(reversed(list(statement.everything(owner))))
    assert pages(owner) == whole
    first = statement.page(user=owner)
    job(owner, 1)
    assert statement.page(user=owner, before=first.before).lines == whole[3:6]
    job_id = statement.page(user=owner).lines[0].job
    assert job_id
    ledger.release(job=job_id)
    for only, words in {
        "bought": {"bought", "taken_back", "restored"},
        "spent": {"spent", "reserved"},
        "returned": {"returned"},
    }.items():
        expected = [line for line in reversed(list(statement.everything(owner))) if line.what in words]
        assert expected
        assert pages(owner, only) == expected


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 19, "9" * 400, "1.5", "٣", "1; drop"])
def test_a_key_that_is_none_is_ignored(owner: User, before: str) -> None:
    ledger.balance(owner)
    assert len(statement.page(user=owner, before=before).lines) == 1


def test_a_page_takes_four_queries_however_long(
    owner: User, stranger: User, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    ledger.balance(stranger)
    for number in range(8):
        bought(owner, 20, f"cs_{number}")
        job(owner, 2, "capture")
        job(owner, 2, "refund")
        job(owner, 2, "release")
    with django_assert_max_num_queries(4):
        shown = statement.page(user=owner)
        assert [line.payment.amount for line in shown.lines if line.payment]
    assert len(shown.lines) == statement.PAGE_SIZE
    with django_assert_num_queries(1):
        assert len(list(statement.everything(owner))) == 33


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'available'",
        "UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'held'",
        "UPDATE billing_entry SET amount = amount + 1 WHERE amount > 0",
        "UPDATE billing_transaction SET credits = credits + 1 WHERE kind = 'grant'",
        "DELETE FROM billing_entry WHERE amount > 0",
    ],
)
def test_lines_that_do_not_add_up_are_found(owner: User, change: str) -> None:
    job(owner, 2)
    assert proof.holds(owner)
    with transaction.atomic(), connection.cursor() as cursor:
        connection.check_constraints()
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger fires
        else:
            for name in RULES.SQLITE:
                cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(change)
        assert not proof.holds(owner)
        transaction.set_rollback(True)
    assert proof.holds(owner)
