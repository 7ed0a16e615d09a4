"""Pages of our documents: what holds, what is coming, every version, what changed; the same for everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from trust.models import Document, Version

BELOW = ("", "/versions", "/versions/1", "/difference")
PAGES = [f"/{document}{rest}" for document in Document.values for rest in BELOW]
OTHERS = ["/faq", "/about", "/contact", "/contact/sent"]


@pytest.mark.parametrize("path", PAGES + OTHERS)
def test_everybody_may_read(path: str, client: Client, browser: Client, stranger: User) -> None:
    client.get("/" + path.split("/")[1])  # the first version is there
    others = Client()
    others.force_login(stranger)
    for one in (client, browser, others):
        page = one.get(path)
        assert page.status_code == 200
        assert len(page.content) < 100_000
        assert " style=" not in page.content.decode()
    if path not in ("/contact",):
        assert client.post(path).status_code == 405


def test_what_holds_and_what_is_coming(client: Client, change) -> None:
    change("terms", days=-50, text="# Terms\n\nFirst words.\n", summary="One.")
    change("terms", days=-20, text="# Terms\n\nSecond words.\n", summary="Two.")
    change("terms", days=20, text="# Terms\n\nThird words.\n", summary="Three.")
    day = (timezone.now() + timedelta(days=20)).strftime("%-d %B %Y")

    page = client.get("/terms").content.decode()
    assert "Second words." in page
    assert f"Version 3 takes effect on {day}." in page
    assert "Three." in page
    assert "Third words." not in page
    old, coming = client.get("/terms/versions/1"), client.get("/terms/versions/3")
    assert "First words." in old.content.decode()
    assert "This is version 1, which no longer holds." in old.content.decode()
    assert f"This is version 3. It takes effect on {day}." in coming.content.decode()

    listed = client.get("/terms/versions").content.decode()
    assert listed.index("Version 3") < listed.index("Version 2") < listed.index("Version 1")
    assert listed.count("in force since") == 1


def test_what_changed(client: Client, change) -> None:
    change("terms", days=-50, text="# Terms\n\nA model costs one credit.\n")
    change("terms", days=-20, text="# Terms\n\nA model costs two credits.\n")
    change("terms", days=20, text="# Terms\n\nA model costs two credits.\n\nMore.\n")
    page = client.get("/terms/difference?from=1&to=2").content.decode()
    assert "</span> one credit.<span" in page
    assert "[removed:" in page
    assert "</span> two credits.<span" in page
    assert "</span>More.<span" in client.get("/terms/difference").content.decode()  # the last against the one before
    backwards = client.get("/terms/difference?from=3&to=1").content.decode()
    assert "From version 3 to version 1" in backwards
    assert "Nothing changed" not in backwards
    assert "unchanged" in client.get("/terms/difference?from=2&to=2").content.decode()


@pytest.mark.parametrize("query", ["from=1&to=9", "from=x&to=1", "from=-1", "to=1e9", "from=9999999999", "to=²"])
def test_a_version_that_there_is_not(client: Client, change, query: str) -> None:
    change("terms", days=-1)
    answer = client.get(f"/terms/difference?{query}")
    assert answer.status_code == 404
    assert "There is no such version" in answer.content.decode()


@pytest.mark.parametrize("path", ["/terms/versions/9", "/terms/versions/0", "/terms/versions/x", "/term", "/privacy/x"])
def test_an_address_of_nothing(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_list_says_when_it_was_overtaken(client: Client, settings) -> None:
    settings.PROVIDERS = ["embedded"]
    assert "may receive photos now" not in client.get("/sub-processors").content.decode()
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["embedded", "meshy"], {"MESHY_API_KEY": "x"}
    said = client.get("/sub-processors").content.decode()
    assert "Not in the version that holds, and yet it may receive photos now: Meshy." in said


def test_a_version_is_shown_to_the_letter_whatever_the_settings_say_now(client: Client, settings) -> None:
    settings.OPERATOR_NAME = "Example GmbH"
    client.get("/terms")
    settings.OPERATOR_NAME = "Somebody Else"
    assert "Example GmbH" in client.get("/terms").content.decode()
    assert Version.objects.of("terms").count() == 1


def test_they_are_linked_from_every_foot_and_from_trust(client: Client) -> None:
    for path in ("/", "/trust"):
        page = client.get(path).content.decode()
        for name in (*Document.values, "faq", "about", "contact"):
            assert f'href="/{name}"' in page


def test_what_is_asked_follows_the_settings(client: Client, settings) -> None:
    settings.BILLING = False
    assert "Nothing is for sale here." in client.get("/faq").content.decode()
    settings.OPERATOR_NAME = "Example GmbH"
    assert "Example GmbH" in client.get("/about").content.decode()
