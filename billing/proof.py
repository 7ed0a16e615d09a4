"""Whether one person's lines add up: asked for when they look at them, and only then said.

What was proven stays proven, since the database lets nobody change a transaction or an entry: a person's are added
up from where they were proven last (``Proven``) on. ``billing/verification.py`` proves the whole ledger from its
beginning, whatever was proven before.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from billing.models import LedgerAccount, Proven, Transaction
from billing.statement import SIGNED

Account = LedgerAccount.Kind
Kind = Transaction.Kind


def holds(user: User) -> bool:
    """Whether the person's lines come to their balance, and their entries to their accounts.

    Credits that move between two of the questions look like a fault, so a fault is looked for again while the person's
    accounts are locked and nothing moves.
    """
    if _found([user.pk]):
        return True
    with transaction.atomic():
        _lock([user.pk])
        return bool(_found([user.pk]))


def prove(people: Collection[int]) -> list[int]:
    """The same of a few people, with their accounts locked: those of whom something does not add up, by number.

    Of the others it is written down, and need not be added up again.
    """
    with transaction.atomic():
        _lock(people)
        found = _found(people)
        Proven.objects.bulk_create(
            found.values(),
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=["upto", "at", "available", "held", "debt"],
        )
    return [person for person in people if person not in found]


def _lock(people: Collection[int]) -> None:
    # In one order for everybody, whoever locks several.
    list(LedgerAccount.objects.select_for_update(no_key=True).filter(user__in=people).order_by("pk"))


def _found(people: Collection[int]) -> dict[int, Proven]:
    """What is proven now, not saved, by person; without those of whom something does not add up."""
    if not people:
        return {}
    now = timezone.now()
    known = {one: Proven(user_id=one, upto=0, available=0, held=0, debt=0) for one in people}
    for row in Proven.objects.filter(user__in=people):
        known[row.user_id] = Proven(
            user_id=row.user_id, upto=row.upto, available=row.available, held=row.held, debt=row.debt
        )
    # Each from where they were proven: a condition for each, for which there is an index.
    new = Transaction.objects.filter(reduce(or_, (Q(user=one, pk__gt=row.upto) for one, row in known.items())))
    moved: dict[int, dict[str, int]] = {one: {} for one in people}
    # From the transactions to their entries: the other way round, Postgres would read all transactions of these people.
    sums = new.values_list("user", "entries__account__kind").annotate(Sum("entries__amount")).order_by()
    for person, kind, amount in sums:
        if kind is not None:
            moved[person][kind] = amount
    balances: dict[int, dict[str, int | None]] = {one: {} for one in people}
    for user, kind, balance in LedgerAccount.objects.filter(user__in=people).values_list("user", "kind", "balance"):
        balances[user or 0][kind] = balance
    lines = {row["user"]: row for row in _lines(new)}
    none = {"last": 0, "free": 0, "begun": 0, "ended": 0}
    wrong = set(_uneven(new))
    for person, row in known.items():
        line, amounts = lines.get(person, none), moved[person]
        row.upto, row.at = line["last"] or row.upto, now
        for kind in (Account.AVAILABLE, Account.HELD, Account.DEBT):
            total = getattr(row, kind) + amounts.get(kind, 0)
            setattr(row, kind, total)
            if (balances[person].get(kind) or 0) != total:
                wrong.add(person)
        free = amounts.get(Account.AVAILABLE, 0) + amounts.get(Account.DEBT, 0)
        if line["free"] != free or line["begun"] - line["ended"] != amounts.get(Account.HELD, 0):
            wrong.add(person)
    return {person: row for person, row in known.items() if person not in wrong}


def _lines(new: QuerySet[Transaction]) -> QuerySet[Transaction, Any]:
    """By person: the last of these transactions, what they do to what is free, and to what open holds come to."""
    return (
        new.values("user")
        .annotate(
            last=Max("pk"),
            free=Sum(SIGNED, default=0),
            begun=Sum("credits", filter=Q(kind=Kind.HOLD), default=0),
            ended=Sum("credits", filter=Q(kind__in=[Kind.CAPTURE, Kind.RELEASE]), default=0),
        )
        .order_by()
    )


def _uneven(new: QuerySet[Transaction]) -> QuerySet[Transaction, int]:
    """Of whom there is one whose entries do not sum to zero, or do not move what it says."""
    total = Coalesce(Sum("entries__amount"), 0)
    moved = Coalesce(Sum("entries__amount", filter=Q(entries__amount__gt=0)), 0)
    return new.annotate(total=total, moved=moved).exclude(total=0, moved=F("credits")).values_list("user", flat=True)
