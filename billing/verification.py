"""The ledger is sound when nothing listed here can be found.

Each check of ``differences`` is one query over the whole ledger that returns what is wrong, so its answer names rows to
look at: ids and figures, never a person's address. It reads only; run it as often as you like. ``news`` looks at what
was written since a transaction alone, and at whom that was about, and so costs as much with a long past as with none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from billing import forward, journal, proof
from billing.models import BroughtForward, Entry, LedgerAccount, Payment, Transaction

AT_ONCE: Final = 50
"""People whose accounts are locked together while they are proven: for some hundredths of a second."""
TRIGGERS = {
    "ledger_transaction_fixed",
    "ledger_transaction_kept",
    "ledger_entry_fixed",
    "ledger_entry_kept",
    "ledger_entry_balanced",
    "ledger_entry_posted",
    "ledger_account_fixed",
    "ledger_account_kept",
    "ledger_account_empty",
    "ledger_account_balance",
}


def differences() -> list[str]:
    """Every broken invariant, one line each."""
    return [
        *guards(),
        *_entries(),
        *_balances(),
        *_holds(),
        *_settlements(),
        *_reversals(),
        *_payments(),
        *_forward(),
        *journal.broken(),
    ]


def news(since: int) -> list[str]:
    """Every broken invariant among transactions after the one with that number, and of whom they are about."""
    return [
        *guards(),
        *journal.unsigned(),
        *_people(since),
        *_settlements(since),
        *_reversals(since),
        *_payments(since),
    ]


def _people(since: int) -> Iterator[str]:
    """Everybody of whom something was written adds up; that is remembered."""
    about = Transaction.objects.filter(pk__gt=since).order_by("user").values_list("user", flat=True).distinct()
    people = about.iterator()
    while some := list(islice(people, AT_ONCE)):
        for user in proof.prove(some):
            yield f"person {user}: their lines, entries and balances do not add up"


def guards() -> Iterator[str]:
    """Are the database's own rules in place and on?"""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
                " WHERE relname LIKE 'billing_%%' AND tgenabled <> 'D' AND pg_table_is_visible(pg_class.oid)"
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        present = {name for (name,) in cursor.fetchall()}
    for name in sorted(TRIGGERS - present):
        yield f"the database has lost its trigger {name}"


def _entries() -> Iterator[str]:
    """Entries sum to zero, and what went in is what the transaction says."""
    total = Coalesce(Sum("entries__amount"), 0)
    moved = Coalesce(Sum("entries__amount", filter=Q(entries__amount__gt=0)), 0)
    wrong = Transaction.objects.annotate(total=total, moved=moved).exclude(total=0, moved=F("credits"))
    for told in wrong.order_by("pk"):
        yield (
            f"transaction {told.pk}: entries sum to {told.total} and move {told.moved};"
            f" they should sum to 0 and move {told.credits}"
        )
    strangers = Entry.objects.exclude(account__user=None).exclude(account__user=F("transaction__user"))
    for entry in strangers.order_by("pk"):
        yield f"entry {entry.pk}: on the account of somebody its transaction is not about"


def _balances() -> Iterator[str]:
    """A balance is the sum of its account's entries, and not below zero but for a debt; who owes has nothing free."""
    accounts = LedgerAccount.objects.exclude(user=None).annotate(total=Coalesce(Sum("entries__amount"), 0))
    for account in accounts.exclude(balance=F("total")).order_by("pk"):
        yield f"account {account.pk}: balance {account.balance}, entries sum to {account.total}"
    debt = Q(kind=LedgerAccount.Kind.DEBT)
    for account in accounts.filter(~debt & Q(balance__lt=0) | debt & Q(balance__gt=0)).order_by("pk"):
        yield f"account {account.pk}: balance {account.balance} is on the wrong side of zero"
    free = LedgerAccount.objects.filter(user=OuterRef("user"), kind=LedgerAccount.Kind.AVAILABLE, balance__gt=0)
    for owing in LedgerAccount.objects.filter(Exists(free), debt, balance__lt=0).order_by("pk"):
        yield f"account {owing.pk}: owes {-(owing.balance or 0)} while credits are available"


def _holds() -> Iterator[str]:
    """What a person has held is what their open holds hold."""
    settled = Exists(Transaction.objects.filter(settles=OuterRef("pk")))
    open_holds = Transaction.objects.filter(~settled, kind=Transaction.Kind.HOLD)
    wanted = dict(open_holds.values_list("user").annotate(Sum("credits")).order_by())
    for account in LedgerAccount.objects.filter(kind=LedgerAccount.Kind.HELD).order_by("pk"):
        figure = wanted.pop(account.user_id, 0)
        if account.balance != figure:
            yield f"account {account.pk}: holds {account.balance}, its open holds come to {figure}"
    for user_id in sorted(user_id for user_id, figure in wanted.items() if figure):
        yield f"person {user_id}: has open holds and no account"


