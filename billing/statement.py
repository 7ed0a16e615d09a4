"""The ledger as people read it: one line for each thing that happened, and a balance that adds up.

What came in or was taken back is a line of its own. A job is one line, whatever became of it: its hold and what ended
it are read together, so its credits are counted once: below zero while they are reserved and after they were spent, 0
once they are back. The balance beside a line is the sum of its own and all older lines; beside the newest it is what
the person has to spend, less what they owe.

Sums of older lines are brought forward (``billing/forward.py``), so a page costs the same wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from accounts.models import User
from billing import forward
from billing.forward import REFUNDED, RETURNED
from billing.models import Payment, Transaction

Kind = Transaction.Kind

PAGE_SIZE = 25
FILTERS = ("bought", "spent", "returned")

OF_CAPTURE = Q(reverses__kind=Kind.CAPTURE)

SIGNED = Case(
    When(kind__in=[Kind.GRANT, Kind.RELEASE, Kind.RESTORE], then=F("credits")),
    When(kind__in=[Kind.HOLD, Kind.TAKE], then=-F("credits")),
    When(OF_CAPTURE, kind=Kind.REVERSE, then=F("credits")),
    When(kind=Kind.REVERSE, then=-F("credits")),
    default=Value(0),  # a capture spends what was taken from the sum when it was held
    output_field=IntegerField(),
)
"""What a transaction does to what the person has to spend, less what they owe."""


@dataclass(frozen=True)
class Line:
    """One line. ``what`` is one of the words below; ``moved`` are its credits without a sign, ``credits`` what is left
    of them in the balance: 0 for a job whose credits came back.

    ``bought`` ``welcome`` ``given`` ``taken_back`` ``restored`` ``adjusted`` ``reserved`` ``spent`` ``returned``
    """

    id: int
    at: datetime
    what: str
    moved: int
    credits: int
    balance: int
    job: UUID | None = None
    payment: Payment | None = None
    """What was bought, or of what credits were taken back or restored."""
    cause: str = ""
    """A code of the ledger's: why it was given, taken back or restored."""
    reason: str = ""
    """What an operator wrote."""
    ended_at: datetime | None = None
    """When a job's credits were spent or came back."""

    @property
    def monthly(self) -> bool:
        """Whether it is about a plan's paid invoice."""
        return self.payment is not None and self.payment.stripe_id.startswith("in_")


@dataclass(frozen=True)
class Page:
    """One page; ``before`` is the key of the next one, empty on the last."""

    lines: list[Line]
    before: str


def page(*, user: User, only: str = "", before: str = "", most: int | None = None) -> Page:
    """The person's lines older than the key ``before``, newest first, at most ``most`` (``PAGE_SIZE``).

    ``only`` is one of ``FILTERS``; what is not one, and a key that is none, is ignored. Four queries.
    """
    most = most or PAGE_SIZE
    lines = _narrowed(_heads(user), only).order_by("-id")
    # More digits than an id can have are no key, and too many for the database.
    if is_key(before):
        lines = lines.filter(id__lt=int(before))
    found = list(lines[: most + 1])
    more = len(found) > most
    found = found[:most]
    upto = forward.upto(user, [told.pk for told in found])
    shown = [_line(told, upto[told.pk].credits) for told in found]
    return Page(shown, str(found[-1].pk) if more else "")


def is_key(text: str) -> bool:
    """Whether it has the form of a ``Page.before``."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def everything(user: User) -> Iterator[Line]:
    """All of the person's lines, oldest first. One query."""
    balance = 0
    for told in _heads(user).order_by("id").iterator(chunk_size=2000):
        balance += _credits(told)
        yield _line(told, balance)


def _heads(user: User) -> QuerySet[Transaction]:
    """The transactions that lines begin with, each with what its line has to say."""
    return (
        forward.heads(user)
        .annotate(refunded=REFUNDED)
        .select_related("settlement", "adjustment", "payment", "reverses__payment")
    )


def _narrowed(lines: QuerySet[Transaction], only: str) -> QuerySet[Transaction]:
    """Only purchases and what became of them, or only jobs that cost something, or only those that did not."""
    if only == "bought":
        # Neither is of a job; of those there is an index.
        return lines.filter(Q(payment__isnull=False) | Q(reverses__payment__isnull=False), job=None)
    if only == "spent":
        return lines.filter(~RETURNED, kind=Kind.HOLD)
    if only == "returned":
        return lines.filter(RETURNED, kind=Kind.HOLD)
    return lines


def _ended(told: Transaction) -> Transaction | None:
    """What ended a hold."""
    return getattr(told, "settlement", None)


def _came_back(told: Transaction) -> bool:
    ended = _ended(told)
    return bool(getattr(told, "refunded", False)) or (ended is not None and ended.kind == Kind.RELEASE)


def _credits(told: Transaction) -> int:
    """What a line adds to the balance."""
    if told.kind == Kind.HOLD:
        return 0 if _came_back(told) else -told.credits
    return told.credits if told.kind in (Kind.GRANT, Kind.RESTORE) else -told.credits


def _line(told: Transaction, balance: int) -> Line:
    ended = _ended(told)
    payment: Payment | None = getattr(told, "payment", None) or getattr(told.reverses, "payment", None)
    adjustment = getattr(told, "adjustment", None)
    return Line(
        id=told.pk,
        at=told.created_at,
        what=_what(told, bought=payment is not None, adjusted=adjustment is not None),
        moved=told.credits,
        credits=_credits(told),
        balance=balance,
        job=told.job,
        payment=payment,
        cause=told.reason,
        reason=adjustment.reason if adjustment else "",
        ended_at=ended.created_at if ended else None,
    )


def _what(told: Transaction, *, bought: bool, adjusted: bool) -> str:
    if adjusted or told.kind == Kind.TAKE:
        return "adjusted"
    if told.kind == Kind.HOLD:
        return "returned" if _came_back(told) else "spent" if _ended(told) else "reserved"
    if told.kind == Kind.REVERSE:
        return "taken_back"
    if told.kind == Kind.RESTORE:
        return "restored"
    return "bought" if bought else "welcome" if told.reason == "welcome" else "given"
