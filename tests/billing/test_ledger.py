"""Credits move as told, once, and never from where there are none."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from billing import ledger
from billing.ledger import Balance
from billing.models import Entry, LedgerAccount, Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sound_afterwards(db: None) -> Any:
    """Whatever a test did, the ledger is sound."""
    yield
    assert ledger.verify() == []


@pytest.fixture
def job() -> uuid.UUID:
    return uuid.uuid4()


def test_the_first_look_brings_the_welcome_grant(owner: User, settings: Any) -> None:
    settings.GRANT_CREDITS = 7
    assert ledger.balance(owner) == Balance(available=7, held=0)
    settings.GRANT_CREDITS = 50  # for those who come later
    assert ledger.balance(owner) == Balance(available=7, held=0)
    assert [told.reason for told in ledger.statement(owner)] == ["welcome"]


def test_no_welcome_grant_where_the_operator_gives_none(owner: User, settings: Any) -> None:
    settings.GRANT_CREDITS = 0
    assert ledger.balance(owner) == Balance(available=0, held=0)
    assert not ledger.statement(owner).exists()
    settings.GRANT_CREDITS = 10
    assert ledger.balance(owner) == Balance(available=0, held=0)


def test_a_hold_before_any_look_can_spend_the_welcome_grant(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=10, job=job)
    assert ledger.balance(owner) == Balance(available=0, held=10)


def test_hold_capture(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=4, job=job)
    assert ledger.balance(owner) == Balance(available=6, held=4)
    ledger.capture(job=job)
    assert ledger.balance(owner) == Balance(available=6, held=0)


def test_hold_release(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=4, job=job)
    ledger.release(job=job)
    assert ledger.balance(owner) == Balance(available=10, held=0)


def test_repeating_anything_changes_nothing(owner: User, job: uuid.UUID) -> None:
    def everything() -> list[int]:
        steps = [
            ledger.grant(user=owner, credits=5, key="pack:1", reason="pack"),
            ledger.hold(user=owner, credits=4, job=job),
            ledger.capture(job=job),
            ledger.refund(job=job),
            ledger.reverse(key="chargeback:1", original="pack:1", reason="chargeback"),
        ]
        return [told.pk for told in steps]

    first = everything()
    before = ledger.balance(owner), Entry.objects.count()
    assert everything() == first
    assert (ledger.balance(owner), Entry.objects.count()) == before == (Balance(10, 0), 12)


def test_a_key_tells_one_thing_only(owner: User, stranger: User, job: uuid.UUID) -> None:
    ledger.grant(user=owner, credits=5, key="pack:1", reason="pack")
    for other in (
        {"user": owner, "credits": 6, "reason": "pack"},
        {"user": stranger, "credits": 5, "reason": "pack"},
        {"user": owner, "credits": 5, "reason": "gift"},
    ):
        with pytest.raises(ledger.KeyReused):
            ledger.grant(key="pack:1", **other)  # type: ignore[arg-type]  # a table of arguments
    ledger.hold(user=owner, credits=1, job=job)
    with pytest.raises(ledger.KeyReused):
        ledger.hold(user=owner, credits=2, job=job)
    with pytest.raises(ledger.KeyReused):
        ledger.hold(user=stranger, credits=1, job=job)
    assert ledger.balance(owner) == Balance(available=14, held=1)


def test_no_more_than_there_is(owner: User, job: uuid.UUID) -> None:
    with pytest.raises(ledger.InsufficientCredits) as caught:
        ledger.hold(user=owner, credits=11, job=job)
    assert (caught.value.wanted, caught.value.available) == (11, 10)
    assert ledger.balance(owner) == Balance(available=10, held=0)
    assert not Transaction.objects.filter(job=job).exists()  # the key is free for a smaller try
    ledger.hold(user=owner, credits=10, job=job)


def test_held_credits_cannot_be_held_again(owner: User) -> None:
    ledger.hold(user=owner, credits=6, job=uuid.uuid4())
    with pytest.raises(ledger.InsufficientCredits):
        ledger.hold(user=owner, credits=5, job=uuid.uuid4())


def test_capture_and_release_exclude_each_other(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=4, job=job)
    ledger.release(job=job)
    with pytest.raises(ledger.AlreadySettled):
        ledger.capture(job=job)
    other = uuid.uuid4()
    ledger.hold(user=owner, credits=4, job=other)
    ledger.capture(job=other)
    with pytest.raises(ledger.AlreadySettled):
        ledger.release(job=other)
    assert ledger.balance(owner) == Balance(available=6, held=0)


def test_nothing_to_settle(job: uuid.UUID) -> None:
    for settle in (ledger.capture, ledger.release, ledger.refund):
        with pytest.raises(ledger.NoSuchTransaction):
            settle(job=job)


def test_a_job_that_costs_nothing(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=0, job=job)
    ledger.capture(job=job)
    with pytest.raises(ledger.AlreadySettled):
        ledger.release(job=job)
    ledger.refund(job=job)
    assert ledger.balance(owner) == Balance(available=10, held=0)


def test_refund_gives_back_what_was_spent_and_nothing_else(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=4, job=job)
    with pytest.raises(ledger.NoSuchTransaction):
        ledger.refund(job=job)  # held, not spent
    ledger.capture(job=job)
    ledger.refund(job=job)
    assert ledger.balance(owner) == Balance(available=10, held=0)
    with pytest.raises(ledger.AlreadySettled):
        ledger.release(job=job)  # would give it back a second time


def test_reverse_takes_back_a_whole_grant_once(owner: User, job: uuid.UUID) -> None:
    ledger.grant(user=owner, credits=5, key="pack:1", reason="pack")
    ledger.hold(user=owner, credits=12, job=job)
    with pytest.raises(ledger.InsufficientCredits):
        ledger.reverse(key="back:1", original="pack:1", reason="refund")
    ledger.release(job=job)
    ledger.reverse(key="back:1", original="pack:1", reason="refund")
    assert ledger.balance(owner) == Balance(available=10, held=0)
    with pytest.raises(ledger.NotReversible):
        ledger.reverse(key="back:2", original="pack:1", reason="refund")
    with pytest.raises(ledger.NotReversible):
        ledger.reverse(key="back:3", original=f"hold:{job}", reason="refund")
    with pytest.raises(ledger.NoSuchTransaction):
        ledger.reverse(key="back:4", original="pack:9", reason="refund")


@pytest.mark.parametrize("credits", [0, -1])
def test_grants_of_nothing(owner: User, credits: int) -> None:
    with pytest.raises(ledger.InvalidAmount):
        ledger.grant(user=owner, credits=credits, key="x", reason="x")


def test_negative_holds(owner: User, job: uuid.UUID) -> None:
    with pytest.raises(ledger.InvalidAmount):
        ledger.hold(user=owner, credits=-1, job=job)


def test_a_crash_after_the_hold_leaves_nothing(owner: User, job: uuid.UUID) -> None:
    ledger.balance(owner)

    def intake() -> None:
        with transaction.atomic():
            ledger.hold(user=owner, credits=4, job=job)
            raise RuntimeError("the process died here")

    with pytest.raises(RuntimeError):
        intake()
    assert ledger.balance(owner) == Balance(available=10, held=0)
    assert not Transaction.objects.filter(job=job).exists()


def test_the_callers_transaction_survives_a_refusal(owner: User, job: uuid.UUID) -> None:
    with transaction.atomic():
        ledger.grant(user=owner, credits=1, key="gift", reason="gift")
        with pytest.raises(ledger.InsufficientCredits):
            ledger.hold(user=owner, credits=100, job=job)
    assert ledger.balance(owner) == Balance(available=11, held=0)


def test_statement_is_newest_first_and_ones_own(owner: User, stranger: User, job: uuid.UUID) -> None:
    ledger.balance(stranger)
    ledger.hold(user=owner, credits=4, job=job)
    ledger.capture(job=job)
    assert [told.kind for told in ledger.statement(owner)] == ["capture", "hold", "grant"]


def test_everybodys_accounts_carry_no_balance(owner: User, job: uuid.UUID) -> None:
    ledger.hold(user=owner, credits=4, job=job)
    ledger.capture(job=job)
    shared = LedgerAccount.objects.filter(user=None)
    assert {account.kind: account.balance for account in shared} == {"issued": None, "spent": None}


def test_the_command_says_it_is_sound(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.balance(owner)
    call_command("verify_ledger")
    assert capsys.readouterr().out == "The ledger is sound.\n"
