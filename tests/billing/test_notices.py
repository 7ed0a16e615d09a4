"""One mail for each shortage, to those who asked for it."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from unittest import mock

import pytest
from django.conf import settings as configured
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from accounts.models import User
from billing import ledger, notices
from billing.models import Preferences
from billing.tasks import notice
from tests.billing.happenings import job

pytestmark = pytest.mark.django_db


def asked(user: User, below: int | None = 5) -> Preferences:
    """Somebody who wants to be told, with their welcome credits there."""
    ledger.balance(user)
    return Preferences.objects.create(user=user, notice_below=below)


def test_one_mail_for_each_shortage(owner: User, stranger: User, settings) -> None:
    settings.BILLING = True
    settings.SITE_URL = "https://models.example/"
    asked(owner)
    asked(stranger, None)
    assert notices.send() == 0
    first = job(owner, 5)
    assert notices.send() == 1
    notice()
    assert notices.send() == 0
    sent = mail.outbox[0]
    assert sent.to == [owner.email]
    assert sent.subject == "5 credits left"
    text = str(sent.body)
    assert "You have 5 credits left to spend. You asked to be told at 5 credits or fewer." in text
    assert "5 more are reserved for jobs that run, and come back if they fail." in text
    assert "Buy more: https://models.example/pricing" in text
    assert "https://models.example/billing" in text
    ledger.release(job=first)
    assert notices.send() == 0  # the shortage is over
    job(owner, 9, "capture")
    assert notices.send() == 1
    assert mail.outbox[1].subject == "1 credit left"
    assert len(mail.outbox) == 2


def test_what_is_owed_is_said_and_nothing_sold_where_nothing_is(owner: User, settings) -> None:
    settings.BILLING = False
    asked(owner, 0)
    ledger.grant(user=owner, credits=5, key="g", reason="purchase")
    job(owner, 15, "capture")
    ledger.reverse(key="r", original="g", credits=5, reason="refund")
    assert notices.send() == 1
    assert "You owe 5 credits; what comes in next pays them first." in str(mail.outbox[0].body)
    assert "Buy" not in str(mail.outbox[0].body)


def test_another_threshold_is_another_shortage(client, owner: User) -> None:
    asked(owner, 20)
    client.force_login(owner)
    assert notices.send() == 1
    client.post("/billing/spending", {"notice_below": "20"})
    assert notices.send() == 0
    client.post("/billing/spending", {"notice_below": "30"})
    assert notices.send() == 1


def test_a_server_that_is_away_is_tried_again_and_an_address_that_is_refused_is_not(owner: User) -> None:
    asked(owner, 20)
    for error, noticed in (
        (SMTPServerDisconnected("x"), False),
        (OSError("x"), False),
        (SMTPRecipientsRefused({}), True),
    ):
        with mock.patch.object(EmailMultiAlternatives, "send", side_effect=error):
            assert notices.send() == 0
        assert (Preferences.objects.get().noticed_at is not None) == noticed
    assert notices.send() == 0


def test_nobody_who_is_gone(owner: User) -> None:
    asked(owner, 20)
    owner.is_active = False
    owner.save()
    assert notices.send() == 0


def test_it_runs_by_itself() -> None:
    tasks = {entry["task"]: entry["schedule"] for entry in configured.CELERY_BEAT_SCHEDULE.values()}
    assert tasks[notice.name] == 300.0
