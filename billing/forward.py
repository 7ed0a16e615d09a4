"""What a person's lines come to before some of them, written down, so that nobody adds up all lines for the last page.

About one line in ``EVERY`` carries what all older ones come to ("brought forward", as on the top of a page in a book of
accounts). The sum beside any line is then the one brought forward to the nearest such line, and the few between. A
line's sum may change later, as its hold is released or refunded: what stands after it follows in the same transaction,
while the person's accounts are locked. ``billing/verification.py`` adds everything up anew.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.lookups import IsNull

from accounts.models import User
from billing.models import BroughtForward, Transaction

Kind = Transaction.Kind

EVERY: Final = 64

# By way of its capture, for which there is an index: SQLite would read the whole ledger for each line. And not EXISTS:
# Postgres would read all refunds there are, whenever it takes a person's lines for many.
_REFUND = Transaction.objects.filter(kind=Kind.REVERSE, reverses=OuterRef("settlement__id")).values("pk")[:1]
REFUNDED = IsNull(Subquery(_REFUND), False)
"""Of a hold: it was captured, and the credits are back all the same."""
RETURNED = Q(settlement__kind=Kind.RELEASE) | Q(REFUNDED)
"""Of a hold: its credits are back."""

COMES_TO = Case(
    When(RETURNED, kind=Kind.HOLD, then=Value(0)),
    When(kind__in=[Kind.GRANT, Kind.RESTORE], then=F("credits")),
    default=-F("credits"),
    output_field=IntegerField(),
)
"""What a line adds to the balance, by the transaction that it begins with."""
SPENT = Case(When(~RETURNED, kind=Kind.HOLD, then=F("credits")), default=Value(0), output_field=IntegerField())
"""Credits of a line that are held or spent, for a job."""


@dataclass(frozen=True)
class Sums:
    """What lines come to: ``credits`` to spend less what is owed, and ``spent`` on jobs (held ones included)."""

    credits: int = 0
    spent: int = 0


def heads(user: User) -> QuerySet[Transaction]:
    """The transactions that the person's lines begin with."""
    return Transaction.objects.filter(user=user, settles=None, reverses__settles=None)


def line_of(told: Transaction) -> int:
    """The transaction that its line begins with: of what ends a hold, or undoes that, the hold."""
    of_reversed = told.reverses.settles_id if told.reverses else None
    return told.settles_id or of_reversed or told.pk


def keep(told: Transaction) -> None:
    """Keep what is brought forward true after a transaction that was written just now, with the accounts locked."""
    line = line_of(told)
    if line == told.pk:
        # Neither each so-many-th number nor each so-many-th line: nobody's habits should keep theirs from coming.
        if zlib.crc32(told.key.encode()) % EVERY == 0:
            found = upto(told.user, [told.pk - 1])[told.pk - 1]
            BroughtForward.objects.create(
                user=told.user, line=told, at=told.created_at, credits=found.credits, spent=found.spent
            )
    elif told.kind != Kind.CAPTURE and told.credits:
        BroughtForward.objects.filter(user=told.user, line__gt=line).update(
            credits=F("credits") + told.credits, spent=F("spent") - told.credits
        )


def upto(user: User, lines: Iterable[int]) -> dict[int, Sums]:
    """What the person's lines up to each of these (itself included) come to. Three queries for all of them."""
    wanted = sorted(set(lines))
    if not wanted:
        return {}
    rows = BroughtForward.objects.filter(user=user)
    nearest = {f"at_{one}": Subquery(rows.filter(line__lte=one).order_by("-line").values("line")[:1]) for one in wanted}
    person: Any = User.objects.filter(pk=user.pk)
    known: dict[str, int | None] = person.values(**nearest).get()
    before = {row.line_id: row for row in rows.filter(line__in={at for at in known.values() if at})}
    ends = {known[f"at_{one}"] or 0: one for one in wanted}  # the last of those that have the same line before them
    between = reduce(or_, (Q(id__gte=at, id__lte=end) for at, end in ends.items()))
    # Added up here: in the database, each sum would look for each line's refund again.
    few = heads(user).filter(between).annotate(refunded=REFUNDED).order_by("id")
    ids, credits, spent = [], [0], [0]
    for number, kind, moved, ended, refunded in few.values_list(
        "id", "kind", "credits", "settlement__kind", "refunded"
    ):
        back = kind == Kind.HOLD and (refunded or ended == Kind.RELEASE)
        comes_to = 0 if back else moved if kind in (Kind.GRANT, Kind.RESTORE) else -moved
        ids.append(number)
        credits.append(credits[-1] + comes_to)
        spent.append(spent[-1] + (moved if kind == Kind.HOLD and not back else 0))
    found = {}
    for one in wanted:
        at = known[f"at_{one}"] or 0
        start, first, last = before.get(at), bisect_left(ids, at), bisect_right(ids, one)
        found[one] = Sums(
            credits[last] - credits[first] + (start.credits if start else 0),
            spent[last] - spent[first] + (start.spent if start else 0),
        )
    return found


def spent_since(user: User, moment: datetime) -> int:
    """Credits of jobs begun since then that are held or spent; what was given back does not count."""
    rows = BroughtForward.objects.filter(user=user)
    last = rows.order_by("-line").first()
    if last is None or last.at < moment:
        start = rows.filter(at__lt=moment).order_by("-at").first()
        recent = heads(user).filter(created_at__gte=moment, id__gte=start.line_id if start else 0)
        return int(recent.aggregate(total=Sum(SPENT, default=0))["total"])
    first = rows.filter(at__gte=moment).order_by("at", "line")[0]
    early = rows.filter(line__lt=first.line_id).order_by("-line").first()
    since = heads(user).filter(id__gte=last.line_id).aggregate(total=Sum(SPENT, default=0))["total"]
    between = heads(user).filter(id__gte=early.line_id if early else 0, id__lt=first.line_id, created_at__gte=moment)
    return int(last.spent - first.spent + since + between.aggregate(total=Sum(SPENT, default=0))["total"])
