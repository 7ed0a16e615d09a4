"""What is brought forward is what adding up everything comes to: after anything, from many at once, migrated or not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from accounts.models import User
from billing import books, forward, ledger, proof, statement, tasks
from billing.models import BroughtForward, Entry, LedgerAccount, Proven, Transaction
from tests.billing.append_only import unprotected
from tests.billing.happenings import bought, every_kind, job
from tests.billing.test_ledger_races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second line or so."""
    monkeypatch.setattr(forward, "EVERY", 2)


def some(owner: User) -> None:
    """A while of somebody's."""
    for number in range(6):
        bought(owner, 20, f"cs_a{number}")
        for end in ("capture", "release", "refund", ""):
            job(owner, 2, end)


def spent_by_hand(user: User) -> int:
    lines = statement.everything(user)
    return sum(line.moved for line in lines if line.what in ("spent", "reserved"))


def test_what_comes_later_is_in_what_was_brought_forward_before(owner: User, often: None) -> None:
    early = [job(owner, 1), job(owner, 1)]
    some(owner)
    assert BroughtForward.objects.count() > 3
    ledger.release(job=early[0])
    ledger.capture(job=early[1])
    ledger.refund(job=early[1])
    assert ledger.verify() == []
    lines = list(statement.everything(owner))
    found = forward.upto(owner, [line.id for line in lines])
    assert [found[line.id].credits for line in lines] == [line.balance for line in lines]
    assert found[lines[-1].id].spent == spent_by_hand(owner)


def test_what_was_spent_since_a_moment(owner: User, often: None) -> None:
    """Whether the moment is before, after or among the lines that carry a sum; and of somebody who has no such line."""
    some(owner)
    lines = list(statement.everything(owner))
    for at in [lines[0].at, lines[7].at, lines[-1].at, lines[-1].at + timedelta(seconds=1)]:
        of_jobs = [line for line in lines if line.at >= at and line.what in ("spent", "reserved")]
        assert forward.spent_since(owner, at) == sum(line.moved for line in of_jobs)
        assert BroughtForward.objects.filter(at__lt=at).exists() or at == lines[0].at
    BroughtForward.objects.all().delete()
    assert forward.spent_since(owner, lines[7].at - timedelta(days=1)) == spent_by_hand(owner)


def test_a_page_reads_few_lines_of_many(owner: User, often: None, django_assert_max_num_queries) -> None:
    some(owner)
    asked = []

    def listening(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listening), django_assert_max_num_queries(4):
        statement.page(user=owner, most=1)
    (between,) = [params for sql, params in asked if '"id" >= ' in sql]
    line = Transaction.objects.filter(user=owner, kind="hold").latest("pk")
    assert BroughtForward.objects.filter(line__lte=line).latest("line").line_id in between


def test_verification_finds_a_wrong_sum(owner: User, often: None) -> None:
    some(owner)
    row = BroughtForward.objects.order_by("line")[1]
    BroughtForward.objects.filter(pk=row.pk).update(credits=F("credits") + 1)
    assert [line.partition(":")[0] for line in ledger.verify()] == [f"brought forward to transaction {row.line_id}"]


