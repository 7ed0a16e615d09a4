"""Books of an erased account end with their period, all at once; until then the database itself lets none of them go.

``test_on_sqlite.py`` runs this file on SQLite as well.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from billing import adjustments, forgetting, ledger
from billing.models import Adjustment, ClosedBooks, Entry, LedgerAccount, Order, Payment, Subscription, Transaction
from privacy import erasure
from privacy.audit import too_old
from privacy.models import Erasure
from privacy.retention import longest
from tests.billing.append_only import RULES
from tests.billing.happenings import bought, every_kind

pytestmark = pytest.mark.django_db

TABLES = [Entry, Transaction, LedgerAccount]


def aged(user: User, years: int) -> None:
    """Let the person's books be that much older, which only a test can do: with the triggers out of the way."""
    span = timedelta(days=366 * years)
    connection.check_constraints()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("DROP TRIGGER ledger_transaction_fixed")
        for model, name in (
            (Transaction, "created_at"), (Payment, "paid_at"), (Order, "created_at"), (ClosedBooks, "closed_at"),
        ):  # fmt: skip
            rows: Any = model._default_manager.filter(user=user)
            for key, at in list(rows.values_list("pk", name)):
                rows.filter(pk=key).update(**{name: at - span})
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = origin")
        else:
            cursor.execute(RULES.SQLITE["ledger_transaction_fixed"])


def erased(user: User) -> User:
    row = erasure.request(user, grace=timedelta(0))
    erasure.advance(row.pk)
    assert Erasure.objects.get(pk=row.pk).state == "done"
    user.refresh_from_db()
    return user


def refused(rows: Any) -> bool:
    """Whether the database refuses to delete these rows, asked with no more than SQL."""
    try:
        with transaction.atomic():
            rows._raw_delete("default")
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    return False


def wrong() -> list[str]:
    """What is wrong with the ledger, but for the payments that ``every_kind`` makes."""
    return [line for line in ledger.verify() if not line.startswith("payment ")]


def of(user: User) -> dict[str, Any]:
    return {
        "entries": Entry.objects.filter(transaction__user=user),
        "transactions": Transaction.objects.filter(user=user),
        "accounts": LedgerAccount.objects.filter(user=user),
    }


def test_nothing_goes_of_anybody_who_is_there_however_old(owner: User) -> None:
    every_kind(owner)
    aged(owner, 30)
    assert all(refused(rows) for rows in of(owner).values())
    assert refused(LedgerAccount.objects.filter(user=None))
    assert wrong() == []


def test_of_an_erased_account_nothing_goes_before_its_time(owner: User) -> None:
    ledger.grant(user=owner, credits=5, key="gift", reason="gift")
    erased(owner)
    aged(owner, 9)
    assert all(refused(rows) for rows in of(owner).values())
    assert forgetting.forget() == 0
    assert too_old() == []


def test_after_it_they_go_and_nothing_else(owner: User, stranger: User) -> None:
    every_kind(stranger)
    bought(owner, stripe_id="cs_2")
    job = uuid.uuid4()
    ledger.hold(user=owner, credits=3, job=job)
    ledger.capture(job=job)
    ledger.refund(job=job)
    told = ledger.grant(user=owner, credits=10, key="by-hand", reason="adjustment")
    Adjustment.objects.create(transaction=told, actor=stranger, reason="A job that was lost last week")
    for state in ("paid", "pending", "expired"):
        Order.objects.create(user=owner, item="pack-20", credits=20, amount=500, currency="eur", state=state)
    erased(owner)
    assert Order.objects.filter(user=owner).count() == 2
    before = list(Entry.objects.exclude(transaction__user=owner).order_by("pk").values())
    issued = ledger.balance(stranger)

    aged(owner, 10)
    forgetting.forget()
    assert too_old() == []  # the year in which it last moved has to end first
    assert Transaction.objects.filter(user=owner).exists()
    aged(owner, 1)
    named = [one.subject for one in too_old()]
    assert named == [f"books: billing.ClosedBooks {ClosedBooks.objects.get(user=owner).pk}"]
    # Entries and transactions may go by now; an account only after them.
    assert [name for name, rows in of(owner).items() if refused(rows)] == ["accounts"]
    forgetting.forget()
    assert list(User.objects.all()) == [stranger]
    assert list(Entry.objects.order_by("pk").values()) == before
    assert ledger.balance(stranger) == issued
    assert wrong() == []
    assert too_old() == []
    assert forgetting.forget() == 0
    for model in (Payment, Order, ClosedBooks, Subscription):
        assert not model._default_manager.exclude(user=stranger).exists()


@pytest.mark.parametrize(
    ("last", "asked", "ends"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 12, 31, tzinfo=UTC), False),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2037, 1, 3, tzinfo=UTC), True),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2036, 12, 31, 23, tzinfo=UTC), False),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2037, 1, 3, tzinfo=UTC), True),
    ],
)
def test_it_is_counted_from_the_end_of_the_last_year(owner: User, last: datetime, asked: datetime, ends: bool) -> None:
    ClosedBooks.objects.create(user=owner, closed_at=last)
    assert forgetting.books(asked - longest("books")).exists() is ends


@pytest.mark.parametrize("what", ["transaction", "payment", "order", "plan"])
def test_the_last_movement_counts(owner: User, what: str) -> None:
    long_ago = timezone.now() - timedelta(days=366 * 12)
    ClosedBooks.objects.create(user=owner, closed_at=long_ago)
    assert forgetting.books(timezone.now() - longest("books")).exists()
    if what == "transaction":
        ledger.grant(user=owner, credits=1, key="k", reason="r")
    elif what == "payment":
        Payment.objects.create(user=owner, stripe_id="cs", credits=0, amount=0, currency="eur", paid_at=timezone.now())
    elif what == "order":
        Order.objects.create(user=owner, item="pack-20", credits=20, amount=500, currency="eur", state="pending")
    else:
        Subscription.objects.create(
            user=owner, stripe_id="sub", plan="plan-200", credits=200, amount=1, currency="eur", status="active"
        )
    assert not forgetting.books(timezone.now() - longest("books")).exists()


def test_an_operators_number_stays_with_what_they_signed(owner: User, stranger: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    owner.refresh_from_db()
    adjustments.adjust(user=stranger, credits=3, reason="lost a job to a fault", actor=owner, key="x")
    erased(owner)
    assert Adjustment.objects.get().actor == owner
    aged(owner, 12)
    assert forgetting.forget() == 0
    erased(stranger)
    aged(stranger, 12)
    forgetting.forget()  # first the books that were signed for
    forgetting.forget()
    assert not User.objects.exists()
    assert ledger.verify() == []
