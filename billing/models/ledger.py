"""Rows of the ledger. Only ``billing/ledger.py`` writes them; the database refuses every later change.

A transaction is a set of entries that sum to zero. Credits live in five kinds of account::

    grant    issued    -n    available +n      reverse (of a grant)    available -n    issued    +n
    hold     available -n    held      +n      restore (of a reverse)  issued    -n    available +n
    capture  held      -n    spent     +n      reverse (of a capture)  spent     -n    available +n
    release  held      -n    available +n      take     available -n    issued    +n

Where a grant is reversed and part of it is no longer available, that part is entered in the person's ``debt``
instead: a balance below zero, the only one there may be. Whatever comes in pays the debt first, so that nobody who
owes has credits to spend.

``available``, ``held`` and ``debt`` belong to a person and carry a balance, which a database trigger keeps equal to
the sum of their entries and a CHECK keeps on its side of zero. ``issued`` and ``spent`` belong to nobody and carry no
balance: every customer's transactions touch them, so a maintained figure would make all of them queue for one
row. Their total is a sum over entries, asked for rarely.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class LedgerAccount(models.Model):
    """Where credits can be."""

    class Kind(models.TextChoices):
        """A person's ``AVAILABLE``, ``HELD``, ``DEBT``; everybody's ``ISSUED`` (the source) and ``SPENT`` (the end)."""

        AVAILABLE = "available"
        HELD = "held"
        DEBT = "debt"
        ISSUED = "issued"
        SPENT = "spent"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="ledger_accounts"
    )
    kind = models.CharField(max_length=9, choices=Kind)
    balance = models.BigIntegerField(null=True, help_text="Kept by a database trigger; null where nobody owns it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="ledger_account_once"),
            models.UniqueConstraint(fields=["kind"], condition=Q(user__isnull=True), name="ledger_system_account_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["available", "held", "debt"], user__isnull=False, balance__isnull=False)
                | Q(kind__in=["issued", "spent"], user__isnull=True, balance__isnull=True),
                name="ledger_account_owned",
            ),
            models.CheckConstraint(
                condition=(~Q(kind="debt") & Q(balance__gte=0)) | Q(kind="debt", balance__lte=0),
                name="ledger_balance_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id or 'everybody'}"


class Transaction(models.Model):
    """One movement of credits, told once and for ever."""

    class Kind(models.TextChoices):
        """The design's words."""

        GRANT = "grant"
        HOLD = "hold"
        CAPTURE = "capture"
        RELEASE = "release"
        REVERSE = "reverse"
        RESTORE = "restore"
        TAKE = "take"

    key = models.CharField(max_length=200, unique=True, help_text="Makes telling it twice harmless.")
    kind = models.CharField(max_length=7, choices=Kind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="transactions")
    credits = models.PositiveBigIntegerField(help_text="How many moved. 0: remembered, without entries.")
    job = models.UUIDField(null=True, db_index=True)
    reason = models.CharField(max_length=100, blank=True, help_text="A code: why it was granted or reversed.")
    settles = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="settlement", help_text="The hold it ends."
    )
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="reversals",
        help_text="The grant or capture that it undoes, in part perhaps; or whose undoing it undoes.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                # Both settlements point at their hold through one unique column, so they exclude each other.
                condition=Q(kind__in=["capture", "release"], settles__isnull=False)
                | (~Q(kind__in=["capture", "release"]) & Q(settles__isnull=True)),
                name="ledger_settlement_names_hold",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["reverse", "restore"], reverses__isnull=False)
                | (~Q(kind__in=["reverse", "restore"]) & Q(reverses__isnull=True)),
                name="ledger_reversal_names_original",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["hold", "capture", "release"]) | Q(job__isnull=False),
                name="ledger_hold_names_job",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="ledger_statement"),
            models.Index(fields=["user", "-id"], name="ledger_not_of_jobs", condition=Q(job__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.credits}"


class Entry(models.Model):
    """One immutable line: so many credits into (or, negative, out of) one account."""

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries", db_index=False)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "account"], name="ledger_entry_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_not_zero"),
        ]
        indexes = [models.Index(fields=["account", "amount"], name="ledger_account_amounts")]

    def __str__(self) -> str:
        return f"{self.amount:+d}"


class BroughtForward(models.Model):
    """What a person's lines before one of them come to (billing/forward.py). Can be made anew from the others."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    line = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, related_name="+", help_text="The line that it stands before."
    )
    at = models.DateTimeField(help_text="When that line began.")
    credits = models.BigIntegerField(help_text="What there was to spend less what was owed.")
    spent = models.BigIntegerField(help_text="Credits that jobs hold or have spent.")

    class Meta:
        indexes = [
            models.Index(fields=["user", "line"], name="forward_line"),
            models.Index(fields=["user", "at"], name="forward_at"),
        ]

    def __str__(self) -> str:
        return f"{self.credits} brought forward"


class Proven(models.Model):
    """Up to which transaction a person's were added up, and what their accounts came to (billing/proof.py)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    upto = models.BigIntegerField(help_text="The number of the last transaction.")
    at = models.DateTimeField()
    available = models.BigIntegerField()
    held = models.BigIntegerField()
    debt = models.BigIntegerField()

    def __str__(self) -> str:
        return f"proven up to transaction {self.upto}"


class JournalPage(models.Model):
    """Transactions that were looked at one night, digested and signed (billing/journal.py)."""

    after = models.BigIntegerField(unique=True, help_text="The number of the last transaction before it.")
    upto = models.BigIntegerField(unique=True, help_text="The number of the last transaction on it.")
    document = models.JSONField(help_text="The signed page.")

    objects: ClassVar[models.Manager[JournalPage]] = models.Manager()

    def __str__(self) -> str:
        return f"page up to transaction {self.upto}"
