"""A sign-in link lets one holder in, once, for an hour, on a laptop."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import signing
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts import signin_links
from accounts.models import User
from tests.accounts.test_signing_in import signed_in

ADDRESS = "demo@example.com"


def printed(*arguments: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("signin_link", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def path(settings: Any) -> str:
    """A fresh link's path, for a new account."""
    link = printed(ADDRESS, "--create")
    assert link.startswith(settings.SITE_URL + "/in/")
    assert link.count("\n") == 1
    assert ADDRESS not in link
    return link.removeprefix(settings.SITE_URL).strip()


def test_looking_uses_nothing_up_and_the_button_signs_in(client: Client, path: str) -> None:
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert ADDRESS not in page.content.decode()
        assert "no-store" in page["Cache-Control"]
    assert signed_in(client) is None
    answer = client.post(path)
    assert answer["Location"] == reverse("generation:create")
    assert signed_in(client) == str(User.objects.get(email=ADDRESS).pk)
    assert UserSession.objects.filter(user__email=ADDRESS).count() == 1


def test_it_works_once(client: Client, path: str) -> None:
    client.post(path)
    late = Client()
    assert late.get(path).status_code == 410
    assert late.post(path).status_code == 410
    assert signed_in(late) is None


def test_of_two_at_once_one_gets_in(path: str) -> None:
    token = path.removeprefix("/in/")
    holder = signin_links.holder(token)
    with mock.patch("accounts.signin_links.holder", return_value=holder):  # both looked before either took it
        assert [signin_links.use(token) is not None for _ in range(2)] == [True, False]


def test_any_other_sign_in_kills_it(client: Client, path: str) -> None:
    Client().force_login(User.objects.get(email=ADDRESS))
    assert client.post(path).status_code == 410
    assert signed_in(client) is None


def test_it_dies_of_age(client: Client, path: str) -> None:
    with mock.patch("django.core.signing.time.time", return_value=time.time() + 3601):
        assert client.get(path).status_code == 410
        assert client.post(path).status_code == 410
    assert timedelta(seconds=3600) == signin_links.LIFE
    assert client.get(path).status_code == 200


def test_inactive_accounts_stay_out(client: Client, path: str) -> None:
    User.objects.update(is_active=False)
    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410
    with pytest.raises(CommandError):
        printed(ADDRESS)


def test_altered_links(client: Client, path: str) -> None:
    other = User.objects.create_user("other@example.com")
    forged = signing.dumps({"user": other.pk, "last": None}, salt="another purpose")
    for bad in (path + "x", path[:-1], "/in/nothing", f"/in/{forged}"):
        assert client.post(bad).status_code == 410
    assert signed_in(client) is None


def test_a_second_link_for_the_same_account(client: Client, path: str) -> None:
    client.post(path)
    again = printed(ADDRESS, "--create").rsplit("/in/")[1].strip()
    assert User.objects.filter(email=ADDRESS).count() == 1
    assert EmailAddress.objects.get(email=ADDRESS).verified
    fresh = Client()
    fresh.post(f"/in/{again}")
    assert signed_in(fresh)


def test_the_button_needs_its_csrf_token(path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(path).status_code == 403
    assert signed_in(strict) is None


@pytest.mark.parametrize("arguments", [("nobody@example.com",), ("not an address", "--create")])
def test_the_command_refuses(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        printed(*arguments)
    assert not User.objects.exists()


def test_the_command_refuses_in_production(settings: Any) -> None:
    settings.LOCAL = False
    with pytest.raises(CommandError, match="MODE=local"):
        printed(ADDRESS, "--create")
