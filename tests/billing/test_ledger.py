"""Credits move as told, once, and never from where there are none."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing import ledger, limits
from billing.ledger import Balance
from billing.models import Entry, LedgerAccount, Preferences, Transaction

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
            ledger.reverse(key="chargeback:1", original="pack:1", credits=5, reason="chargeback"),
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


def test_reverse_takes_back_parts_of_a_grant_and_no_more(owner: User, job: uuid.UUID) -> None:
    ledger.grant(user=owner, credits=5, key="pack:1", reason="pack")
    ledger.reverse(key="back:1", original="pack:1", credits=2, reason="refund")
    ledger.reverse(key="back:1", original="pack:1", credits=2, reason="refund")  # told twice
    ledger.reverse(key="back:2", original="pack:1", credits=2, reason="dispute")
    assert ledger.balance(owner) == Balance(available=11, held=0)
    with pytest.raises(ledger.NotReversible):
        ledger.reverse(key="back:3", original="pack:1", credits=2, reason="refund")
    with pytest.raises(ledger.KeyReused):
        ledger.reverse(key="back:2", original="pack:1", credits=1, reason="dispute")
    ledger.restore(key="won:1", original="pack:1", credits=2, reason="dispute")
    with pytest.raises(ledger.NotReversible):
        ledger.restore(key="won:2", original="pack:1", credits=3, reason="dispute")
    ledger.reverse(key="back:3", original="pack:1", credits=3, reason="refund")
    assert ledger.balance(owner) == Balance(available=10, held=0)
    ledger.hold(user=owner, credits=3, job=job)
    with pytest.raises(ledger.NotReversible):
        ledger.reverse(key="back:4", original=f"hold:{job}", credits=1, reason="refund")
    with pytest.raises(ledger.NoSuchTransaction):
        ledger.reverse(key="back:4", original="pack:9", credits=1, reason="refund")
    with pytest.raises(ledger.InvalidAmount):
        ledger.reverse(key="back:4", original="pack:1", credits=0, reason="refund")


def test_what_is_no_longer_there_is_owed_and_paid_off_first(owner: User, job: uuid.UUID) -> None:
    ledger.grant(user=owner, credits=20, key="pack:1", reason="pack")
    ledger.hold(user=owner, credits=25, job=job)
    ledger.reverse(key="back:1", original="pack:1", credits=20, reason="refund")
    assert ledger.balance(owner) == Balance(available=0, held=25, owed=15)
    with pytest.raises(ledger.InsufficientCredits):
        ledger.hold(user=owner, credits=1, job=uuid.uuid4())
    ledger.grant(user=owner, credits=4, key="pack:2", reason="pack")
    assert ledger.balance(owner) == Balance(available=0, held=25, owed=11)
    ledger.release(job=job)
    assert ledger.balance(owner) == Balance(available=14, held=0, owed=0)
    ledger.reverse(key="back:2", original="pack:2", credits=4, reason="refund")
    assert ledger.balance(owner) == Balance(available=10, held=0)


def test_a_refund_and_a_restore_pay_what_is_owed_too(owner: User, job: uuid.UUID) -> None:
    ledger.grant(user=owner, credits=20, key="pack:1", reason="pack")
    ledger.hold(user=owner, credits=30, job=job)
    ledger.capture(job=job)
    ledger.reverse(key="back:1", original="pack:1", credits=20, reason="dispute")
    assert ledger.balance(owner) == Balance(available=0, held=0, owed=20)
    ledger.restore(key="won:1", original="pack:1", credits=20, reason="dispute")
    assert ledger.balance(owner) == Balance(available=0, held=0)
    ledger.reverse(key="back:2", original="pack:1", credits=5, reason="refund")
    ledger.refund(job=job)
    assert ledger.balance(owner) == Balance(available=25, held=0)


def test_take_takes_what_is_there_only(owner: User) -> None:
    ledger.take(user=owner, credits=4, key="adjust:1", reason="adjustment")
    ledger.take(user=owner, credits=4, key="adjust:1", reason="adjustment")
    assert ledger.balance(owner) == Balance(available=6, held=0)
    with pytest.raises(ledger.InsufficientCredits):
        ledger.take(user=owner, credits=7, key="adjust:2", reason="adjustment")
    with pytest.raises(ledger.InvalidAmount):
        ledger.take(user=owner, credits=0, key="adjust:3", reason="adjustment")


def test_a_monthly_limit_counts_what_is_held_or_spent(owner: User, job: uuid.UUID) -> None:
    Preferences.objects.create(user=owner, monthly_limit=5)
    given_back = uuid.uuid4()
    ledger.hold(user=owner, credits=4, job=given_back)
    with pytest.raises(ledger.LimitReached) as caught:
        ledger.hold(user=owner, credits=2, job=job)
    assert (caught.value.limit, caught.value.left) == (5, 1)
    ledger.release(job=given_back)
    ledger.hold(user=owner, credits=5, job=job)
    Preferences.objects.update(monthly_limit=3)
    ledger.hold(user=owner, credits=5, job=job)  # told twice: nothing new is spent
    ledger.hold(user=owner, credits=0, job=uuid.uuid4())
    with pytest.raises(ledger.LimitReached) as caught:
        ledger.hold(user=owner, credits=1, job=uuid.uuid4())
    assert caught.value.left == 0
    ledger.capture(job=job)
    ledger.refund(job=job)
    ledger.hold(user=owner, credits=3, job=uuid.uuid4())


def test_last_month_does_not_count(owner: User, job: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    Preferences.objects.create(user=owner, monthly_limit=6)
    ledger.hold(user=owner, credits=6, job=job)
    later = timezone.now() + timedelta(days=32)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert limits.spent_this_month(owner) == 0
    ledger.hold(user=owner, credits=4, job=uuid.uuid4())


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
