"""Operators end one person's sessions, or everybody's; nobody else does, and it is written down who did."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make, signed_in

pytestmark = pytest.mark.django_db
FORM = "/operators/sessions/"


def browser(address: str) -> Client:
    """Where somebody has signed in by password."""
    client = Client()
    client.post("/account/login/", {"login": address, "password": PASSWORD})
    assert signed_in(client)
    return client


@pytest.fixture
def desk() -> Client:
    make("operator@example.com")
    User.objects.filter(email="operator@example.com").update(is_staff=True)
    return browser("operator@example.com")


def at_home(client: Client) -> bool:
    """Whether that browser is still signed in."""
    return client.get("/account/").status_code == 200


def test_one_persons_sessions_end_and_no_others(desk: Client) -> None:
    owner, other = make(), make("other@example.com")
    mine, theirs = [browser(ADDRESS), browser(ADDRESS)], browser("other@example.com")
    assert desk.post(FORM, {"whose": "one", "account": "nobody@example.com"}).status_code == 422
    assert at_home(theirs)
    answer = desk.post(FORM, {"whose": "one", "account": ADDRESS.upper()}, follow=True)
    assert "2 sessions ended." in answer.content.decode()
    assert not any(map(at_home, mine))
    assert at_home(theirs)
    assert at_home(desk)
    said = LogEntry.objects.get()
    assert (said.object_id, said.object_repr) == (str(owner.pk), f"account {owner.pk}")

    desk.post(FORM, {"whose": "one", "account": str(other.pk)})
    assert not at_home(theirs)


def test_everybodys_sessions_end(desk: Client) -> None:
    make()
    mine = browser(ADDRESS)
    assert desk.post(FORM, {"whose": "all"}).status_code == 302
    assert not Session.objects.exists()
    assert not at_home(mine)
    assert LogEntry.objects.get().object_repr == "every account"


def test_nobody_else_ends_anything() -> None:
    make()
    mine = browser(ADDRESS)
    for client in (mine, Client()):
        client.post(FORM, {"whose": "all"})
        assert client.get(FORM, follow=True).status_code in (200, 403)
        assert b"End sessions" not in client.get(FORM, follow=True).content
    assert at_home(mine)
    assert not LogEntry.objects.exists()


def test_whoever_changes_a_way_in_is_offered_to_end_the_others() -> None:
    make()
    mine, elsewhere = browser(ADDRESS), browser(ADDRESS)
    for page in ("/account/2fa/", "/account/2fa/webauthn/"):
        assert 'action="/account/sessions/"' in mine.get(page).content.decode(), page
    mine.post("/account/sessions/")
    assert at_home(mine)
    assert not at_home(elsewhere)
