"""One mail to each account about changes of substance, before they take effect; several at once are in one mail.

Which mails there are to send is a row for each account and version, made before any is sent. A worker claims an
account's rows by a conditional UPDATE, so that two never send the same; after a crash the claim runs out and the next
round sends it. A worker that dies between handing a mail over and writing that down makes it come twice, with the same
Message-ID: rather twice than never.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Final
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from privacy import mail
from trust.models import Shown, Version

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=10)
AT_ONCE: Final = 500
"""Accounts that are mailed to in one round, and rows that are made in one statement, at most."""


def send() -> int:
    """One round; repeating it is harmless. Returns how many mails were sent."""
    for version in Version.objects.coming().filter(substance=True):
        _prepare(version)
    accounts = _to_send().order_by("account").values_list("account", flat=True).distinct()[:AT_ONCE]
    sent = 0
    for account in list(accounts):
        try:
            sent += _tell(account)
        except (SMTPException, OSError) as error:
            logger.warning("mail was not taken", extra={"error": type(error).__name__})
            break
    return sent


def _prepare(version: Version) -> None:
    """A row for each account with a confirmed address that has none; also for those that came since."""
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True, primary=True)
    has_one = Shown.objects.filter(account=OuterRef("pk"), version=version, how=Shown.How.MAIL)
    waiting = User.objects.filter(Exists(confirmed), ~Exists(has_one), is_active=True).values_list("pk", flat=True)
    rows = (Shown(account_id=pk, version=version, how=Shown.How.MAIL) for pk in waiting.iterator())
    Shown.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)


def _to_send() -> QuerySet[Shown]:
    """Rows of mails that nobody has sent or is sending, and that still come before their change."""
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    return Shown.objects.filter(
        free, how=Shown.How.MAIL, at=None, refused=False, version__effective_at__gt=now, account__is_active=True
    )


def _tell(account: int) -> bool:
    """Send one account its mail, if nobody else does."""
    now = timezone.now()
    claim = list(_to_send().filter(account=account).values_list("pk", flat=True))
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    Shown.objects.filter(free, pk__in=claim, at=None).update(claimed_at=now)
    mine = Shown.objects.filter(pk__in=claim, claimed_at=now, at=None)
    rows = list(mine.select_related("account", "version").order_by("version__effective_at", "version"))
    if not rows:
        return False
    try:
        _mail(rows)
    except SMTPRecipientsRefused:
        mine.update(refused=True)
        logger.warning("an address was refused", extra={"account": account})
        return False
    except (SMTPException, OSError):
        mine.update(claimed_at=None)
        raise
    mine.update(at=timezone.now())
    return True


def _mail(rows: list[Shown]) -> None:
    site = settings.SITE_URL.rstrip("/")
    changes = [
        {
            "version": row.version,
            "page": site + row.version.get_absolute_url(),
            "difference": site + reverse("trust:difference", args=[row.version.document]) + _span(row.version),
        }
        for row in rows
    ]
    number = f"<changes-{rows[0].pk}-{len(rows)}@{urlsplit(site).hostname}>"
    mail.written(
        to=[rows[0].account.email],
        subject="trust/email/changes_subject.txt",
        text="trust/email/changes_message.txt",
        about={"changes": changes},
        language=rows[0].account.language,
        headers={"Message-ID": number},
    ).send()


def _span(version: Version) -> str:
    """The query for what changed with a version."""
    return f"?from={version.number - 1}&to={version.number}"
