"""Signing up and in, as a person does it: forms, codes from the mail, wrong codes, too many tries."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User

ADDRESS = "ada@example.com"
PASSWORD = "a-long-enough-phrase-7"
CodeInMail = Callable[[str], str]


def signed_in(client: Client) -> str | None:
    """The id of who is signed in, if anybody."""
    return client.session.get("_auth_user_id")


def make(address: str = ADDRESS, password: str | None = PASSWORD) -> User:
    """A confirmed account."""
    user = User.objects.create_user(address, password)
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user


def test_sign_up_takes_an_address_and_a_code(client: Client, code_in_mail: CodeInMail) -> None:
    answer = client.post(reverse("account_signup"), {"email": "Ada@Example.com"})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("account_email_verification_sent")
    assert signed_in(client) is None
    assert client.get(reverse("generation:create")).status_code == 302

    answer = client.post(answer["Location"], {"code": code_in_mail(ADDRESS)})
    user = User.objects.get()
    assert signed_in(client) == str(user.pk)
    assert user.email == ADDRESS
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert client.get(reverse("accounts:home")).status_code == 200


def test_sign_up_with_a_wrong_code_does_not_sign_in(client: Client, code_in_mail: CodeInMail) -> None:
    client.post(reverse("account_signup"), {"email": ADDRESS})
    right = code_in_mail(ADDRESS)
    for _ in range(3):
        client.post(reverse("account_email_verification_sent"), {"code": "BBBB-BBBB"})
    client.post(reverse("account_email_verification_sent"), {"code": right})  # too late: three tries
    assert signed_in(client) is None
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_sign_in_by_code(client: Client, code_in_mail: CodeInMail) -> None:
    user = make(password=None)
    answer = client.post(reverse("account_request_login_code"), {"email": ADDRESS})
    assert answer["Location"] == reverse("account_confirm_login_code")
    assert signed_in(client) is None
    answer = client.post(answer["Location"], {"code": code_in_mail(ADDRESS).lower().replace("-", " ")})
    assert signed_in(client) == str(user.pk)
    assert answer["Location"] == reverse("generation:create")


def test_a_code_works_in_the_browser_that_asked(client: Client, code_in_mail: CodeInMail) -> None:
    make()
    client.post(reverse("account_request_login_code"), {"email": ADDRESS})
    thief = Client()
    thief.post(reverse("account_request_login_code"), {"email": "else@example.com"})
    thief.post(reverse("account_confirm_login_code"), {"code": code_in_mail(ADDRESS)})
    assert signed_in(thief) is None


def test_wrong_codes_are_limited(client: Client, code_in_mail: CodeInMail) -> None:
    make()
    client.post(reverse("account_request_login_code"), {"email": ADDRESS})
    right = code_in_mail(ADDRESS)
    for _ in range(3):
        client.post(reverse("account_confirm_login_code"), {"code": "BBBB-BBBB"})
    client.post(reverse("account_confirm_login_code"), {"code": right})
    assert signed_in(client) is None


def test_sign_in_by_password(client: Client) -> None:
    user = make()
    answer = client.post(reverse("account_login"), {"login": ADDRESS.upper(), "password": PASSWORD})
    assert answer["Location"] == reverse("generation:create")
    assert signed_in(client) == str(user.pk)


def test_wrong_passwords_are_limited_for_the_right_one_too(client: Client) -> None:
    make()
    for _ in range(5):
        assert client.post(reverse("account_login"), {"login": ADDRESS, "password": "wrong"}).status_code == 200
    client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD}, REMOTE_ADDR="127.0.0.9")
    assert signed_in(client) is None


def test_too_many_requests_get_a_429_page() -> None:
    make()
    answers = [Client().post(reverse("account_reset_password"), {"email": ADDRESS}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert b"<html" in answers[-1].content
    assert len(mail.outbox) == 5


def test_too_many_sign_ups_from_one_machine_get_a_429_page() -> None:
    codes = [Client().post(reverse("account_signup"), {"email": f"a{n}@example.com"}).status_code for n in range(21)]
    assert codes == [302] * 20 + [429]


def test_too_many_codes_for_one_address() -> None:
    make()
    answers = [Client().post(reverse("account_request_login_code"), {"email": ADDRESS}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 200]
    assert answers[-1].context["form"].errors
    assert len(mail.outbox) == 3


def test_nobody_can_have_a_mailbox_filled_from_many_machines() -> None:
    """10 codes an hour for one address, wherever they are asked from."""
    make()
    now = time.time()
    for number in range(20):
        with mock.patch("time.time", return_value=now + 25 * number):
            Client(REMOTE_ADDR=f"10.0.0.{number}").post(reverse("account_request_login_code"), {"email": ADDRESS})
    assert len(mail.outbox) == 10


@pytest.mark.parametrize("page", ["account_request_login_code", "account_reset_password", "account_signup"])
def test_pages_do_not_tell_who_has_an_account(page: str) -> None:
    """Same answer for somebody and for nobody; the mail, which only its owner sees, tells."""
    make()
    answers = []
    for address in (ADDRESS, "nobody@example.com"):
        asked = Client()
        answer = asked.post(reverse(page), {"email": address}, follow=True)
        shown = answer.content.decode().replace(address, "ADDRESS")
        answers.append((answer.redirect_chain, answer.status_code, without_tokens(shown)))
    assert answers[0] == answers[1]
    assert len(mail.outbox) == 2


def without_tokens(page: str) -> str:
    """A page less what differs in every page."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)
    return re.sub(r"ADDRESS|[a-zA-Z0-9]{64}", "", page)


