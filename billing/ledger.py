"""Credits are never lost or spent twice: this module is the only writer of the ledger.

Every function is idempotent by a key: telling the same thing again changes nothing and returns the first
transaction; telling something else under a used key raises ``KeyReused``. Every function is one database
transaction (or a savepoint of the caller's), so a crash leaves either all of it or nothing.

Whatever moves a person's credits first locks that person's two account rows; so a person's movements happen one
after another, in any process, and different people never wait for each other. Should this module be wrong, the
database still refuses a balance below zero, a second settlement of a hold, and any change to what was written.

A hold of 0 credits is remembered: a transaction without entries, settled like any other.

Only the reversal of a grant may take more than is there: what is missing is entered as debt, and whatever comes in
pays that first (``billing/posting.py``). So nobody has credits to spend while they owe some.

What it may refuse is in ``billing/errors.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction as database
from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from billing import limits
from billing.errors import (
    AlreadySettled,
    InsufficientCredits,
    InvalidAmount,
    KeyReused,
    LedgerError,
    LimitReached,
    NoSuchTransaction,
    NotReversible,
)
from billing.models import LedgerAccount, Transaction
from billing.posting import AVAILABLE, DEBT, HELD, ISSUED, SPENT, Kind, tell

__all__ = [
    "AlreadySettled",
    "Balance",
    "InsufficientCredits",
    "InvalidAmount",
    "KeyReused",
    "LedgerError",
    "LimitReached",
    "NoSuchTransaction",
    "NotReversible",
    "balance",
    "capture",
    "grant",
    "hold",
    "refund",
    "release",
    "restore",
    "reverse",
    "statement",
    "take",
    "taken_back",
    "verify",
]


@dataclass(frozen=True)
class Balance:
    """A person's credits: free to use, reserved by running jobs, and owed after a reversal (0 or more)."""

    available: int
    held: int
    owed: int = 0


def balance(user: User) -> Balance:
    """What the person has now. The first look opens their accounts and brings the welcome grant."""
    found = _balances(user)
    if len(found) < 2:
        with database.atomic():
            _lock(user)
            found = _balances(user)
    return Balance(available=found[AVAILABLE], held=found[HELD], owed=-found.get(DEBT, 0))


def grant(*, user: User, credits: int, key: str, reason: str) -> Transaction:
    """Give ``credits`` (at least 1) to a person; ``reason`` is a short code for the statement.

    Raises ``InvalidAmount``, ``KeyReused``.
    """
    if credits < 1:
        raise InvalidAmount(f"a grant of {credits} credits")
    with database.atomic():
        return tell(
            key=key,
            kind=Kind.GRANT,
            user=user,
            accounts=_lock(user),
            credits=credits,
            reason=reason,
            source=ISSUED,
            target=AVAILABLE,
        )


def hold(*, user: User, credits: int, job: UUID, new: bool = False) -> Transaction:
    """Reserve what a job will cost (0 or more), before it starts.

    ``new``: the caller has written the job's row in a transaction that whatever this raises ends, too. So nothing was
    told of the job before, and there is nothing that a savepoint would save.
    Raises ``InvalidAmount``, ``InsufficientCredits``, ``LimitReached``, ``KeyReused``.
    """
    if credits < 0:
        raise InvalidAmount(f"a hold of {credits} credits")
    with database.atomic(savepoint=not new):
        return tell(
            key=f"hold:{job}",
            kind=Kind.HOLD,
            user=user,
            accounts=_lock(user),
            credits=credits,
            job=job,
            source=AVAILABLE,
            target=HELD,
            first=partial(_within_limit, user, credits),
            new=new,
        )


def capture(*, job: UUID) -> Transaction:
    """Spend what was held for the job. Raises ``NoSuchTransaction`` (no hold), ``AlreadySettled`` (released)."""
    return _settle(job=job, kind=Kind.CAPTURE, target=SPENT)


def release(*, job: UUID) -> Transaction:
    """Give back what was held for the job. Raises ``NoSuchTransaction`` (no hold), ``AlreadySettled`` (captured)."""
    return _settle(job=job, kind=Kind.RELEASE, target=AVAILABLE)


def refund(*, job: UUID) -> Transaction:
    """Give back what was already captured for the job (its asset was lost afterwards).

    Raises ``NoSuchTransaction`` when nothing was captured.
    """
    captured = _find(f"capture:{job}")
    with database.atomic():
        return tell(
            key=f"refund:{job}",
            kind=Kind.REVERSE,
            user=captured.user,
            accounts=_lock(captured.user),
            credits=captured.credits,
            job=job,
            reason="refund",
            reverses=captured,
            source=SPENT,
            target=AVAILABLE,
        )


def reverse(*, key: str, original: str, credits: int, reason: str) -> Transaction:
    """Take ``credits`` of a grant back: ``original`` is the grant's key, ``key`` this reversal's own.

    What is no longer available becomes debt. Raises ``NoSuchTransaction``, ``NotReversible`` (not a grant, or not so
    much of it is left), ``InvalidAmount``, ``KeyReused``.
    """
    granted = _granted(original, credits)
    with database.atomic():
        accounts = _lock(granted.user)
        if credits > granted.credits - taken_back(granted, but=key):
            raise NotReversible(f"less than {credits} credits are left of {original}")
        return tell(
            key=key,
            kind=Kind.REVERSE,
            user=granted.user,
            accounts=accounts,
            credits=credits,
            reason=reason,
            reverses=granted,
            source=AVAILABLE,
            target=ISSUED,
            may_owe=True,
        )


