"""Credits are never lost or spent twice: this module is the only writer of the ledger.

Every function is idempotent by a key: telling the same thing again changes nothing and returns the first
transaction; telling something else under a used key raises ``KeyReused``. Every function is one database
transaction (or a savepoint of the caller's), so a crash leaves either all of it or nothing.

Whatever moves a person's credits first locks that person's two account rows; so a person's movements happen one
after another, in any process, and different people never wait for each other. Should this module be wrong, the
database still refuses a balance below zero, a second settlement of a hold, and any change to what was written.

A hold of 0 credits is remembered: a transaction without entries, settled like any other.

Only the reversal of a grant may take more than is there: what is missing is entered as debt, and whatever comes in
pays that first (``_given``). So nobody has credits to spend while they owe some.

Errors::

    LedgerError
    ├── InvalidAmount        a negative number of credits, or a grant of nothing
    ├── InsufficientCredits  more than is available
    ├── LimitReached         more than the person lets themselves spend in a month
    ├── KeyReused            the key was used before, for something else
    ├── NoSuchTransaction    nothing under that key to capture, release, reverse, restore or refund
    ├── AlreadySettled       the hold was captured and is to be released, or the other way round
    └── NotReversible        no grant, or more than is left of it (reverse) or was taken back of it (restore)
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction as database
from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from billing import limits
from billing.models import Entry, LedgerAccount, Transaction

Kind = Transaction.Kind
AVAILABLE, HELD, DEBT = LedgerAccount.Kind.AVAILABLE, LedgerAccount.Kind.HELD, LedgerAccount.Kind.DEBT
ISSUED, SPENT = LedgerAccount.Kind.ISSUED, LedgerAccount.Kind.SPENT


class LedgerError(Exception):
    """The ledger cannot do what was asked, and has done nothing."""


class InvalidAmount(LedgerError):
    """Not a number of credits that can move."""


class InsufficientCredits(LedgerError):
    """More was asked for than is available."""

    def __init__(self, *, wanted: int, available: int) -> None:
        super().__init__(f"{wanted} credits wanted, {available} available")
        self.wanted = wanted
        self.available = available


class LimitReached(LedgerError):
    """The person's own limit for the month stands in the way; ``left`` credits of it are left."""

    def __init__(self, *, limit: int, left: int) -> None:
        super().__init__(f"a limit of {limit} credits a month, {left} left")
        self.limit = limit
        self.left = left


class KeyReused(LedgerError):
    """The idempotency key belongs to a transaction with other content."""


class NoSuchTransaction(LedgerError):
    """There is nothing under that key."""


class AlreadySettled(LedgerError):
    """The hold ended the other way."""


class NotReversible(LedgerError):
    """That kind of transaction is not undone this way."""


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
        _lock(user)
        return _tell(
            key=key, kind=Kind.GRANT, user=user, credits=credits, reason=reason, source=ISSUED, target=AVAILABLE
        )


def hold(*, user: User, credits: int, job: UUID) -> Transaction:
    """Reserve what a job will cost (0 or more), before it starts.

    Raises ``InvalidAmount``, ``InsufficientCredits``, ``LimitReached``, ``KeyReused``.
    """
    if credits < 0:
        raise InvalidAmount(f"a hold of {credits} credits")
    with database.atomic():
        _lock(user)
        if credits and not Transaction.objects.filter(key=f"hold:{job}").exists():
            _within_limit(user, credits)
        return _tell(
            key=f"hold:{job}", kind=Kind.HOLD, user=user, credits=credits, job=job, source=AVAILABLE, target=HELD
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
        _lock(captured.user)
        return _tell(
            key=f"refund:{job}",
            kind=Kind.REVERSE,
            user=captured.user,
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
        _lock(granted.user)
        if credits > granted.credits - taken_back(granted, but=key):
            raise NotReversible(f"less than {credits} credits are left of {original}")
        return _tell(
            key=key,
            kind=Kind.REVERSE,
            user=granted.user,
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
        _lock(granted.user)
        if credits > taken_back(granted, but=key):
            raise NotReversible(f"less than {credits} credits of {original} were taken back")
        return _tell(
            key=key,
            kind=Kind.RESTORE,
            user=granted.user,
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
        _lock(user)
        return _tell(
            key=key, kind=Kind.TAKE, user=user, credits=credits, reason=reason, source=AVAILABLE, target=ISSUED
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


def _lock(user: User) -> None:
    """Lock the person's accounts until the database transaction ends, opening them if this is the first time.

    In order of id, so that two movements never wait for each other crosswise. ``no_key``: new entries'
    foreign keys may still point at the rows.
    """
    mine = LedgerAccount.objects.select_for_update(no_key=True).filter(user=user).order_by("pk")
    if len(mine) < 2:
        LedgerAccount.objects.bulk_create(
            [LedgerAccount(user=user, kind=kind, balance=0) for kind in (AVAILABLE, HELD)], ignore_conflicts=True
        )
        len(mine.all())
        _welcome(user)


def _welcome(user: User) -> None:
    """The grant for a new account. Called with its accounts locked; the key makes a second call harmless."""
    key = f"welcome:{user.pk}"
    if settings.GRANT_CREDITS > 0 and not Transaction.objects.filter(key=key).exists():
        _tell(
            key=key,
            kind=Kind.GRANT,
            user=user,
            credits=settings.GRANT_CREDITS,
            reason="welcome",
            source=ISSUED,
            target=AVAILABLE,
        )


def _within_limit(user: User, credits: int) -> None:
    """Raises ``LimitReached`` when spending so many would go past the person's limit for the month."""
    limit = limits.monthly(user)
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
        _lock(held.user)
        if Transaction.objects.filter(settles=held).exclude(kind=kind).exists():
            raise AlreadySettled(f"job {job} cannot have its {kind}: its hold ended the other way")
        return _tell(
            key=f"{kind}:{job}",
            kind=kind,
            user=held.user,
            credits=held.credits,
            job=job,
            settles=held,
            source=HELD,
            target=target,
        )


def _tell(
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
    """Write one transaction and its entries, unless it was told before. The person's accounts are locked."""
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
