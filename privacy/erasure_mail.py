"""The mails of an erasure: that it was asked for, and how to undo it; and the last one, with its certificate."""

from __future__ import annotations

import logging
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.urls import reverse

from privacy import mail
from privacy.datamap import Person
from privacy.models import Erasure

logger = logging.getLogger(__name__)


def asked_for(row: Erasure, person: Person) -> None:
    """Say when it begins and how to undo it. That no server takes the mail stops nothing: the page says it, too."""
    try:
        _send("asked", row, person)
    except (SMTPException, OSError) as error:
        logger.warning("mail was not taken", extra={"failure": type(error).__name__.lower()})


def done(row: Erasure, person: Person, *, last_try: bool) -> bool:
    """The last mail to the address; whether a server took it. What goes wrong is raised, unless it is the last try."""
    try:
        _send("done", row, person)
    except SMTPRecipientsRefused:
        return False
    except (SMTPException, OSError):
        if not last_try:
            raise
        return False
    return True


def _send(which: str, row: Erasure, person: Person) -> None:
    site = settings.SITE_URL.rstrip("/")
    about: dict[str, Any] = {
        "runs_at": row.runs_at,
        "page": site + reverse("privacy:erasure", args=[row.token]),
        "undo": site + reverse("privacy:erase"),
    }
    mail.written(
        to=[getattr(person, person.get_email_field_name())],
        subject=f"privacy/email/erasure_{which}_subject.txt",
        text=f"privacy/email/erasure_{which}_message.txt",
        about=about,
        language=getattr(person, "language", ""),
    ).send()
