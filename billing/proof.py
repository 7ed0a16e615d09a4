"""Whether one person's lines add up: asked for when they look at them, and only then said.

``billing/verification.py`` proves the whole ledger; this is the part of it that one person can be told.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from billing import statement
from billing.models import LedgerAccount, Transaction

Account = LedgerAccount.Kind


def holds(user: User) -> bool:
    """Whether the person's lines come to their balance, and their entries to their accounts.

    Credits that move between two of the questions look like a fault, so a fault is looked for again while the person's
    accounts are locked and nothing moves.
    """
    if _holds(user):
        return True
    with transaction.atomic():
        list(LedgerAccount.objects.select_for_update(no_key=True).filter(user=user).order_by("pk"))
        return _holds(user)


def _holds(user: User) -> bool:
    accounts = LedgerAccount.objects.filter(user=user).annotate(total=Coalesce(Sum("entries__amount"), 0))
    found = list(accounts)
    balances = {account.kind: account.balance or 0 for account in found}
    return (
        all(account.balance == account.total for account in found)
        and statement.total(user) == balances.get(Account.AVAILABLE, 0) + balances.get(Account.DEBT, 0)
        and _reserved(user) == balances.get(Account.HELD, 0)
        and not _uneven(user)
    )


def _reserved(user: User) -> int:
    """What the person's open holds come to."""
    settled = Exists(Transaction.objects.filter(settles=OuterRef("pk")))
    held = Transaction.objects.filter(~settled, user=user, kind=Transaction.Kind.HOLD)
    return int(held.aggregate(total=Sum("credits", default=0))["total"])


def _uneven(user: User) -> bool:
    """Whether there is a transaction whose entries do not sum to zero, or do not move what it says."""
    total = Coalesce(Sum("entries__amount"), 0)
    moved = Coalesce(Sum("entries__amount", filter=Q(entries__amount__gt=0)), 0)
    mine = Transaction.objects.filter(user=user).annotate(total=total, moved=moved)
    return mine.exclude(total=0, moved=F("credits")).exists()
