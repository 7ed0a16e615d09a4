"""People. An account is an e-mail address and what allauth keeps beside it; there is no user name.

Beside them the access keys of their programs, a line for each change of those, and what was called with them.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    """Creates accounts by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A saved account; without a password it can sign in by code, link or passkey only."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An account that may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a firm's account."""

    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    language = models.CharField(max_length=8, blank=True, default="", help_text="Of our mail; empty: the site's own.")
    theme = models.CharField(max_length=8, blank=True, default="", help_text="accounts/theme.py; empty: never chosen.")

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # "A@x" and "a@x" are one person's address, whoever wrote the row.
            models.UniqueConstraint(Lower("email"), name="one_account_per_address"),
        ]
        indexes = [
            models.Index(fields=["date_joined"], name="account_never_in", condition=models.Q(last_login__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"account {self.pk}"


class MailChoice(models.Model):
    """What a person chose about our mail. Without a row, they get what they asked for elsewhere."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="mail_choice")
    only_necessary = models.BooleanField(default=False, help_text="Nothing beyond what has to be sent.")

    objects: ClassVar[models.Manager[MailChoice]] = models.Manager()

    def __str__(self) -> str:
        return f"mail choice {self.pk}"


class AccessKey(models.Model):
    """What a program shows instead of a password (accounts/keys.py). The secret itself is nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_keys")
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=300, blank=True, default="")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret, in hex.")
    ends_with = models.CharField(max_length=4, help_text="By what its owner tells it from others.")
    old_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)  # unique, so null
    old_until = models.DateTimeField(null=True, blank=True, help_text="Until when the secret before still works.")
    scopes = models.JSONField(default=list, help_text="What it may do: codes of accounts/scopes.py.")
    networks = models.JSONField(default=list, blank=True, help_text="From where it may be used; empty: anywhere.")
    monthly_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Credits in a calendar month.")
    expires_at = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Written at most once a minute.")
    calls = models.PositiveBigIntegerField(default=0, help_text="Counted when last_used_at is written.")

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"], name="key_of_owner")]

    def __str__(self) -> str:
        return f"access key {self.pk}"

    @property
    def expired(self) -> bool:
        """Whether its time is up."""
        return self.expires_at is not None and self.expires_at <= timezone.now()


class SecurityEvent(models.Model):
    """A change of who or what may act for an account: shown to its owner, and mailed (accounts/security_log.py)."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_events")
    at = models.DateTimeField(default=timezone.now)
    code = models.CharField(max_length=40, help_text="A code of accounts/security_log.py.")
    subject = models.CharField(max_length=60, help_text="The name of the key at that time.")
    access_key = models.UUIDField(help_text="Its number, which stays when the key is gone.")
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-at"], name="security_of_owner"),
            models.Index(fields=["at"], name="security_unmailed", condition=models.Q(mailed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.code


class ApiCall(models.Model):
    """One request that a working key made (accounts/recording.py): no body, no address, no query."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)  # made before it is written
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_calls")
    access_key = models.UUIDField(help_text="The key's number, which stays when the key is gone.")
    at = models.DateTimeField(help_text="When it began.")
    endpoint = models.CharField(max_length=80, help_text="Method and address, with names in place of numbers.")
    status = models.PositiveSmallIntegerField()
    ms = models.PositiveIntegerField(help_text="From its beginning until the last byte of the answer.")
    bytes_in = models.PositiveBigIntegerField()
    bytes_out = models.PositiveBigIntegerField()
    job = models.UUIDField(null=True, blank=True, help_text="Which job it was about.")

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-at", "-id"], name="call_of_owner"),
            models.Index(fields=["at"], name="call_at"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.status}"


class ApiCallSum(models.Model):
    """How many calls of one kind a key made on one day (accounts/rollup.py); the calls themselves are forgotten."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_call_sums", db_index=False
    )
    day = models.DateField(help_text="In UTC.")
    access_key = models.UUIDField()
    endpoint = models.CharField(max_length=80)
    status_class = models.PositiveSmallIntegerField(help_text="The first digit of the status.")
    within_ms = models.PositiveIntegerField(help_text="How long each took at most: an edge of accounts/usage.py.")
    calls = models.PositiveBigIntegerField()
    bytes_in = models.PositiveBigIntegerField()
    bytes_out = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "day", "access_key", "endpoint", "status_class", "within_ms"], name="call_sum_once"
            ),
        ]
        indexes = [
            models.Index(fields=["day"], name="call_sum_day"),
            # All that a report reads: rows of a year lie a day's writing apart, each in a block of its own.
            models.Index(
                fields=["owner", "day", "access_key", "endpoint", "status_class", "within_ms", "calls", "bytes_in",
                        "bytes_out"], name="call_sum_read",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day}, {self.endpoint}: {self.calls}"
