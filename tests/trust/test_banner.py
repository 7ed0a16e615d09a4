"""A note of each change on every page of an account, until it is put away; and what was shown is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from trust import publishing
from trust.models import Shown


def other(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_it_is_shown_until_it_is_put_away(browser: Client, owner: User, stranger: User, client: Client, change) -> None:
    version = change("privacy", summary="We hold diaries, too.")
    for path in ("/billing", "/history", "/account/"):
        page = browser.get(path).content.decode()
        assert "We hold diaries, too." in page
        assert f'name="version" value="{version.pk}"' in page
    assert "We hold diaries, too." not in client.get("/pricing").content.decode()
    row = Shown.objects.get(how="banner")
    assert (row.account, row.version, row.dismissed_at) == (owner, version, None)

    put_away = reverse("trust:put_away")
    theirs = other(stranger)
    assert theirs.post(put_away, {"version": version.pk}).status_code == 302
    assert "We hold diaries, too." in theirs.get("/billing").content.decode()  # it was not shown to them before
    assert client.post(put_away, {"version": version.pk})["Location"].startswith("/account/login/")
    assert "We hold diaries, too." in browser.get("/billing").content.decode()

    answer = browser.post(put_away, {"version": [version.pk, "x", "9" * 30], "back": "/history?page=2"})
    assert answer["Location"] == "/history?page=2"
    assert "We hold diaries, too." not in browser.get("/billing").content.decode()
    assert "We hold diaries, too." in theirs.get("/billing").content.decode()
    assert Shown.objects.get(account=owner, how="banner").dismissed_at is not None


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_it_leads_nowhere_else(browser: Client, change, back: str) -> None:
    assert browser.post(reverse("trust:put_away"), {"back": back})["Location"] == "/"
    assert browser.get(reverse("trust:put_away")).status_code == 405


def test_a_change_that_came_meanwhile_stays(browser: Client, change) -> None:
    first = change("privacy", summary="First thing.")
    browser.get("/billing")
    change("terms", summary="Second thing.")
    browser.post(reverse("trust:put_away"), {"version": first.pk})
    page = browser.get("/billing").content.decode()
    assert "First thing." not in page
    assert "Second thing." in page


def test_after_a_while_in_force_it_goes_by_itself(browser: Client, change) -> None:
    change("privacy", days=-40, summary="Long ago.")
    change("terms", days=-10, summary="Lately.")
    User.objects.update(date_joined=timezone.now() - timedelta(days=100))
    page = browser.get("/billing").content.decode()
    assert "Long ago." not in page
    assert "Lately." in page


def test_whoever_came_after_it_took_effect_was_told_when_signing_up(browser: Client, owner: User, change) -> None:
    change("terms", days=-10, summary="Lately.")
    User.objects.update(date_joined=timezone.now() - timedelta(days=9))
    assert "Lately." not in browser.get("/billing").content.decode()


def test_a_page_asks_once_at_most(browser: Client, change, django_assert_max_num_queries) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser.get("/history")
    with CaptureQueriesContext(
        connection,
    ) as without:
        browser.get("/history")
    change("privacy")
    browser.get("/history")
    with CaptureQueriesContext(connection) as shown:
        browser.get("/history")
    assert len(shown) == len(without) + 1
    assert not [query for query in without if "trust_" in query["sql"]]


def test_without_a_cache(browser: Client, change, settings) -> None:
    change("privacy", summary="We hold diaries, too.")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere/x.sock"}
    }
    assert len(publishing.changes()) == 1
    publishing.forget_changes()


def test_signing_up_says_what_holds_and_writes_it_down(client: Client, settings) -> None:
    page = client.get("/account/signup/").content.decode()
    assert 'href="/terms"' in page
    assert "Privacy policy, version 1" in page
    assert client.post("/account/signup/", {"email": "new@example.org"}).status_code == 302
    rows = Shown.objects.filter(account__email="new@example.org", how="sign_up").order_by("version__document")
    assert [(row.version.document, row.version.number) for row in rows] == [("privacy", 1), ("terms", 1)]
    assert all(row.at for row in rows)
    # Somebody who has an account already gets no second one, and nothing is written about them.
    User.objects.create_user("old@example.org")
    client.post("/account/signup/", {"email": "old@example.org"})
    assert not Shown.objects.filter(account__email="old@example.org").exists()


def test_the_page_of_a_document_is_written_down_once(browser: Client, owner: User, client: Client) -> None:
    client.get("/terms")
    assert not Shown.objects.exists()
    browser.get("/terms")
    first = Shown.objects.get().at
    browser.get("/terms")
    row = Shown.objects.get()
    assert (row.account, row.how, row.at) == (owner, "page", first)