def _settlements(since: int = 0) -> Iterator[str]:
    """A capture or release ends a hold of the same job, person and size."""
    same = Q(
        settles__kind=Transaction.Kind.HOLD,
        settles__job=F("job"),
        settles__user=F("user"),
        settles__credits=F("credits"),
    )
    for told in Transaction.objects.filter(pk__gt=since).exclude(settles=None).exclude(same).order_by("pk"):
        yield f"transaction {told.pk}: settles {told.settles_id}, which is not its hold"


def _reversals(since: int = 0) -> Iterator[str]:
    """A reversal undoes a capture of the same person and size, or a grant of theirs; never more than all of it."""
    kind = Transaction.Kind
    whole = Q(kind=kind.REVERSE, reverses__kind=kind.CAPTURE, reverses__credits=F("credits"))
    same = Q(reverses__user=F("user")) & (whole | Q(reverses__kind=kind.GRANT))
    for told in Transaction.objects.filter(pk__gt=since).exclude(reverses=None).exclude(same).order_by("pk"):
        yield f"transaction {told.pk}: reverses {told.reverses_id}, which is not its like"
    undone = Transaction.objects.filter(pk__in=_undone(since)).annotate(back=_back("reversals"))
    for told in undone.exclude(back__gte=0, back__lte=F("credits")).order_by("pk"):
        yield f"transaction {told.pk}: {told.back} of its {told.credits} credits are taken back"


def _undone(since: int) -> QuerySet[Transaction, Any]:
    """What was reversed or restored after that transaction."""
    return Transaction.objects.filter(pk__gt=since, reverses__isnull=False).values("reverses")


def _back(path: str) -> Combinable:
    """Credits taken back and not restored, by the reversals along ``path``."""
    reverse, restore = (
        Coalesce(Sum(f"{path}__credits", filter=Q(**{f"{path}__kind": kind})), 0)
        for kind in (Transaction.Kind.REVERSE, Transaction.Kind.RESTORE)
    )
    return reverse - restore


def _payments(since: int = 0) -> Iterator[str]:
    """A payment's grant is of its size and its payer's, and as much of it is taken back as the payment says."""
    for payment in Payment.objects.exclude(credits=0).filter(grant=None).order_by("pk"):
        yield f"payment {payment.pk}: its {payment.credits} credits were never granted"
    same = Q(grant__kind=Transaction.Kind.GRANT, grant__user=F("user"), grant__credits=F("credits"))
    granted = Payment.objects.filter(grant__gt=since)
    for payment in granted.exclude(same).order_by("pk"):
        yield f"payment {payment.pk}: transaction {payment.grant_id} is not its grant"
    earlier = Payment.objects.filter(grant__in=_undone(since)).exclude(grant__gt=since)
    for booked in (granted, earlier):  # in one question, Postgres would read all payments for the "or"
        wrong = booked.annotate(back=_back("grant__reversals")).exclude(back=F("reversed"))
        for payment in wrong.order_by("pk"):
            yield f"payment {payment.pk}: {payment.back} credits are taken back, and it says {payment.reversed}"


def _forward() -> Iterator[str]:
    """What is brought forward to a line is what all older ones of the person come to."""
    nearest = BroughtForward.objects.filter(user=OuterRef("user"), line__lte=OuterRef("pk")).order_by("-line")
    lines = Transaction.objects.filter(settles=None, reverses__settles=None).annotate(
        at=Subquery(nearest.values("line")[:1])
    )
    sums = lines.values("user", "at").annotate(credits_=Sum(forward.COMES_TO), spent_=Sum(forward.SPENT)).order_by()
    between = {(row["user"], row["at"]): (row["credits_"], row["spent_"]) for row in sums.iterator()}
    user, at, credits, spent = 0, None, 0, 0
    for row in BroughtForward.objects.order_by("user", "line").iterator():
        if row.user_id != user:
            user, at, credits, spent = row.user_id, None, 0, 0
        more = between.get((user, at), (0, 0))
        credits, spent, at = credits + more[0], spent + more[1], row.line_id
        if (row.credits, row.spent) != (credits, spent):
            yield f"brought forward to transaction {at}: {row.credits} and {row.spent}; it is {credits} and {spent}"
