"""Writing a transaction of the ledger and its entries: called by ``billing/ledger.py`` alone, with the accounts locked.

What becomes available pays a debt first, and only the reversal of a grant may lead into one.
"""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from billing import forward
from billing.errors import InsufficientCredits, KeyReused
from billing.models import Entry, LedgerAccount, Transaction

Kind = Transaction.Kind
AVAILABLE, HELD, DEBT = LedgerAccount.Kind.AVAILABLE, LedgerAccount.Kind.HELD, LedgerAccount.Kind.DEBT
ISSUED, SPENT = LedgerAccount.Kind.ISSUED, LedgerAccount.Kind.SPENT


def tell(
    *,
    key: str,
    kind: Kind,
    user: User,
    credits: int,
    source: str,
    target: str,
    job: UUID | None = None,
    reason: str = "",
    settles: Transaction | None = None,
    reverses: Transaction | None = None,
    may_owe: bool = False,
) -> Transaction:
    """Write one transaction and its entries, unless it was told before; returns it, or the one told before.

    Raises ``InsufficientCredits``, ``KeyReused``.
    """
    content = {
        "kind": kind,
        "user": user,
        "credits": credits,
        "job": job,
        "reason": reason,
        "settles": settles,
        "reverses": reverses,
    }
    told, new = Transaction.objects.get_or_create(key=key, defaults=content)
    if not new:
        if any(getattr(told, name) != value for name, value in content.items()):
            raise KeyReused(key)
        return told
    if credits:
        moves = [*_taken(user, source, credits, may_owe=may_owe), *_given(user, target, credits)]
        Entry.objects.bulk_create(
            [Entry(transaction=told, account=account, amount=amount) for account, amount in moves if amount]
        )
    forward.keep(told)
    return told


def _taken(user: User, source: str, credits: int, *, may_owe: bool) -> list[tuple[LedgerAccount, int]]:
    """Where the credits come from: what is not available is owed, if it may be, and is otherwise not to be had."""
    account = _account(user, source)
    if source != AVAILABLE:
        return [(account, -credits)]
    free = account.balance or 0
    if credits <= free:
        return [(account, -credits)]
    if not may_owe:
        raise InsufficientCredits(wanted=credits, available=free)
    return [(account, -free), (_account(user, DEBT), free - credits)]


def _given(user: User, target: str, credits: int) -> list[tuple[LedgerAccount, int]]:
    """Where the credits go: what becomes available pays the person's debt first."""
    account = _account(user, target)
    if target != AVAILABLE:
        return [(account, credits)]
    debt = LedgerAccount.objects.filter(user=user, kind=DEBT).first()
    paid = min(credits, -(debt.balance or 0)) if debt else 0
    return ([(debt, paid)] if debt else []) + [(account, credits - paid)]


def _account(user: User, kind: str) -> LedgerAccount:
    """The person's account of that kind, or everybody's; a debt's and everybody's are opened on first need."""
    if kind in (AVAILABLE, HELD):
        return LedgerAccount.objects.get(user=user, kind=kind)
    if kind == DEBT:
        return LedgerAccount.objects.get_or_create(user=user, kind=kind, defaults={"balance": 0})[0]
    return LedgerAccount.objects.get_or_create(user=None, kind=kind)[0]
