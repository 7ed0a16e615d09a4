"""Rows about requests: what was asked, and each step on the way to its answer."""

from __future__ import annotations

import secrets
import uuid
from datetime import date, datetime
from typing import ClassVar, Final, Self

from django.conf import settings
from django.core import signing
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from privacy.requests.rights import Law, Right
from privacy.retention import longest

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Those that nobody takes for one another, read aloud or written by hand."""
LONGEST_TEXT: Final = 4000
LONGEST_WORDS: Final = 8000
_SIGNER: Final = signing.Signer(sep=".", salt="privacy.requests")


def new_reference() -> str:
    """Such as ``DR-7K3M-9QXH``."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"DR-{drawn[:4]}-{drawn[4:]}"


class RequestQuerySet(models.QuerySet["SubjectRequest"]):
    """Many requests."""

    def unconfirmed(self) -> Self:
        """Those of an address that nobody has confirmed."""
        return self.filter(state=SubjectRequest.State.UNCONFIRMED)

    def open(self) -> Self:
        """Those that wait for an answer."""
        return self.filter(state=SubjectRequest.State.OPEN)

    def closed(self) -> Self:
        """Those that are over."""
        return self.filter(closed_at__isnull=False)

    def overdue(self, today: date) -> Self:
        """Those whose time is over, and which have no answer."""
        return self.open().filter(due_on__lt=today)

    def worded(self) -> Self:
        """Those of which more than facts is left: what was written, or to which address."""
        written = RequestStep.objects.filter(request=OuterRef("pk")).exclude(words="")
        return self.filter(~Q(text="") | ~Q(address="") | Exists(written))


class SubjectRequest(models.Model):
    """Something that a person asks about their data."""

    class State(models.TextChoices):
        """``UNCONFIRMED``: sent by somebody who was not signed in, and whose address is not proven yet."""

        UNCONFIRMED = "unconfirmed"
        OPEN = "open"
        ANSWERED = "answered"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True, default=new_reference)
    form_key = models.UUIDField(
        unique=True, default=uuid.uuid4, help_text="Makes sending the same form twice harmless."
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Null: no account."
    )
    by_mail = models.BooleanField(default=False, help_text="Asked without signing in: its page opens by a mailed link.")
    at_once = models.BooleanField(default=False, help_text="The person did it on a page, or the program answered.")
    right = models.CharField(max_length=12, choices=Right)
    law = models.CharField(max_length=5, choices=Law, default=Law.OTHER)
    text = models.TextField(max_length=LONGEST_TEXT, blank=True)
    address = models.EmailField(blank=True, help_text="Empty: mail goes to the account's.")
    language = models.CharField(max_length=8, blank=True, default="", help_text="Of our letters about it.")
    state = models.CharField(max_length=11, choices=State, default=State.OPEN)
    received_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, help_text="When it was known whose it is.")
    due_on = models.DateField(null=True, help_text="The last day for an answer.")
    extended_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=12, blank=True, help_text="Why it was refused: privacy/requests/answers.py.")
    reminded_on = models.DateField(null=True, help_text="The last day on which operators were reminded of it.")

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = "data request"
        indexes = [
            models.Index(fields=["address"], name="request_address", condition=~Q(address="")),
            models.Index(fields=["due_on"], name="request_open_due", condition=Q(state="open")),
            models.Index(fields=["closed_at"], name="request_closed"),
        ]

    def __str__(self) -> str:
        return f"request {self.reference}"

    @property
    def token(self) -> str:
        """Opens its page: signed, not stored, so that a copy of the database opens none."""
        return _SIGNER.sign(self.pk.hex)

    @property
    def url(self) -> str:
        """The address of its page."""
        return reverse("privacy:request", args=[self.token])

    @property
    def received_on(self) -> date:
        """The day on which its time begins, where the site is."""
        return timezone.localdate(self.received_at)

    @property
    def days_left(self) -> int | None:
        """Whole days until the last one; below zero when it is over."""
        return None if self.due_on is None else (self.due_on - timezone.localdate()).days

    @property
    def overdue(self) -> bool:
        """Whether it should have been answered by now."""
        left = self.days_left
        return self.state == self.State.OPEN and left is not None and left < 0

    def link_is_over(self, now: datetime) -> bool:
        """Whether it waited too long for its address to be confirmed."""
        return self.received_at < now - longest("unconfirmed_request")


def by_token(token: str) -> SubjectRequest | None:
    """The request whose page the token opens."""
    try:
        key = uuid.UUID(_SIGNER.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    return SubjectRequest.objects.select_related("person").filter(pk=key).first()


class RequestStep(models.Model):
    """Something that happened to a request. Where a letter goes with it, the row is its place in the queue."""

    class What(models.TextChoices):
        RECEIVED = "received"
        CONFIRMED = "confirmed"
        ACKNOWLEDGED = "acknowledged"
        EXTENDED = "extended"
        ANSWERED = "answered"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    class By(models.TextChoices):
        PERSON = "person"
        SITE = "site"
        OPERATOR = "operator"

    request = models.ForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=12, choices=What)
    by = models.CharField(max_length=8, choices=By)
    words = models.TextField(max_length=LONGEST_WORDS, blank=True, help_text="What the person is told.")
    mail_due_at = models.DateTimeField(null=True, help_text="A letter is still to go out, not before then.")
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[RequestStep]] = models.Manager()

    class Meta:
        ordering = [F("at").asc(), F("id").asc()]
        indexes = [
            models.Index(fields=["mail_due_at"], name="request_mail_due", condition=Q(mail_due_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"
