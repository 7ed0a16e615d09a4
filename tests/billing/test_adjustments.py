"""Credits by hand: signed for by an operator, with a reason, once."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from billing import adjustments, ledger
from billing.adjustments import adjust
from billing.models import Adjustment, Transaction

pytestmark = pytest.mark.django_db

WHY = "The model of last week was empty"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator@example.com", is_staff=True)


def test_giving_and_taking(owner: User, operator: User) -> None:
    given = adjust(user=owner, credits=5, reason=WHY, actor=operator, key="1")
    taken = adjust(user=owner, credits=-3, reason=WHY, actor=operator, key="2")
    assert ledger.balance(owner).available == 12
    assert (given.transaction.kind, taken.transaction.kind) == ("grant", "take")
    assert {made.transaction.reason for made in (given, taken)} == {"adjustment"}
    assert (given.actor, given.reason) == (operator, WHY)
    assert ledger.verify() == []


def test_nobody_signs_for_their_own_account(operator: User) -> None:
    for credits in (5, -5):
        with pytest.raises(adjustments.NotSigned):
            adjust(user=operator, credits=credits, reason=WHY, actor=operator, key="1")
    assert not Adjustment.objects.exists()


def test_the_same_again_changes_nothing(owner: User, operator: User) -> None:
    first = adjust(user=owner, credits=5, reason=WHY, actor=operator, key="1")
    assert adjust(user=owner, credits=5, reason=f"  {WHY} ", actor=operator, key="1") == first
    assert ledger.balance(owner).available == 15
    second = User.objects.create_user("second@example.com", is_staff=True)
    told = {"user": owner, "credits": 5, "reason": WHY, "actor": operator, "key": "1"}
    for other in ({"credits": 6}, {"credits": -5}, {"reason": "Another reason"}, {"actor": second}):
        with pytest.raises(ledger.KeyReused):
            adjust(**{**told, **other})  # type: ignore[arg-type]  # a table of arguments
    assert Adjustment.objects.count() == 1
    assert ledger.balance(owner).available == 15


def test_nobody_but_an_operator_and_not_without_a_reason(owner: User, stranger: User, operator: User) -> None:
    gone = User.objects.create_user("gone@example.com", is_staff=True, is_active=False)
    for actor in (owner, stranger, gone):
        with pytest.raises(adjustments.NotSigned):
            adjust(user=owner, credits=5, reason=WHY, actor=actor, key="1")
    for reason in ("", "   short    ", "x" * 201):
        with pytest.raises(adjustments.NotSigned):
            adjust(user=owner, credits=5, reason=reason, actor=operator, key="1")
    with pytest.raises(ledger.InvalidAmount):
        adjust(user=owner, credits=0, reason=WHY, actor=operator, key="1")
    with pytest.raises(ledger.InsufficientCredits):
        adjust(user=owner, credits=-11, reason=WHY, actor=operator, key="1")
    assert not Adjustment.objects.exists()
    assert not Transaction.objects.exclude(reason="welcome").exists()


def test_the_command(owner: User, operator: User, capsys: pytest.CaptureFixture[str]) -> None:
    said = {"reason": WHY, "actor": "operator@example.com"}
    call_command("adjust_credits", "Owner@example.com", "5", **said)
    call_command("adjust_credits", "owner@example.com", "-4", "--key", "k", "--reason", WHY, "--actor", operator.email)
    call_command("adjust_credits", "owner@example.com", "-4", key="k", **said)
    assert f"account {owner.pk} has 11 available, 0 held, 0 owed." in capsys.readouterr().out
    assert Adjustment.objects.count() == 2
    for wrong in (
        {"email": "nobody@example.com"},
        {"credits": "0"},
        {"credits": "-99"},
        {"reason": "short"},
        {"actor": owner.email},
        {"actor": "nobody@example.com"},
    ):
        about = {"email": owner.email, "credits": "1", **said, **wrong}
        with pytest.raises(CommandError):
            call_command("adjust_credits", about.pop("email"), about.pop("credits"), **about)
    assert ledger.balance(owner).available == 11
