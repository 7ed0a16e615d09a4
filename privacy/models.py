"""Rows about stored bytes: the inventory of blobs, the receipts of their destruction, the log of receipts; erasures."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from privacy.requests.models import RequestStep, SubjectRequest  # noqa: F401  # tables of this app
from privacy.retention import LONGEST_WRITE


class BlobQuerySet(models.QuerySet["Blob"]):
    """Many blobs."""

    def open(self) -> Self:
        """Those not confirmed gone."""
        return self.exclude(state=Blob.State.DESTROYED)

    def due(self, now: datetime) -> Self:
        """Those that must be destroyed now: past their retention, begun to be destroyed, or interrupted."""
        interrupted = models.Q(state=Blob.State.WRITING, created_at__lt=now - LONGEST_WRITE)
        return self.open().filter(models.Q(expires_at__lte=now) | models.Q(state=Blob.State.DESTROYING) | interrupted)

    def strays(self) -> Self:
        """Destroyed ones of groups without a receipt: no receipt will ever list them."""
        # Not by NOT IN: Postgres would read all receipts for it.
        receipt = models.Exists(Receipt.objects.filter(group=models.OuterRef("group")))
        return self.filter(~receipt, state=Blob.State.DESTROYED)


class Blob(models.Model):
    """One sealed object. The row is written before the first byte and closed when the object is confirmed gone."""

    class State(models.TextChoices):
        WRITING = "writing"
        SEALED = "sealed"
        DESTROYING = "destroying"
        DESTROYED = "destroyed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.UUIDField(help_text="What the blob belongs to; for a job's blobs, the job's id.")
    kind = models.CharField(max_length=16, help_text="A kind named in privacy/retention.py.")
    state = models.CharField(max_length=16, choices=State, default=State.WRITING)
    object_name = models.CharField(max_length=200, unique=True)
    master_key_id = models.CharField(max_length=64)
    plain_size = models.BigIntegerField(default=0, help_text="Bytes before sealing.")
    sealed_size = models.BigIntegerField(default=0, help_text="Bytes in the store.")
    sealed_sha256 = models.CharField(max_length=64, blank=True, help_text="Digest of the ciphertext, in hex.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="The sweep destroys the blob after this moment.")
    destroyed_at = models.DateTimeField(null=True, blank=True)
    observation = models.JSONField(default=dict, blank=True, help_text="What destroying it observed.")

    objects = BlobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["group"], name="blob_group"),
            models.Index(fields=["expires_at"], name="blob_open_expiry", condition=~models.Q(state="destroyed")),
            models.Index(fields=["destroyed_at"], name="blob_destroyed", condition=models.Q(state="destroyed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    def may_be_read(self) -> bool:
        """Whether it was sealed whole and its retention has not passed."""
        return self.state == self.State.SEALED and timezone.now() < self.expires_at


class BlobHour(models.Model):
    """How many blobs were ever destroyed until an hour was over (privacy/tallies.py); rows of some are forgotten."""

    hour = models.DateTimeField(unique=True, help_text="Its beginning.")
    total = models.PositiveBigIntegerField(help_text="Since ever, until its end.")
    strays_gone = models.BooleanField(default=False, help_text="Rows of that hour on no receipt are forgotten.")

    objects: ClassVar[models.Manager[BlobHour]] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["hour"], name="hour_with_strays", condition=models.Q(strays_gone=False))]

    def __str__(self) -> str:
        return f"{self.hour}: {self.total}"


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """Many receipts."""

    def unlogged(self) -> Self:
        """Those that are not in the log yet."""
        return self.filter(log_index=None)


class Receipt(models.Model):
    """A signed statement of what was destroyed for one group, as observed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.UUIDField(unique=True)
    issued_at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    document = models.JSONField(help_text="The signed document exactly as handed out.")
    log_index = models.BigIntegerField(null=True, editable=False, unique=True, help_text="Its place in the log.")
    log_salt = models.BinaryField(null=True, max_length=32, help_text="Makes its leaf; its holder's alone.")

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["issued_at"], name="receipt_unlogged", condition=models.Q(log_index=None)),
        ]

    def __str__(self) -> str:
        return f"receipt {self.id}"


class LogNode(models.Model):
    """A complete subtree of the log: a leaf, where the number is even (privacy/merkle.py). Never changed or deleted."""

    number = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32, db_index=True)

    objects: ClassVar[models.Manager[LogNode]] = models.Manager()

    def __str__(self) -> str:
        return f"log node {self.number}"


class LogHead(models.Model):
    """What we signed the log to be at a moment. Never changed or deleted."""

    size = models.BigIntegerField()
    signed_at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    document = models.JSONField(help_text="The signed head exactly as published.")

    objects: ClassVar[models.Manager[LogHead]] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["size"], name="log_head_size")]

    def __str__(self) -> str:
        return f"head of {self.size} leaves"


class Erasure(models.Model):
    """The erasing of one account, from being asked for to its certificate. See ``privacy/erasure.py``.

    Once done it holds nothing that leads to anybody: no account, no token; only what was counted.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="erasure"
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    token = models.CharField(max_length=64, blank=True, help_text="Opens its page; empty once it is done.")
    token_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, in hex.")
    requested_at = models.DateTimeField()
    runs_at = models.DateTimeField(help_text="When it begins; until then it can be undone.")
    due_at = models.DateTimeField(help_text="When to look at it next.")
    lease_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Failures since it last got further.")
    error = models.CharField(max_length=80, blank=True, help_text="The name of what went wrong last.")
    closed = models.JSONField(default=list, blank=True, help_text="Modules of settings.CLOSING that are through.")
    elsewhere = models.JSONField(default=list, blank=True, help_text="What became of copies at others.")
    erased = models.JSONField(default=dict, blank=True, help_text="Rows that are gone so far, by table.")
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When the last mail was handed over.")
    done_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Erasure]] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="erasure_due", condition=~models.Q(state="done"))]

    def __str__(self) -> str:
        return f"erasure {self.id} ({self.state})"
