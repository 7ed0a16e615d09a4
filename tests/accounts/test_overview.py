"""The page of one's account says how each thing stands and leads to where it is changed."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.humanize.templatetags.humanize import naturalday
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import html

from accounts import keys
from accounts.models import MailChoice, User
from billing import ledger
from billing.models import Payment, Preferences, Subscription
from generation.models import ProcessingLimits, Webhook
from privacy.requests import handling
from privacy.requests.models import SubjectRequest
from privacy.requests.rights import Law, Right
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make

pytestmark = pytest.mark.django_db

CHANGED = {
    "E-mail address": "An address waits to be confirmed",
    "Passkeys": "2 passkeys, last used yesterday",
    "Who may receive my photos": "2 limits; 0 of 1 provider left",
    "Mail": "Only the mail that has to be",
    "Balance and ledger": "7 credits, 3 on hold for jobs that run",
    "Purchases": "1 payment, the last yesterday",
    "Plan": "200 credits a month",
    "Spending": "3 of 50 used this month",
    "Access keys": "2 keys, last used yesterday",
    "Webhooks": "1 on, 1 off",
}


def states_of(browser: Client) -> dict[str, str]:
    """What the page says of each thing, by its name; fails when a row leads nowhere."""
    page = html.fromstring(browser.get(reverse("accounts:home")).content)
    found = {}
    for row in page.xpath("//ul[@class='setting-list']/li/a"):
        assert browser.get(row.get("href"), follow=True).status_code == 200, row.get("href")
        name, said = (" ".join(part.text_content().split()) for part in row)
        found[name] = said
    return found


def test_how_everything_stands() -> None:
    """Of a new account, of one that has something everywhere; and nothing of it on another's page."""
    make()
    signed = Client()
    signed.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    assert states_of(signed) == {
        "E-mail address": ADDRESS,
        "Password": "Set",
        "Passkeys": "No passkeys",
        "Second step": "Off",
        "Where you are signed in": "1 session",
        "Who may receive my photos": "No limits",
        "Models on this device": "Only your browser knows",
        "Mail": "What has to be, and what you asked for",
        "Language": "English",
        "Colours": "As this device",
        "Balance and ledger": "10 credits",
        "Purchases": "No purchases",
        "Spending": "No limit; 0 used this month",
        "Access keys": "No keys",
        "Webhooks": "No webhooks",
        "Usage": "0 calls in 30 days",
        "Get a copy": "One file with everything that we hold about you",
        "Your rights": "No request open",
    }
    user, yesterday = User.objects.get(), timezone.now() - timedelta(days=1)
    EmailAddress.objects.create(user=user, email="new@example.com")
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "a"}, last_used_at=yesterday)
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "a"})
    for name in ("one", "two"):
        keys.make(owner=user, name=name, scopes=["jobs:read"])
    user.access_keys.filter(name="one").update(last_used_at=yesterday)
    for number in range(2):
        Webhook.objects.create(owner=user, url=f"https://shop.example/{number}", enabled=bool(number))
    ProcessingLimits.objects.create(owner=user, restrictions={"no_retention": True, "never": ["embedded"]})
    ledger.hold(user=user, credits=3, job=uuid4())
    Payment.objects.create(
        user=user, stripe_id="cs_1", credits=0, amount=1, currency="eur", paid_at=yesterday, payment_intent="pi_1"
    )
    Subscription.objects.create(
        user=user, stripe_id="sub_1", plan="plan-200", credits=200, amount=1, currency="eur", status="active"
    )
    Preferences.objects.create(user=user, monthly_limit=50)
    MailChoice.objects.create(user=user, only_necessary=True)
    handling.ask(person=user, right=Right.ACCESS, law=Law.GDPR, text="", form_key=uuid4())
    due = naturalday(SubjectRequest.objects.get().due_on)
    now = states_of(signed)
    expected = {**CHANGED, "Your rights": f"1 request open, answer due {due}"}
    assert {name: said for name, said in now.items() if name in expected} == expected
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger@example.com"))
    assert states_of(stranger)["Access keys"] == "No keys"
    assert states_of(stranger)["Your rights"] == "No request open"
