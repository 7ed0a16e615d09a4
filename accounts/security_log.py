"""Each change of what may act for an account is written down for a year, shown to its owner, and mailed once.

The line is written in the transaction of the change. Its mail is claimed by a conditional UPDATE before it is sent, so
two workers never send it twice; a mail that the server does not take gives the claim back, and the next round tries
again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AccessKey, SecurityEvent, User
from privacy import mail

logger = logging.getLogger(__name__)

WORDS: dict[str, Promise] = {
    "key_made": _("Access key made"),
    "key_changed": _("Access key changed"),
    "key_rotated": _("Access key has a new secret"),
    "key_disabled": _("Access key switched off"),
    "key_enabled": _("Access key switched on"),
    "key_deleted": _("Access key deleted"),
    "key_leaked": _("Access key reported as leaked, and switched off"),
    "webhook_made": _("Webhook made"),
    "webhook_changed": _("Webhook changed"),
    "webhook_rotated": _("Webhook has a new secret"),
    "webhook_disabled": _("Webhook switched off"),
    "webhook_enabled": _("Webhook switched on"),
    "webhook_deleted": _("Webhook deleted"),
    "webhook_failing": _("Webhook switched off, as it takes nothing any more"),
    "webhook_gone": _("Webhook switched off, as it said that it is gone"),
}

SHOWN = 20
"""Lines on the page."""


KEYS = tuple(code for code in WORDS if code.startswith("key_"))
WEBHOOKS = tuple(code for code in WORDS if code.startswith("webhook_"))


def record(key: AccessKey, code: str) -> None:
    """Write a line about a key and have it mailed. For use in the transaction of the change."""
    write(owner=key.owner, code=code, subject=key.name, number=key.pk)


def write(*, owner: User, code: str, subject: str, number: UUID) -> None:
    """Write a line about a key or webhook with this number. For use in the transaction of the change."""
    SecurityEvent.objects.create(owner=owner, code=code, subject=subject, access_key=number)
    transaction.on_commit(_nudge, robust=True)


def latest(owner: User, codes: tuple[str, ...] = KEYS) -> list[tuple[Promise | str, SecurityEvent]]:
    """The owner's newest lines with these codes, each with its words."""
    newest = owner.security_events.filter(code__in=codes).order_by("-at", "-pk")[:SHOWN]
    return [(WORDS.get(event.code, event.code), event) for event in newest]


def before(moment: datetime) -> QuerySet[SecurityEvent]:
    """Lines about what happened before."""
    return SecurityEvent.objects.filter(at__lt=moment)


def send() -> int:
    """Mail what was not mailed; how many. A line of more than a day ago is no news any more."""
    sent = 0
    fresh = timezone.now() - timedelta(days=1)
    due = SecurityEvent.objects.filter(mailed_at=None, at__gte=fresh).select_related("owner").order_by("at", "pk")
    for event in due:
        now = timezone.now()
        mine = SecurityEvent.objects.filter(pk=event.pk, mailed_at=None)
        if not mine.update(mailed_at=now):
            continue
        try:
            _mail(event)
        except SMTPRecipientsRefused:
            logger.warning("an address was refused")
        except (SMTPException, OSError):
            SecurityEvent.objects.filter(pk=event.pk, mailed_at=now).update(mailed_at=None)
            logger.warning("mail was not taken")
            break
        else:
            sent += 1
    return sent


def _mail(event: SecurityEvent) -> None:
    page = reverse("generation:webhooks" if event.code in WEBHOOKS else "accounts:keys")
    about = {"what": WORDS[event.code], "event": event, "page": settings.SITE_URL.rstrip("/") + page}
    mail.written(
        to=[event.owner.email],
        subject="accounts/email/security_subject.txt",
        text="accounts/email/security_message.txt",
        about=about,
        language=event.owner.language,
    ).send()


def _nudge() -> None:
    from accounts.tasks import tell

    try:
        tell.delay()
    except Exception:  # whatever a broker raises: the next round sends it
        logger.warning("no broker took a notice; the next round will send it")
