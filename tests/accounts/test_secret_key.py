"""SECRET_KEY changes without anybody being signed out or losing a second factor; then the old one can go."""

from __future__ import annotations

import time
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import signing
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.secrets import unseal
from generation.notifications import subscribing
from generation.notifications.signing import PURPOSE

pytestmark = pytest.mark.django_db
SEED = "JBSWY3DPEHPK3PXP"


def resealed() -> str:
    out = StringIO()
    call_command("reseal_secrets", stdout=out)
    return out.getvalue()


def code_fits(user: User) -> bool:
    """Whether the authenticator app that was set up is still known, by the code that it shows now."""
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    with mock.patch("time.time", return_value=time.time()):  # the code is over soon, but not meanwhile
        counter = next(iter(yield_hotp_counters_from_time()))
        fits: bool = TOTP(row).validate_code(format_hotp_value(hotp_value(SEED, counter)))
    return fits


def test_the_old_value_goes_once_everything_is_sealed_by_the_new(owner: User, settings: Any) -> None:
    TOTP.activate(owner, SEED)
    codes = RecoveryCodes.activate(owner).generate_codes()
    webhook, secret = subscribing.make(owner=owner, url="https://a.example/", description="", kinds=["job.ready"])
    link = signing.dumps("link", salt="test")
    browser, page = Client(), reverse("generation:history")
    browser.force_login(owner)

    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new value that nobody has seen before, 50 letters long"
    settings.SECRET_KEY_FALLBACKS = [old]
    assert browser.get(page).status_code == 200
    assert signing.loads(link, salt="test") == "link"
    assert code_fits(owner)
    newer = signing.dumps("newer", salt="test")

    said = resealed()
    assert "second factors: 2 resealed, 0" in said
    assert "webhooks: 1 resealed, 0" in said
    settings.SECRET_KEY_FALLBACKS = []
    cache.clear()  # a code is taken once
    assert code_fits(owner)
    assert RecoveryCodes.activate(owner).generate_codes() == codes
    webhook.refresh_from_db()
    assert unseal(webhook.secret, purpose=PURPOSE) == secret
    assert signing.loads(newer, salt="test") == "newer"
    with pytest.raises(signing.BadSignature):
        signing.loads(link, salt="test")
    assert browser.get(page).status_code == 200, "its session was signed anew while both values were known"


def test_what_no_key_opens_is_said_and_left_as_it_is(owner: User, settings: Any) -> None:
    TOTP.activate(owner, SEED)
    before = Authenticator.objects.get().data
    settings.SECRET_KEY = "another value, and the one before is nowhere any more"
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        resealed()
    assert Authenticator.objects.get().data == before