def test_wrong_password_and_unknown_address_look_the_same(client: Client) -> None:
    make()
    pages = [
        client.post(reverse("account_login"), {"login": address, "password": "wrong"}).content.decode()
        for address in (ADDRESS, "eva@example.com")
    ]
    assert without_tokens(pages[0].replace(ADDRESS, "")) == without_tokens(pages[1].replace("eva@example.com", ""))


def test_password_reset_by_code(client: Client, code_in_mail: CodeInMail) -> None:
    user = make()
    elsewhere = Client()
    elsewhere.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    assert signed_in(elsewhere)
    answer = client.post(reverse("account_reset_password"), {"email": ADDRESS})
    answer = client.post(answer["Location"], {"code": code_in_mail(ADDRESS)})
    new = "another-long-phrase-8"
    client.post(answer["Location"], {"password1": new, "password2": new})
    user.refresh_from_db()
    assert user.check_password(new)
    assert elsewhere.get(reverse("accounts:home")).status_code == 302  # sessions from before are over


@pytest.mark.parametrize("bad", ["short", "1234567890123", "password1234", "ada@example.com"])
def test_weak_passwords_are_refused(client: Client, bad: str) -> None:
    client.force_login(make(password=None))
    client.post(reverse("account_set_password"), {"password1": bad, "password2": bad})
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_never_leads_away(client: Client, next_url: str) -> None:
    make()
    answer = client.post(
        reverse("account_login"), {"login": ADDRESS, "password": PASSWORD, "next": next_url}, follow=False
    )
    assert answer["Location"] == reverse("generation:create")


def test_next_leads_on_at_home(client: Client) -> None:
    make()
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD, "next": "/history"})
    assert answer["Location"] == "/history"


def test_inactive_accounts_stay_out(client: Client, code_in_mail: CodeInMail) -> None:
    User.objects.filter(pk=make().pk).update(is_active=False)
    client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    assert signed_in(client) is None


def test_changing_the_address_waits_for_its_code(client: Client, code_in_mail: CodeInMail) -> None:
    user = make()
    client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"})
    user.refresh_from_db()
    assert user.email == ADDRESS
    client.post(reverse("account_email_verification_sent"), {"code": code_in_mail("new@example.com")})
    user.refresh_from_db()
    assert user.email == "new@example.com"


def test_cookies(client: Client) -> None:
    make()
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    session = answer.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert not session["secure"]  # this is MODE=local; test_production_settings looks at the other


def test_subjects_carry_no_prefix(client: Client) -> None:
    make()
    client.post(reverse("account_request_login_code"), {"email": ADDRESS})
    assert "[" not in mail.outbox[0].subject
