"""Rows about telling an account's programs of its jobs. They hold that something happened and to which job, no more."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone


class Webhook(models.Model):
    """An address of an account's own that is told what becomes of its jobs.

    One worker at a time speaks to it: whoever has its lease.
    """

    class Why(models.TextChoices):
        """Why it is off though its owner did not say so; empty otherwise."""

        OWNER = ""
        FAILING = "failing"
        GONE = "gone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=60, blank=True, default="")
    kinds = models.JSONField(default=list, help_text="What it wants to hear of: codes of messages.KINDS.")
    secret = models.TextField(help_text="What its signatures are made with; encrypted (accounts/secrets.py).")
    old_secret = models.TextField(blank=True, default="", help_text="The one before, which signs as well for a time.")
    old_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    off_because = models.CharField(max_length=10, choices=Why, default=Why.OWNER, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0, help_text="Attempts since it last took something.")
    failing_since = models.DateTimeField(null=True, blank=True)
    lease_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True, help_text="When a message was last sent for it.")

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"], name="webhook_of_owner")]

    def __str__(self) -> str:
        return f"webhook {self.pk}"

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.description or self.host

    @property
    def host(self) -> str:
        """Whose machine it is."""
        return urlsplit(self.url).hostname or ""


class Notification(models.Model):
    """Something that happened to a job, in the order of ``id``. ``message`` stays the same however often it is sent."""

    id = models.BigAutoField(primary_key=True)
    message = models.UUIDField(unique=True, default=uuid.uuid4)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    job = models.ForeignKey(
        "generation.Job", on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: its owner only tries."
    )
    kind = models.CharField(max_length=20, help_text="A code of messages.KINDS.")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "kind"], name="notified_once")]
        indexes = [models.Index(fields=["at"], name="notification_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.message}"

    @property
    def message_id(self) -> str:
        """The header ``webhook-id``."""
        return f"msg_{self.message.hex}"


class Delivery(models.Model):
    """A notification on its way to one webhook, and how the last attempt went."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given_up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(help_text="When to try next.")
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The last answer's; empty: none came.")
    failure = models.CharField(max_length=20, blank=True, default="", help_text="A code of sending.FAILURES.")
    milliseconds = models.PositiveIntegerField(null=True, blank=True, help_text="What the last attempt took.")
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "notification"], name="delivered_once")]
        indexes = [
            models.Index(fields=["webhook", "-notification"], name="delivery_log"),
            models.Index(fields=["webhook", "due_at"], name="delivery_due", condition=models.Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} ({self.state})"