def restore(*, key: str, original: str, credits: int, reason: str) -> Transaction:
    """Give back ``credits`` that were taken back of a grant (a dispute was won, a refund did not go through).

    Raises ``NoSuchTransaction``, ``NotReversible`` (not a grant, or not so much of it was taken back),
    ``InvalidAmount``, ``KeyReused``.
    """
    granted = _granted(original, credits)
    with database.atomic():
        accounts = _lock(granted.user)
        if credits > taken_back(granted, but=key):
            raise NotReversible(f"less than {credits} credits of {original} were taken back")
        return tell(
            key=key,
            kind=Kind.RESTORE,
            user=granted.user,
            accounts=accounts,
            credits=credits,
            reason=reason,
            reverses=granted,
            source=ISSUED,
            target=AVAILABLE,
        )


def take(*, user: User, credits: int, key: str, reason: str) -> Transaction:
    """Take ``credits`` (at least 1) from what is available, with no grant to name; see ``billing/adjustments.py``.

    Raises ``InvalidAmount``, ``InsufficientCredits``, ``KeyReused``.
    """
    if credits < 1:
        raise InvalidAmount(f"taking {credits} credits")
    with database.atomic():
        return tell(
            key=key,
            kind=Kind.TAKE,
            user=user,
            accounts=_lock(user),
            credits=credits,
            reason=reason,
            source=AVAILABLE,
            target=ISSUED,
        )


def taken_back(granted: Transaction, *, but: str = "") -> int:
    """Credits of a grant that are taken back and not restored, leaving out the transaction under the key ``but``."""
    others = Transaction.objects.filter(reverses=granted).exclude(key=but)
    found = others.aggregate(
        reversed=Sum("credits", filter=Q(kind=Kind.REVERSE), default=0),
        restored=Sum("credits", filter=Q(kind=Kind.RESTORE), default=0),
    )
    return int(found["reversed"] - found["restored"])


def statement(user: User) -> QuerySet[Transaction]:
    """Everything that ever moved the person's credits, newest first."""
    return Transaction.objects.filter(user=user).order_by("-id")


def verify() -> list[str]:
    """Every broken invariant, one line each; empty when the ledger is sound. See ``billing/verification.py``."""
    from billing.verification import differences

    return differences()


def _balances(user: User) -> dict[str, int]:
    """The person's balances by kind of account, read in one statement: a consistent pair, or nothing yet."""
    found = LedgerAccount.objects.filter(user=user).values_list("kind", "balance")
    return {kind: figure or 0 for kind, figure in found}


def _lock(user: User) -> dict[str, LedgerAccount]:
    """Lock the person's accounts until the database transaction ends, opening them if this is the first time.

    In order of id, so that two movements never wait for each other crosswise. ``no_key``: new entries'
    foreign keys may still point at the rows.
    """
    mine = LedgerAccount.objects.select_for_update(no_key=True).filter(user=user).order_by("pk")
    if len(mine) < 2:
        LedgerAccount.objects.bulk_create(
            [LedgerAccount(user=user, kind=kind, balance=0) for kind in (AVAILABLE, HELD)], ignore_conflicts=True
        )
        _welcome(user, _by_kind(mine.all()))
        mine = mine.all()
    return _by_kind(mine)


def _by_kind(accounts: Iterable[LedgerAccount]) -> dict[str, LedgerAccount]:
    return {account.kind: account for account in accounts}


def _welcome(user: User, accounts: dict[str, LedgerAccount]) -> None:
    """The grant for a new account. Called with its accounts locked; the key makes a second call harmless."""
    key = f"welcome:{user.pk}"
    if settings.GRANT_CREDITS > 0 and not Transaction.objects.filter(key=key).exists():
        tell(
            key=key,
            kind=Kind.GRANT,
            user=user,
            accounts=accounts,
            credits=settings.GRANT_CREDITS,
            reason="welcome",
            source=ISSUED,
            target=AVAILABLE,
        )


def _within_limit(user: User, credits: int) -> None:
    """Raises ``LimitReached`` when spending so many would go past the person's limit for the month."""
    limit = limits.monthly(user) if credits else None
    if limit is not None:
        left = max(0, limit - limits.spent_this_month(user))
        if credits > left:
            raise LimitReached(limit=limit, left=left)


def _find(key: str) -> Transaction:
    """The transaction under ``key``. Raises ``NoSuchTransaction``."""
    try:
        return Transaction.objects.select_related("user").get(key=key)
    except Transaction.DoesNotExist:
        raise NoSuchTransaction(key) from None


def _granted(key: str, credits: int) -> Transaction:
    """The grant under ``key``, of which ``credits`` are to move. Raises what ``reverse`` does."""
    if credits < 1:
        raise InvalidAmount(f"{credits} credits of a grant")
    granted = _find(key)
    if granted.kind != Kind.GRANT:
        raise NotReversible(f"a {granted.kind} is not reversed; a captured job is refunded")
    return granted


def _settle(*, job: UUID, kind: Kind, target: str) -> Transaction:
    """End the job's hold one way or the other."""
    held = _find(f"hold:{job}")
    with database.atomic():
        accounts = _lock(held.user)
        settled = next(iter(Transaction.objects.filter(settles=held)), None)
        if settled is not None:
            if settled.kind != kind:
                raise AlreadySettled(f"job {job} cannot have its {kind}: its hold ended the other way")
            return settled
        return tell(
            key=f"{kind}:{job}",
            kind=kind,
            user=held.user,
            accounts=accounts,
            credits=held.credits,
            job=job,
            settles=held,
            source=HELD,
            target=target,
            new=True,  # it would have settled the hold
        )
