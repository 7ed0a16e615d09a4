"""One mail to somebody whose credits have come down to what they asked to be told at; the next only after the balance
was above it again. Who gets only the necessary mail gets none.

A shortage is claimed by a conditional UPDATE before its mail is sent, so two workers never send it twice. A mail that
the server does not take gives the claim back, and the next round tries again; an address that it refuses does not.
"""

from __future__ import annotations

import logging
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from accounts.mail_choice import NOT_WANTED
from billing import ledger
from billing.models import LedgerAccount, Preferences
from privacy import mail

logger = logging.getLogger(__name__)

AVAILABLE = LedgerAccount.objects.filter(user=OuterRef("user"), kind=LedgerAccount.Kind.AVAILABLE)


def send() -> int:
    """One round; repeating it is harmless. Returns how many mails were sent."""
    above = Exists(AVAILABLE.filter(balance__gt=OuterRef("notice_below")))
    Preferences.objects.filter(above, noticed_at__isnull=False).update(noticed_at=None)

    below = Exists(AVAILABLE.filter(balance__lte=OuterRef("notice_below")))
    due = Preferences.objects.filter(below, ~NOT_WANTED, noticed_at=None, user__is_active=True).select_related("user")
    sent = 0
    for chosen in due.order_by("pk"):
        now = timezone.now()
        mine = Preferences.objects.filter(pk=chosen.pk, noticed_at=None)
        if not mine.update(noticed_at=now):
            continue
        try:
            _mail(chosen)
        except SMTPRecipientsRefused:
            logger.warning("an address was refused", extra={"account": chosen.user_id})
        except (SMTPException, OSError) as error:
            Preferences.objects.filter(pk=chosen.pk, noticed_at=now).update(noticed_at=None)
            logger.warning("mail was not taken", extra={"error": type(error).__name__})
            break
        else:
            sent += 1
    return sent


def _mail(chosen: Preferences) -> None:
    balance = ledger.balance(chosen.user)
    about = {
        "balance": balance,
        "notice_below": chosen.notice_below,
        "selling": settings.BILLING,
        "pricing": settings.SITE_URL.rstrip("/") + reverse("billing:pricing"),
        "credits": settings.SITE_URL.rstrip("/") + reverse("billing:home"),
    }
    mail.written(
        to=[chosen.user.email],
        subject="billing/email/few_credits_subject.txt",
        text="billing/email/few_credits_message.txt",
        about=about,
        language=chosen.user.language,
    ).send()
