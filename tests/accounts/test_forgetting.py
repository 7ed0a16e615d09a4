"""What accounts leave behind goes by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tasks import forget
from billing import ledger
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make

pytestmark = pytest.mark.django_db


def test_ended_sessions_and_what_was_noted_beside_them(client: Client) -> None:
    make()
    client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    UserSession.objects.update(created_at=timezone.now() - timedelta(hours=1))
    forget()
    assert UserSession.objects.count() == 1  # still signed in
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    forget()
    assert not Session.objects.exists()
    assert not UserSession.objects.exists()
    assert User.objects.count() == 1


def test_addresses_that_nobody_confirmed(client: Client, owner: User) -> None:
    client.post(reverse("account_signup"), {"email": "typo@example.com"})
    confirmed = make()
    ledger.balance(owner)  # an operator's own, unconfirmed, but with credits
    forget()
    assert User.objects.filter(email="typo@example.com").exists()  # a day is given
    User.objects.update(date_joined=timezone.now() - timedelta(days=1, minutes=1))
    forget()
    assert set(User.objects.all()) == {confirmed, owner}
    assert not EmailAddress.objects.filter(email="typo@example.com").exists()
