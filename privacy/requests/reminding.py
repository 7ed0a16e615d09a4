"""Whoever answers requests is told in time: daily, of each that is overdue or has seven days or less.

One mail names them all, by reference and day alone. Each is claimed for the day by a conditional UPDATE before the mail
is sent; a mail server that does not take it gives the claims back.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from privacy import mail
from privacy.requests.mailing import absolute
from privacy.requests.models import SubjectRequest

logger = logging.getLogger(__name__)

SOON: Final = timedelta(days=7)


def remind() -> int:
    """One round; repeating it on the same day mails only what has become due since. Of how many requests it told."""
    today = timezone.localdate()
    if not settings.PRIVACY_CONTACT:
        return 0
    due = SubjectRequest.objects.open().filter(Q(reminded_on=None) | Q(reminded_on__lt=today), due_on__lte=today + SOON)
    claimed: list[tuple[SubjectRequest, date | None]] = []
    for found in due.order_by("due_on", "received_at")[:500]:
        before = found.reminded_on
        if SubjectRequest.objects.filter(pk=found.pk, reminded_on=before).update(reminded_on=today):
            claimed.append((found, before))
    if not claimed:
        return 0
    try:
        _mail([found for found, _before in claimed])
    except (SMTPException, OSError) as error:
        for found, before in claimed:
            SubjectRequest.objects.filter(pk=found.pk, reminded_on=today).update(reminded_on=before)
        logger.warning("mail was not taken", extra={"failure": type(error).__name__.lower()})
        return 0
    return len(claimed)


def _mail(due: list[SubjectRequest]) -> None:
    late = sum(found.overdue for found in due)
    about = {"due": due, "late": late, "soon": len(due) - late, "queue": absolute(reverse("admin:index"))}
    mail.written(
        to=settings.PRIVACY_CONTACT,
        subject="privacy/requests/email/reminder_subject.txt",
        text="privacy/requests/email/reminder.txt",
        about=about,
    ).send()
