"""Rows about buying: what Stripe has of a person, as far as we need it, and what became credits.

Stripe holds names, cards, addresses and invoices; here are ids, sums and states. ``billing/syncing.py`` alone writes
what comes from Stripe. Sums are in the currency's minor unit (cents).
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from billing.models.ledger import Transaction


class Customer(models.Model):
    """A person at Stripe. Its ``version`` rises with everything that is written of what Stripe says of them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="customer")
    stripe_id = models.CharField(  # noqa: DJ001  # unique, so that it cannot be empty instead
        max_length=255, unique=True, null=True, help_text="Null until Stripe knows them."
    )
    version = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"customer {self.pk}"


class Order(models.Model):
    """Something chosen on the pricing page, on its way through Stripe's Checkout."""

    class State(models.TextChoices):
        """``PENDING``: a slow way to pay was chosen, and the money has not come yet."""

        OPEN = "open"
        PENDING = "pending"
        PAID = "paid"
        FAILED = "failed"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    request_key = models.UUIDField(default=uuid.uuid4, help_text="Makes sending the same form twice harmless.")
    item = models.CharField(max_length=40, help_text="A code of billing/packs.py.")
    monthly = models.BooleanField(default=False)
    credits = models.PositiveIntegerField()
    amount = models.PositiveIntegerField(help_text="Before promotions, as on the pricing page.")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    session_id = models.CharField(  # noqa: DJ001  # as above
        max_length=255, unique=True, null=True, help_text="Null until Stripe answered."
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "request_key"], name="order_once_per_request")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="orders_of_user"),
            models.Index(fields=["created_at"], name="order_unpaid", condition=Q(state__in=["failed", "expired"])),
        ]

    def __str__(self) -> str:
        return f"order {self.id} ({self.state})"


class Subscription(models.Model):
    """A plan that somebody has, as Stripe said when it was last asked."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions")
    stripe_id = models.CharField(max_length=255, unique=True)
    plan = models.CharField(max_length=40, help_text="A code of billing/packs.py, perhaps of an earlier catalogue.")
    credits = models.PositiveIntegerField(help_text="Each month.")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, help_text="Stripe's word.")
    period_ends_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True, help_text="When it ends or ended, if it is cancelled.")
    started_at = models.DateTimeField(default=timezone.now)

    ENDED = ("canceled", "incomplete_expired")

    def __str__(self) -> str:
        return f"subscription {self.pk} ({self.status})"


class Payment(models.Model):
    """Money that became credits: a paid Checkout session, or a subscription's paid invoice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments")
    stripe_id = models.CharField(max_length=255, unique=True, help_text="The session's (cs_) or invoice's (in_).")
    payment_intent = models.CharField(  # noqa: DJ001  # as above
        max_length=255, unique=True, null=True, help_text="Null where nothing had to be paid."
    )
    credits = models.PositiveIntegerField()
    amount = models.PositiveIntegerField(help_text="What was paid.")
    currency = models.CharField(max_length=3)
    refunded = models.PositiveIntegerField(default=0, help_text="So far, by all refunds that did not fail.")
    disputed = models.PositiveIntegerField(default=0, help_text="Withdrawn by a dispute that is open or lost.")
    reversed = models.PositiveIntegerField(default=0, help_text="Credits taken back because of the two above.")
    changes = models.PositiveIntegerField(default=0, help_text="How often ``reversed`` changed: keys of reversals.")
    grant = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, null=True, related_name="payment", help_text="Null where it gave none."
    )
    paid_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reversed__lte=F("credits")), name="payment_reversed_within_credits")
        ]
        indexes = [
            models.Index(fields=["user", "-paid_at"], name="payments_of_user"),
            models.Index(fields=["paid_at"], name="payment_disputed", condition=Q(disputed__gt=0)),
        ]

    def __str__(self) -> str:
        return f"payment {self.pk}"

    def to_reverse(self) -> int:
        """Credits that the refunds and disputes so far take back: in proportion, rounded in the payer's favour."""
        gone = min(self.refunded + self.disputed, self.amount)
        return self.credits * gone // self.amount if self.amount else 0


class StripeEvent(models.Model):
    """A webhook that was received: the object to look at, and whether that has been done.

    Nothing of the event's content is kept: what counts is what Stripe says when it is asked.
    """

    id = models.CharField(primary_key=True, max_length=255, help_text="Stripe's.")
    type = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, help_text="What to look at: a name of billing/syncing.py.")
    object_id = models.CharField(max_length=255)
    received_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=80, blank=True, help_text="The name of what went wrong last.")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="stripe_event_due", condition=Q(applied_at=None))]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Adjustment(models.Model):
    """Why an operator gave or took credits by hand, and who signed for it. Never changed."""

    transaction = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="adjustment")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="adjustments_made")
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"adjustment {self.pk}"


class Preferences(models.Model):
    """What a person chose about their spending."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="spending")
    monthly_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Credits; null for none.")
    notice_below = models.PositiveIntegerField(null=True, blank=True, help_text="Credits; null for no notice.")
    noticed_at = models.DateTimeField(null=True, help_text="When the notice for this shortage was mailed.")

    def __str__(self) -> str:
        return f"preferences {self.pk}"


class ClosedBooks(models.Model):
    """The account is being erased, or is: nothing of it is left but its books, which end with their period.

    The database lets entries and transactions go only of accounts that have such a row (migration 0005).
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="closed_books")
    closed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"closed books {self.pk}"
