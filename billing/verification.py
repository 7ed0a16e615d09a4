"""The ledger is sound when nothing listed here can be found. Reads only; run it as often as you like.

Each check is one query over the whole ledger that returns what is wrong, so its answer names rows to look at:
ids and figures, never a person's address.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from billing.models import Entry, LedgerAccount, Transaction

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
    return [*_guards(), *_entries(), *_balances(), *_holds(), *_settlements(), *_reversals()]


def _guards() -> Iterator[str]:
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
    """A balance is the sum of its account's entries, and not below zero."""
    accounts = LedgerAccount.objects.exclude(user=None).annotate(total=Coalesce(Sum("entries__amount"), 0))
    for account in accounts.exclude(balance=F("total")).order_by("pk"):
        yield f"account {account.pk}: balance {account.balance}, entries sum to {account.total}"
    for account in accounts.filter(balance__lt=0).order_by("pk"):
        yield f"account {account.pk}: balance {account.balance} is below zero"


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
    """A reversal undoes a grant or a capture of the same person and size."""
    same = Q(
        reverses__kind__in=[Transaction.Kind.GRANT, Transaction.Kind.CAPTURE],
        reverses__user=F("user"),
        reverses__credits=F("credits"),
    )
    for told in Transaction.objects.exclude(reverses=None).exclude(same).order_by("pk"):
        yield f"transaction {told.pk}: reverses {told.reverses_id}, which is not its like"
