"""Whether one person's lines add up: asked for when they look at them, and only then said.

What was proven stays proven, since the database lets nobody change a transaction or an entry: a person's are added
up from where they were proven last (``Proven``) on. ``billing/verification.py`` proves the whole ledger from its
beginning, whatever was proven before.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from billing import statement
from billing.models import Entry, LedgerAccount, Proven, Transaction

Account = LedgerAccount.Kind
Kind = Transaction.Kind


def holds(user: User) -> bool:
    """Whether the person's lines come to their balance, and their entries to their accounts.

    Credits that move between two of the questions look like a fault, so a fault is looked for again while the person's
    accounts are locked and nothing moves.
    """
    if _found(user) is not None:
        return True
    with transaction.atomic():
        _lock(user)
        return _found(user) is not None


def prove(user: User) -> bool:
    """The same, with the accounts locked; where they add up that is written down, and need not be added up again."""
    with transaction.atomic():
        _lock(user)
        found = _found(user)
        if found is not None:
            found.at = timezone.now()
            found.save()
        return found is not None


def _lock(user: User) -> None:
    list(LedgerAccount.objects.select_for_update(no_key=True).filter(user=user).order_by("pk"))


def _found(user: User) -> Proven | None:
    """What is proven now, not saved; ``None`` where something does not add up."""
    known = Proven.objects.filter(user=user).first() or Proven(user=user, upto=0, available=0, held=0, debt=0)
    new = Transaction.objects.filter(user=user, pk__gt=known.upto)
    last = new.order_by("-pk").values_list("pk", flat=True).first()
    of_new = Entry.objects.filter(transaction__user=user, transaction__gt=known.upto)
    moved = dict(of_new.values_list("account__kind").annotate(Sum("amount")).order_by())
    balances = dict(LedgerAccount.objects.filter(user=user).values_list("kind", "balance"))
    for kind in (Account.AVAILABLE, Account.HELD, Account.DEBT):
        total = getattr(known, kind) + moved.get(kind, 0)
        if (balances.get(kind) or 0) != total:
            return None
        setattr(known, kind, total)
    free = moved.get(Account.AVAILABLE, 0) + moved.get(Account.DEBT, 0)
    if statement.total(new) != free or _reserved(new) != moved.get(Account.HELD, 0) or _uneven(new):
        return None
    known.upto = last or known.upto
    return known


def _reserved(new: QuerySet[Transaction]) -> int:
    """What these transactions do to what the person's open holds come to."""
    found = new.aggregate(
        begun=Sum("credits", filter=Q(kind=Kind.HOLD), default=0),
        ended=Sum("credits", filter=Q(kind__in=[Kind.CAPTURE, Kind.RELEASE]), default=0),
    )
    return int(found["begun"] - found["ended"])


def _uneven(new: QuerySet[Transaction]) -> bool:
    """Whether there is one whose entries do not sum to zero, or do not move what it says."""
    total = Coalesce(Sum("entries__amount"), 0)
    moved = Coalesce(Sum("entries__amount", filter=Q(entries__amount__gt=0)), 0)
    return new.annotate(total=total, moved=moved).exclude(total=0, moved=F("credits")).exists()
