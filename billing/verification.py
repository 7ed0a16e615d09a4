"""The ledger is sound when nothing listed here can be found. Reads only; run it as often as you like.

Each check is one query over the whole ledger that returns what is wrong, so its answer names rows to look at:
ids and figures, never a person's address.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from billing.models import Entry, LedgerAccount, Payment, Transaction

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
    return [*guards(), *_entries(), *_balances(), *_holds(), *_settlements(), *_reversals(), *_payments()]


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


def _settlements() -> Iterator[str]:
    """A capture or release ends a hold of the same job, person and size."""
    same = Q(
        settles__kind=Transaction.Kind.HOLD,
        settles__job=F("job"),
        settles__user=F("user"),
        settles__credits=F("credits"),
    )
    for told in Transaction.objects.exclude(settles=None).exclude(same).order_by("pk"):
        yield f"transaction {told.pk}: settles {told.settles_id}, which is not its hold"


def _reversals() -> Iterator[str]:
    """A reversal undoes a capture of the same person and size, or a grant of theirs; never more than all of it."""
    kind = Transaction.Kind
    whole = Q(kind=kind.REVERSE, reverses__kind=kind.CAPTURE, reverses__credits=F("credits"))
    same = Q(reverses__user=F("user")) & (whole | Q(reverses__kind=kind.GRANT))
    for told in Transaction.objects.exclude(reverses=None).exclude(same).order_by("pk"):
        yield f"transaction {told.pk}: reverses {told.reverses_id}, which is not its like"
    undone = Transaction.objects.exclude(reversals=None).annotate(back=_back("reversals"))
    for told in undone.exclude(back__gte=0, back__lte=F("credits")).order_by("pk"):
        yield f"transaction {told.pk}: {told.back} of its {told.credits} credits are taken back"


def _back(path: str) -> Combinable:
    """Credits taken back and not restored, by the reversals along ``path``."""
    reverse, restore = (
        Coalesce(Sum(f"{path}__credits", filter=Q(**{f"{path}__kind": kind})), 0)
        for kind in (Transaction.Kind.REVERSE, Transaction.Kind.RESTORE)
    )
    return reverse - restore


def _payments() -> Iterator[str]:
    """A payment's grant is of its size and its payer's, and as much of it is taken back as the payment says."""
    for payment in Payment.objects.exclude(credits=0).filter(grant=None).order_by("pk"):
        yield f"payment {payment.pk}: its {payment.credits} credits were never granted"
    same = Q(grant__kind=Transaction.Kind.GRANT, grant__user=F("user"), grant__credits=F("credits"))
    for payment in Payment.objects.exclude(grant=None).exclude(same).order_by("pk"):
        yield f"payment {payment.pk}: transaction {payment.grant_id} is not its grant"
    booked = Payment.objects.exclude(grant=None).annotate(back=_back("grant__reversals"))
    for payment in booked.exclude(back=F("reversed")).order_by("pk"):
        yield f"payment {payment.pk}: {payment.back} credits are taken back, and it says {payment.reversed}"