def test_what_was_there_before_is_brought_forward_by_the_migration(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        for number in range(3):
            bought(user, 20, f"cs_{user.pk}_{number}")
            for end in ("capture", "release", "refund", ""):
                job(user, 2, end)
    every_kind(owner)
    BroughtForward.objects.all().delete()
    made = import_module("billing.migrations.0006_brought_forward")
    with connection.cursor() as cursor:
        cursor.execute(made.BRING_FORWARD.replace("% 64", "% 3"))
    assert BroughtForward.objects.filter(user=owner).count() == 8
    # Of payments it says what it always says of what was reversed without one.
    assert [line for line in ledger.verify() if not line.startswith("payment")] == []


@pytest.mark.django_db(transaction=True)
def test_many_at_once(owner: User, often: None) -> None:
    ledger.grant(user=owner, credits=100, key="top-up", reason="test")
    held = [uuid.uuid4() for _ in range(12)]
    for one in held:
        ledger.hold(user=owner, credits=1, job=one)

    def life(number: int) -> None:
        (ledger.release if number % 2 else ledger.capture)(job=held[number])
        ledger.hold(user=owner, credits=1, job=uuid.uuid4())
        if not number % 4:
            ledger.refund(job=held[number])

    at_once([partial(life, number) for number in range(12)])
    assert BroughtForward.objects.count() > 3
    assert ledger.verify() == []
    last = statement.page(user=owner).lines[0]
    balance = ledger.balance(owner)
    assert last.balance == balance.available == 110 - 12 - 12 + 6 + 3
    assert forward.spent_since(owner, timezone.now() - timedelta(days=1)) == 15


def test_what_was_proven_is_not_added_up_again(owner: User) -> None:
    some(owner)
    assert proof.prove([owner.pk]) == []
    known = Proven.objects.get()
    assert known.upto == Transaction.objects.latest("pk").pk
    assert (known.available, known.held) == (ledger.balance(owner).available, ledger.balance(owner).held)
    job(owner, 1, "capture")
    assert proof.prove([owner.pk]) == []
    assert Proven.objects.get().upto == Transaction.objects.latest("pk").pk
    with unprotected():
        LedgerAccount.objects.filter(user=owner, kind="available").update(balance=F("balance") + 1)
    assert not proof.holds(owner)
    assert proof.prove([owner.pk]) == [owner.pk]


def test_many_are_proven_together_each_from_where_they_were(owner: User, stranger: User) -> None:
    some(owner)
    bought(stranger, 20, "cs_b")
    third = User.objects.create_user(email="third@example.com")
    ledger.balance(third)
    people = [owner.pk, stranger.pk, third.pk]
    proof.prove([owner.pk])
    job(owner, 1, "refund")
    assert proof.prove(people) == []
    assert Proven.objects.count() == 3
    job(owner, 1, "capture")
    job(stranger, 1)
    with unprotected():
        Entry.objects.filter(transaction__user=stranger, amount__gt=0).latest("pk").delete()
    with unprotected():
        LedgerAccount.objects.filter(user=third, kind="held").update(balance=1)
    assert proof.prove(people) == [stranger.pk, third.pk]
    assert Proven.objects.get(user=owner).upto == Transaction.objects.filter(user=owner).latest("pk").pk
    assert Proven.objects.get(user=stranger).upto < Transaction.objects.filter(user=stranger).latest("pk").pk


@pytest.mark.django_db(transaction=True)
def test_nobody_is_suspected_while_credits_move(owner: User, stranger: User) -> None:
    some(owner)
    bought(stranger, 20, "cs_b")
    people = [stranger.pk, owner.pk]
    acts: list[Callable[[], Any]] = [partial(proof.prove, people), partial(proof.prove, people[::-1])] * 2
    acts += [partial(job, user, 1, "refund") for user in (owner, stranger)] * 4
    assert at_once(acts)[:4] == [[]] * 4
    assert proof.prove(people) == []
    for row in Proven.objects.all():
        balances = dict(LedgerAccount.objects.filter(user=row.user_id).values_list("kind", "balance"))
        assert (row.available, row.held) == (balances["available"], balances["held"])


def test_an_hourly_look_sees_what_is_new_and_a_nightly_one_everything(owner: User, stranger: User) -> None:
    some(stranger)
    assert books.verify_now().differences == 0
    tasks.verify()
    tasks.verify()
    before = books.last_verified()
    assert before
    assert before.before == before.upto
    old = Transaction.objects.filter(user=stranger, kind="capture")[0]
    with unprotected():
        Entry.objects.filter(transaction=old, amount__gt=0).update(amount=F("amount") + 1)
    tasks.verify()
    assert books.last_verified().differences == 0  # type: ignore[union-attr]  # it was looked at
    job(owner, 1, "capture")
    with unprotected():
        LedgerAccount.objects.filter(user=owner, kind="held").update(balance=F("balance") + 1)
    tasks.verify()
    assert books.last_verified().differences == 1  # type: ignore[union-attr]
    tasks.verify_whole()
    whole = books.last_verified()
    assert whole
    assert whole.differences == whole.standing > 2
    tasks.verify()
    tasks.verify()
    assert books.last_verified().differences >= whole.standing  # type: ignore[union-attr]


def test_what_was_under_way_during_a_look_is_seen_by_the_next(owner: User) -> None:
    """Its number is older than the newest one of that look."""
    ledger.balance(owner)
    books.verify_now()
    first = job(owner, 1)
    books.look()
    with unprotected():  # as if it had been committed only now
        LedgerAccount.objects.filter(user=owner, kind="held").update(balance=F("balance") + 1)
    assert Transaction.objects.get(key=f"hold:{first}").pk == Transaction.objects.latest("pk").pk
    assert books.look().differences == 1
    assert Entry.objects.aggregate(total=Sum("amount"))["total"] == 0
