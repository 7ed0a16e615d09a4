"""Versions of our documents, each as it was published, and which account was shown which."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Document(models.TextChoices):
    """The documents by which we are held; the value is the address and the name of the text's file."""

    PRIVACY = "privacy", _("Privacy policy")
    TERMS = "terms", _("Terms")
    SECURITY = "security", _("Security")
    SUB_PROCESSORS = "sub-processors", _("Sub-processors")


class VersionQuerySet(models.QuerySet["Version"]):
    """Questions to the versions."""

    def of(self, document: str) -> VersionQuerySet:
        """Those of one document, the newest first."""
        return self.filter(document=document).order_by("-number")

    def in_force(self, document: str, at: datetime | None = None) -> Version | None:
        """The one by which we are held at a moment; ``None`` before the first."""
        return self.of(document).filter(effective_at__lte=at or timezone.now()).first()

    def coming(self, document: str | None = None) -> VersionQuerySet:
        """Those that are published and take effect later."""
        found = self.filter(effective_at__gt=timezone.now())
        return found.filter(document=document) if document else found


class Version(models.Model):
    """What a document said, to the letter. Never changed: what was in force can always be shown."""

    document = models.CharField(max_length=20, choices=Document.choices)
    number = models.PositiveIntegerField()
    text = models.TextField()
    """Markdown, with every value filled in."""
    mark: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    """What a change of substance is told by: ``trust/publishing.py``."""
    substance = models.BooleanField()
    """Whether people had to be told before it took effect."""
    summary = models.TextField()
    """What changed, in a sentence."""
    published_at = models.DateTimeField()
    effective_at = models.DateTimeField()

    objects: ClassVar[Any] = VersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="one_text_per_number")]
        indexes = [models.Index(fields=["effective_at"], name="version_effective")]

    def __str__(self) -> str:
        return f"{self.document} {self.number}"

    def get_absolute_url(self) -> str:
        """The page that shows this very version."""
        return reverse("trust:version", args=[self.document, self.number])

    @property
    def title(self) -> str:
        """The document's name."""
        return str(Document(self.document).label)

    @property
    def is_coming(self) -> bool:
        """Whether it takes effect later."""
        return self.effective_at > timezone.now()


class Shown(models.Model):
    """That an account was shown a version, how, and when. A row for a mail exists before the mail does."""

    class How(models.TextChoices):
        """By what."""

        SIGN_UP = "sign_up", _("when signing up")
        MAIL = "mail", _("by mail")
        BANNER = "banner", _("by a note on every page")
        PAGE = "page", _("on its own page")

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=10, choices=How.choices)
    at = models.DateTimeField(null=True)
    """When, the first time; empty for a mail that was not sent yet."""
    claimed_at = models.DateTimeField(null=True)
    """When a worker began to send the mail."""
    refused = models.BooleanField(default=False)
    """The mail service does not take mail to this address."""
    dismissed_at = models.DateTimeField(null=True)
    """When the person put the note away."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "version", "how"], name="shown_once_each_way")]
        indexes = [
            models.Index(
                fields=["claimed_at"], condition=Q(how="mail", at__isnull=True, refused=False), name="mail_to_send"
            )
        ]

    def __str__(self) -> str:
        return f"version {self.version_id} to account {self.account_id}"
