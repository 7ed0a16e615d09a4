"""People. An account is an e-mail address and what allauth keeps beside it; there is no user name."""

from __future__ import annotations

from typing import Any, ClassVar

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

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # "A@x" and "a@x" are one person's address, whoever wrote the row.
            models.UniqueConstraint(Lower("email"), name="one_account_per_address"),
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
