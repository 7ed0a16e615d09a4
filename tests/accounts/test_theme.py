"""Colours of pages: of an account wherever it is signed in, of a visitor on one device; written in by the server."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import User
from tests.accounts.test_overview import states_of

pytestmark = pytest.mark.django_db


def drawn(browser: Client, path: str = "/") -> tuple[str, str]:
    """What ``<html>`` says of a page's theme, and what the browser is told to draw its own parts in."""
    page = browser.get(path).content.decode()
    (tag,) = re.findall(r"<html[^>]*>", page)
    (scheme,) = re.findall(r'<meta name="color-scheme" content="([^"]*)">', page)
    return next(iter(re.findall(r'data-theme="(\w+)"', tag)), ""), scheme


def test_a_visitor_has_it_on_the_device(client: Client) -> None:
    assert drawn(client) == ("", "light dark")
    assert client.get("/theme").cookies.keys() <= {"csrftoken"}
    answer = client.post("/theme", {"theme": "dark", "next": "/pricing"})
    assert (answer.status_code, answer["Location"]) == (302, "/pricing")
    cookie = answer.cookies["theme"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("dark", True, "Lax")
    assert drawn(client) == drawn(client, "/account/login/") == ("dark", "dark")
    client.post("/theme", {"theme": "contrast"})
    assert drawn(client) == ("contrast", "light")
    for nonsense in ("", "device dark", '"><script>', "\x00"):
        assert client.post("/theme", {"theme": nonsense}).status_code == 200
    assert drawn(client) == ("contrast", "light")
    assert client.post("/theme", {"theme": "light", "next": "https://example.org/"})["Location"] == "/"
    client.post("/theme", {"theme": "device"})
    assert not client.cookies["theme"].value
    assert drawn(client) == ("", "light dark")


def test_a_cookie_that_nobody_set_changes_nothing(client: Client) -> None:
    client.cookies["theme"] = '"><b>'
    assert drawn(client) == ("", "light dark")


def test_an_account_has_it_wherever_it_is_signed_in(owner: User, stranger: User) -> None:
    here, elsewhere, other = Client(), Client(), Client()
    for browser, person in ((here, owner), (elsewhere, owner), (other, stranger)):
        browser.force_login(person)
    here.post("/theme", {"theme": "dark"})
    assert drawn(here) == drawn(elsewhere) == drawn(elsewhere, "/account/") == ("dark", "dark")
    assert drawn(other) == ("", "light dark")
    assert states_of(elsewhere)["Colours"] == "Dark"

    # What the account says goes before what a visitor chose on the device; without a word of it, that holds.
    visitor = Client()
    visitor.post("/theme", {"theme": "light"})
    visitor.force_login(stranger)
    assert drawn(visitor) == ("light", "light")
    visitor.force_login(owner)
    assert drawn(visitor) == ("dark", "dark")
    here.post("/theme", {"theme": "device"})
    assert drawn(elsewhere) == ("", "light dark")
    assert drawn(visitor) == ("", "light dark")
    owner.refresh_from_db()
    assert owner.theme == "device"
