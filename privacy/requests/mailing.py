"""Letters about requests: each goes out at least once, however long a mail server is away.

The step that a letter belongs to is its place in the queue (``mail_due_at``). Whoever sends it claims it for a while by
a conditional UPDATE; if they die, the sweep takes it up again, and rather sends it twice than never. A mail server that
does not answer is tried again later and later; an address that it refuses is not. A message carries the step's number
alone.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from privacy import mail
from privacy.requests import rights
from privacy.requests.models import RequestStep
from privacy.retention import length, longest

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=2)
LONGEST_WAIT: Final = timedelta(hours=1)
AT_ONCE: Final = 200


def hand_over(step_id: int) -> None:
    """Have a letter sent by a worker. Without a broker, the sweep sends it."""
    from privacy.tasks import mail_request

    try:
        mail_request.delay(step_id)
    except Exception:  # whatever a broker raises
        logger.warning("no broker took a letter; the sweep will send it")


def sweep() -> int:
    """Send every letter that is due; how many went out."""
    due = RequestStep.objects.filter(mail_due_at__lte=timezone.now()).order_by("mail_due_at")
    return sum(send(step_id) for step_id in list(due.values_list("pk", flat=True)[:AT_ONCE]))


def send(step_id: int) -> bool:
    """Send a letter that is due; whether it went out."""
    now = timezone.now()
    step = RequestStep.objects.select_related("request__person").filter(pk=step_id, mail_due_at__lte=now).first()
    if step is None:
        return False
    claimed = RequestStep.objects.filter(pk=step_id, mail_due_at=step.mail_due_at)
    if not claimed.update(mail_due_at=now + LEASE, mail_tries=F("mail_tries") + 1):
        return False
    mine = RequestStep.objects.filter(pk=step_id, mail_due_at=now + LEASE)
    to = _address(step)
    if not to:  # the account is gone
        mine.update(mail_due_at=None)
        return False
    try:
        written(step, to).send()
    except SMTPRecipientsRefused:
        mine.update(mail_due_at=None)
        logger.warning("an address was refused")
        return False
    except (SMTPException, OSError):
        wait = min(LONGEST_WAIT, timedelta(seconds=30 * 2 ** min(step.mail_tries, 10)))
        mine.update(mail_due_at=timezone.now() + wait)
        logger.warning("mail was not taken; it is tried again", extra={"attempt": step.mail_tries + 1})
        return False
    mine.update(mail_due_at=None, mailed_at=timezone.now())
    return True


def _address(step: RequestStep) -> str:
    """Where whoever asked gets mail: at the address that they proved, else at their account's."""
    found = step.request
    return found.address or (found.person.get_username() if found.person else "")


def written(step: RequestStep, to: str) -> EmailMultiAlternatives:
    """The letter of a step."""
    found = step.request
    about: dict[str, Any] = {
        "step": step,
        "found": found,
        "right": rights.NAMES[found.right],
        "days": length(longest("unconfirmed_request")),
        "page": absolute(found.url),
        "held": absolute(reverse("privacy:data")),
        "form": absolute(reverse("privacy:requests")),
    }
    subject, text = "privacy/requests/email/subject.txt", f"privacy/requests/email/{step.what}.txt"
    return mail.written(to=[to], subject=subject, text=text, about=about, language=found.language)


def absolute(path: str) -> str:
    """A page's address in a letter."""
    return str(settings.SITE_URL).rstrip("/") + path
