"""A browser knows an account by a name that says nothing, and goes on knowing it when the site's secret changes."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts import devices
from accounts.models import User

pytestmark = pytest.mark.django_db


def test_names_keep_accounts_and_sites_apart(owner: User, stranger: User, settings) -> None:
    (name,) = devices.names(owner)
    assert devices.names(stranger) != [name]
    assert owner.email not in name
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    assert name not in devices.names(owner)
    settings.SECRET_KEY_FALLBACKS = [old]
    new, kept = devices.names(owner)
    assert kept == name != new


def test_pages_give_the_name_of_who_is_signed_in(owner: User, stranger: User) -> None:
    pages = [reverse("generation:history"), reverse("generation:kept"), reverse("account_logout")]
    for person in (owner, stranger):
        browser = Client()
        browser.force_login(person)
        for page in pages:
            assert f'data-library="{devices.names(person)[0]}"' in browser.get(page).content.decode(), page
    for page in pages[:2]:
        assert Client().get(page).status_code == 302
