"""Credits are never lost or spent twice: this module is the only writer of the ledger.

Every function is idempotent by a key: telling the same thing again changes nothing and returns the first
transaction; telling something else under a used key raises ``KeyReused``. Every function is one database
transaction (or a savepoint of the caller's), so a crash leaves either all of it or nothing.

Whatever moves a person's credits first locks that person's two account rows; so a person's movements happen one
after another, in any process, and different people never wait for each other. Should this module be wrong, the
database still refuses a balance below zero, a second settlement of a hold, and any change to what was written.

A hold of 0 credits is remembered: a transaction without entries, settled like any other.

Errors::

    LedgerError
    ├── InvalidAmount        a negative number of credits, or a grant of nothing
    ├── InsufficientCredits  more than is available
    ├── KeyReused            the key was used before, for something else
    ├── NoSuchTransaction    nothing under that key to capture, release, reverse or refund
    ├── AlreadySettled       the hold was captured and is to be released, or the other way round
    └── NotReversible        neither a grant (reverse) nor a capture (refund)
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction as database
from django.db.models import QuerySet

from accounts.models import User
from billing.models import Entry, LedgerAccount, Transaction

Kind = Transaction.Kind
AVAILABLE, HELD = LedgerAccount.Kind.AVAILABLE, LedgerAccount.Kind.HELD
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
    """A person's credits: free to use, and reserved by running jobs."""

    available: int
    held: int


def balance(user: User) -> Balance:
    """What the person has now. The first look opens their accounts and brings the welcome grant."""
    found = _balances(user)
    if len(found) < 2:
        with database.atomic():
            _lock(user)
            found = _balances(user)
    return Balance(available=found[AVAILABLE], held=found[HELD])


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

    Raises ``InvalidAmount``, ``InsufficientCredits``, ``KeyReused``.
    """
    if credits < 0:
        raise InvalidAmount(f"a hold of {credits} credits")
    with database.atomic():
        _lock(user)
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


def reverse(*, key: str, original: str, reason: str) -> Transaction:
    """Take a whole grant back, once: ``original`` is the grant's key, ``key`` this reversal's own.

    Raises ``NoSuchTransaction``, ``NotReversible`` (not a grant, or undone under another key),
    ``InsufficientCredits`` (some of it is held or spent), ``KeyReused``.
    """
    granted = _find(original)
    if granted.kind != Kind.GRANT:
        raise NotReversible(f"a {granted.kind} is not reversed; a captured job is refunded")
    with database.atomic():
        _lock(granted.user)
        if Transaction.objects.filter(reverses=granted).exclude(key=key).exists():
            raise NotReversible("the grant was reversed under another key")
        return _tell(
            key=key,
            kind=Kind.REVERSE,
            user=granted.user,
            credits=granted.credits,
            reason=reason,
            reverses=granted,
            source=AVAILABLE,
            target=ISSUED,
        )


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


def _find(key: str) -> Transaction:
    """The transaction under ``key``. Raises ``NoSuchTransaction``."""
    try:
        return Transaction.objects.select_related("user").get(key=key)
    except Transaction.DoesNotExist:
        raise NoSuchTransaction(key) from None


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
) -> Transaction:
    """Write one transaction and its two entries, unless it was told before. The person's accounts are locked."""
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
        accounts = {kind: _account(user, kind) for kind in (source, target)}
        if source == AVAILABLE and (accounts[source].balance or 0) < credits:
            raise InsufficientCredits(wanted=credits, available=accounts[source].balance or 0)
        Entry.objects.bulk_create(
            [
                Entry(transaction=told, account=accounts[source], amount=-credits),
                Entry(transaction=told, account=accounts[target], amount=credits),
            ]
        )
    return told


def _account(user: User, kind: str) -> LedgerAccount:
    """The person's account of that kind, or everybody's (opened on first need)."""
    if kind in (AVAILABLE, HELD):
        return LedgerAccount.objects.get(user=user, kind=kind)
    return LedgerAccount.objects.get_or_create(user=None, kind=kind)[0]
