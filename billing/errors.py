"""What the ledger may refuse::

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
