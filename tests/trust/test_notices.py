"""One mail to each account before a change of substance, whatever dies or runs twice."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from threading import Thread
from unittest import mock

import pytest
from django.conf import settings as configured
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from accounts.models import User
from tests.trust.conftest import confirmed
from trust import notices
from trust.models import Shown, Version
from trust.tasks import publish, tell


def mails() -> list[Shown]:
    return list(Shown.objects.filter(how="mail").order_by("account"))


def test_one_mail_to_each_confirmed_account(owner: User, stranger: User, change, settings) -> None:
    settings.SITE_URL = "https://models.example"
    version = change("privacy", number=3, summary="We hold diaries, too.")
    change("terms", days=-1)  # holds already
    change("security", substance=False)
    confirmed(owner)
    assert notices.send() == 1  # nobody confirmed the stranger's address
    (sent,) = mail.outbox
    assert sent.to == [owner.email]
    assert sent.subject.startswith("Privacy policy: a change from ")
    text = str(sent.body)
    assert "We hold diaries, too." in text
    assert "https://models.example/privacy/versions/3" in text
    assert "https://models.example/privacy/difference?from=2&to=3" in text
    assert notices.send() == 0
    (row,) = mails()
    assert (row.account, row.version) == (owner, version)
    assert row.at is not None
    confirmed(stranger)  # meanwhile
    tell()
    assert [one.to for one in mail.outbox] == [[owner.email], [stranger.email]]


def test_several_changes_are_in_one_mail(owner: User, change) -> None:
    confirmed(owner)
    change("privacy", summary="First thing.")
    change("terms", summary="Second thing.")
    assert notices.send() == 1
    (sent,) = mail.outbox
    assert sent.subject == "Changes to 2 of our documents"
    assert "First thing." in str(sent.body)
    assert "Second thing." in str(sent.body)
    assert len(mails()) == 2


def test_nobody_who_is_gone_and_nothing_after_the_day(owner: User, change) -> None:
    confirmed(owner)
    version = change("privacy")
    notices._prepare(version)
    Version.objects.update(effective_at=timezone.now())
    assert notices.send() == 0
    Version.objects.update(effective_at=timezone.now() + timedelta(days=3))
    User.objects.update(is_active=False)
    assert notices.send() == 0


def test_a_server_that_is_away_is_tried_again_and_an_address_that_is_refused_is_not(owner: User, change) -> None:
    confirmed(owner)
    change("privacy")
    for error in (SMTPServerDisconnected("x"), OSError("x")):
        with mock.patch.object(EmailMessage, "send", side_effect=error):
            assert notices.send() == 0
        assert (mails()[0].at, mails()[0].claimed_at, mails()[0].refused) == (None, None, False)
    with mock.patch.object(EmailMessage, "send", side_effect=SMTPRecipientsRefused({})):
        assert notices.send() == 0
    assert mails()[0].refused
    assert notices.send() == 0
    assert mail.outbox == []


def test_after_a_crash_the_next_round_sends_it(owner: User, change) -> None:
    """Killed with the claim in hand: nobody else sends it before the claim has run out, then the next one does."""
    confirmed(owner)
    change("privacy")
    with mock.patch.object(EmailMessage, "send", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        notices.send()
    assert mails()[0].claimed_at is not None
    assert notices.send() == 0
    Shown.objects.update(claimed_at=timezone.now() - notices.LEASE - timedelta(seconds=1))
    assert notices.send() == 1
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_one_mail_for_each_account_however_many_workers(change) -> None:
    for number in range(12):
        confirmed(User.objects.create_user(f"person{number}@example.org"))
    change("privacy")
    change("terms")
    failed: list[Exception] = []

    def work() -> None:
        try:
            notices.send()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    notices.send()
    names = ("Privacy policy, version", "Terms, version")
    covered = [name for sent in mail.outbox for name in names if name in sent.body]
    assert len(covered) == 24
    assert {tuple(sent.to) for sent in mail.outbox} == {(f"person{number}@example.org",) for number in range(12)}
    assert all(row.at for row in mails())
    assert len(mails()) == 24


def test_a_mail_that_comes_twice_can_be_known_again(owner: User, change) -> None:
    confirmed(owner)
    change("privacy")
    notices.send()
    Shown.objects.filter(how="mail").update(at=None, claimed_at=None)  # died before writing down that it was sent
    notices.send()
    one, two = mail.outbox
    assert one.extra_headers["Message-ID"] == two.extra_headers["Message-ID"]


def test_a_round_takes_the_same_queries_for_any_number_that_was_told(
    owner: User, change, django_assert_num_queries
) -> None:
    confirmed(owner)
    change("privacy")
    notices.send()
    for number in range(5):
        User.objects.create_user(f"more{number}@example.org")
    with django_assert_num_queries(3):
        notices.send()


def test_it_runs_by_itself() -> None:
    runs = {entry["task"]: entry["schedule"] for entry in configured.CELERY_BEAT_SCHEDULE.values()}
    assert runs[tell.name] == 300.0
    assert publish.name in runs
