"""Whoever objects gets only the mail that has to be."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import MailChoice, User
from billing import ledger, notices
from billing.models import Preferences
from privacy.requests import handling, mailing

pytestmark = pytest.mark.django_db

PAGE = "/account/mail"


@pytest.fixture
def browser(owner: User) -> Client:
    made = Client()
    made.force_login(owner)
    return made


def test_choosing(browser: Client, owner: User, stranger: User) -> None:
    assert "checked" not in browser.get(PAGE).content.decode()
    for _ in range(2):
        assert "Saved." in browser.post(PAGE, {"only_necessary": "on"}, follow=True).content.decode()
    assert 'id="id_only_necessary" aria-describedby="only_necessary-help" checked' in browser.get(PAGE).content.decode()
    assert "Only the mail that has to be" in browser.get(reverse("accounts:home")).content.decode()
    noted = handling.of(owner).get()  # once, though it was saved twice
    assert (noted.right, noted.at_once) == ("objection", True)
    browser.post(PAGE, {})
    assert not MailChoice.objects.get().only_necessary
    assert handling.of(owner).count() == 1
    assert not MailChoice.objects.filter(user=stranger).exists()


def test_for_who_is_signed_in_alone(client: Client, browser: Client) -> None:
    assert client.get(PAGE)["Location"].startswith(reverse("account_login"))
    assert client.post(PAGE, {"only_necessary": "on"})["Location"].startswith(reverse("account_login"))
    assert browser.put(PAGE).status_code == 405
    assert not MailChoice.objects.exists()


def test_no_notice_beyond_the_necessary(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        ledger.balance(user)
        Preferences.objects.create(user=user, notice_below=20)
    MailChoice.objects.create(user=owner, only_necessary=True)
    MailChoice.objects.create(user=stranger, only_necessary=False)
    browser = Client()
    browser.force_login(owner)
    assert "so none is sent" in browser.get("/billing").content.decode()
    assert notices.send() == 1
    assert [letter.to for letter in mail.outbox] == [[stranger.email]]
    assert Preferences.objects.get(user=owner).noticed_at is None
    MailChoice.objects.filter(user=owner).delete()
    assert notices.send() == 1  # objected no longer


def test_answers_to_requests_are_necessary(browser: Client, owner: User) -> None:
    MailChoice.objects.create(user=owner, only_necessary=True)
    browser.post("/privacy/requests", {"right": "access", "law": "gdpr"})
    mailing.sweep()
    assert [letter.to for letter in mail.outbox] == [[owner.email]]
