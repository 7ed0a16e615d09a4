"""One's own account and nobody else's: overview, second factors, sessions; and nothing inline for a CSP to block."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.test_overview import states_of
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make, signed_in

BROWSER = "Mozilla/5.0 (the owner)"
INLINE = re.compile(
    r"<script(?![^>]*\b(?:src=|type=\"application/json\"))|\son[a-z]+=|\sstyle=|javascript:|<style", re.IGNORECASE
)
OWN_PAGES = [
    "accounts:home",
    "account_change_password",
    "account_email",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "usersessions_list",
]
OPEN_PAGES = ["account_login", "account_signup", "account_request_login_code", "account_reset_password"]


@pytest.fixture
def signed() -> Client:
    """A browser where the owner has signed in by password and, as what follows wants it, typed it again."""
    make()
    browser = Client(HTTP_USER_AGENT=BROWSER)
    browser.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    assert signed_in(browser)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_open_pages_run_nothing_inline(client: Client, page: str) -> None:
    answer = client.get(reverse(page))
    assert answer.status_code == 200
    assert INLINE.findall(answer.content.decode()) == []
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("page", OWN_PAGES)
def test_own_pages_run_nothing_inline_and_are_ones_own(signed: Client, page: str) -> None:
    answer = signed.get(reverse(page))
    assert answer.status_code == 200
    assert INLINE.findall(answer.content.decode()) == []
    away = Client().get(reverse(page))
    assert away.status_code == 302
    assert away["Location"].startswith(reverse("account_login")) or page == "account_logout"


def test_authenticator_app(signed: Client) -> None:
    """Turned on, its seed rests encrypted, and signing in by password then asks for it."""
    page = signed.get(reverse("mfa_activate_totp"))
    seed = page.context["form"].secret
    now = middle_of_a_code()
    with mock.patch("time.time", return_value=now):
        signed.post(reverse("mfa_activate_totp"), {"code": totp(seed)})
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP).data["secret"]
    assert seed not in stored
    assert states_of(signed)["Second step"] == "On, 10 recovery codes left"

    second = Client()
    answer = second.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    assert answer["Location"] == reverse("mfa_authenticate")
    assert signed_in(second) is None
    second.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert signed_in(second) is None
    later = now + 60  # a code works once, and the one that turned it on is used up
    with mock.patch("time.time", return_value=later - 30):
        old = totp(seed)
    with mock.patch("time.time", return_value=later):
        answer = second.post(reverse("mfa_authenticate"), {"code": old})
        assert "the one that the app shows now" in answer.content.decode()
        assert signed_in(second) is None  # it is no longer shown
        second.post(reverse("mfa_authenticate"), {"code": totp(seed)})
    assert signed_in(second)


def test_second_factors_want_the_password_again() -> None:
    """An unlocked laptop is not enough to add a key to the account."""
    make()
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    for page in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert browser.get(reverse(page))["Location"].startswith(reverse("account_reauthenticate"))


def middle_of_a_code() -> float:
    """A time about now at which no code is about to change."""
    return time.time() // 30 * 30 + 15


def totp(seed: str) -> str:
    """What an authenticator app shows."""
    return str(format_hotp_value(hotp_value(seed, int(time.time()) // 30)))


def test_passkeys_can_be_asked_for(client: Client) -> None:
    """The sign-in page's script gets a challenge without naming anybody."""
    answer = client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    assert answer.status_code == 200
    options = answer.json()["request_options"]["publicKey"]
    assert options["challenge"]
    assert options["userVerification"] == "required"
    assert not options.get("allowCredentials")


def test_a_passkey_can_be_added_from_the_account(signed: Client) -> None:
    answer = signed.get(reverse("mfa_add_webauthn"))
    assert answer.status_code == 200
    assert b"challenge" in answer.content


def test_only_ones_own_sessions_are_listed(signed: Client, stranger: User) -> None:
    other = Client(HTTP_USER_AGENT="SomebodyElse/1.0")
    make("else@example.com")
    other.post(reverse("account_login"), {"login": "else@example.com", "password": PASSWORD})
    assert UserSession.objects.count() == 2
    page = signed.get(reverse("usersessions_list"))
    assert [session.user.email for session in page.context["sessions"]] == [ADDRESS]
    assert b"SomebodyElse" not in page.content


def test_the_other_sessions_can_be_ended(signed: Client) -> None:
    lost = Client()
    lost.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    assert lost.get(reverse("accounts:home")).status_code == 200
    signed.post(reverse("usersessions_list"))
    assert lost.get(reverse("accounts:home")).status_code == 302
    assert signed.get(reverse("accounts:home")).status_code == 200


def test_signing_out_needs_a_button(signed: Client) -> None:
    signed.get(reverse("account_logout"))
    assert signed_in(signed)
    signed.post(reverse("account_logout"))
    assert signed_in(signed) is None


def test_a_changed_password_leads_back_to_the_account(signed: Client) -> None:
    new = "a quite different phrase 7"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    answer = signed.post(reverse("account_change_password"), fields)
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"] == reverse("accounts:home")


def test_a_changed_address_leads_back_to_the_account(signed: Client, code_in_mail: Callable[[str], str]) -> None:
    signed.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"})
    code = code_in_mail("new@example.com")
    answer = signed.post(reverse("account_email_verification_sent"), {"code": code})
    assert answer["Location"] == reverse("accounts:home")
    assert signed_in(signed) == str(User.objects.get(email="new@example.com").pk)


def test_wrong_password_is_said_in_our_words(client: Client) -> None:
    make()
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": "not it"})
    assert "do not go together" in answer.content.decode()
