"""Writing a transaction of the ledger and its entries: called by ``billing/ledger.py`` alone, with the accounts locked.

What was read as they were locked is so until the transaction of the database ends, and is not asked again.
What becomes available pays a debt first, and only the reversal of a grant may lead into one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from accounts.models import User
from billing import forward
from billing.errors import InsufficientCredits, KeyReused
from billing.models import Entry, LedgerAccount, Transaction

Kind = Transaction.Kind
AVAILABLE, HELD, DEBT = LedgerAccount.Kind.AVAILABLE, LedgerAccount.Kind.HELD, LedgerAccount.Kind.DEBT
ISSUED, SPENT = LedgerAccount.Kind.ISSUED, LedgerAccount.Kind.SPENT

Accounts = Mapping[str, LedgerAccount]
"""A person's accounts by kind, as they were locked."""


def tell(
    *,
    key: str,
    kind: Kind,
    user: User,
    accounts: Accounts,
    credits: int,
    source: str,
    target: str,
    job: UUID | None = None,
    reason: str = "",
    settles: Transaction | None = None,
    reverses: Transaction | None = None,
    may_owe: bool = False,
    first: Callable[[], None] | None = None,
    new: bool = False,
) -> Transaction:
    """Write one transaction and its entries, unless it was told before; returns it, or the one told before.

    ``first`` is called before a new one is written, and may refuse it. ``new``: the caller knows that it was not told
    before, which else is looked up; should that be wrong, the database refuses the second. Raises
    ``InsufficientCredits``, ``KeyReused``.
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
    told = None if new else next(iter(Transaction.objects.filter(key=key)), None)
    if told is not None:
        if any(getattr(told, name) != value for name, value in content.items()):
            raise KeyReused(key)
        return told
    if first is not None:
        first()
    told = Transaction.objects.create(key=key, **content)  # nobody else writes this person's now
    if credits:
        moves = [*_taken(user, accounts, source, credits, may_owe=may_owe), *_given(accounts, target, credits)]
        Entry.objects.bulk_create(
            [Entry(transaction=told, account=account, amount=amount) for account, amount in moves if amount]
        )
    forward.keep(told)
    return told


def _taken(
    user: User, accounts: Accounts, source: str, credits: int, *, may_owe: bool
) -> list[tuple[LedgerAccount, int]]:
    """Where the credits come from: what is not available is owed, if it may be, and is otherwise not to be had."""
    account = _account(accounts, source)
    if source != AVAILABLE:
        return [(account, -credits)]
    free = account.balance or 0
    if credits <= free:
        return [(account, -credits)]
    if not may_owe:
        raise InsufficientCredits(wanted=credits, available=free)
    debt = accounts.get(DEBT) or LedgerAccount.objects.create(user=user, kind=DEBT, balance=0)
    return [(account, -free), (debt, free - credits)]


def _given(accounts: Accounts, target: str, credits: int) -> list[tuple[LedgerAccount, int]]:
    """Where the credits go: what becomes available pays the person's debt first."""
    account = _account(accounts, target)
    if target != AVAILABLE:
        return [(account, credits)]
    debt = accounts.get(DEBT)
    paid = min(credits, -(debt.balance or 0)) if debt else 0
    return ([(debt, paid)] if debt else []) + [(account, credits - paid)]


def _account(accounts: Accounts, kind: str) -> LedgerAccount:
    """The person's account of that kind, or everybody's, which is opened on first need."""
    if kind in (AVAILABLE, HELD):
        return accounts[kind]
    return LedgerAccount.objects.get_or_create(user=None, kind=kind)[0]
