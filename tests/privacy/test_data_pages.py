"""What is held, for everybody to read; and one's own copy, for nobody but oneself, who has just proven it."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from unittest import mock
from zipfile import ZipFile

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from privacy import datamap, export
from privacy.datamap import Basis
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counters() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def signed() -> Client:
    """A browser in which the owner, who has a password, is signed in, and has proven it again just now."""
    make()
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


def emails(answer: object) -> list[str]:
    content: bytes = answer.content  # type: ignore[attr-defined]  # a response
    with ZipFile(io.BytesIO(content)) as zipped:
        return [row["email"] for row in json.loads(zipped.read("json/accounts.user.json"))]


def test_everybody_reads_what_is_held(client: Client) -> None:
    answer = client.get(reverse("privacy:data"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert reverse("privacy:data") == "/privacy/data"
    assert len(answer.content) < 100_000
    for holding in datamap.held():
        assert str(holding.title) in page
        if holding.basis is not Basis.NONE:
            for line in holding.lines():
                assert str(line.what) in page
                assert line.period.words in page
    assert "<script" not in page.replace('<script type="module" src="/static/dist/site.js"></script>', "")
    assert "your legitimate interest" not in page


def test_the_page_names_companies_that_receive_photos(client: Client, settings) -> None:
    assert "Meshy" not in client.get("/privacy/data").content.decode()
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "test-key", "MESHY_URL": "http://127.0.0.1:9"}
    settings.PROVIDERS = ["meshy", "embedded"]
    assert "Meshy (Meshy LLC" in client.get("/privacy/data").content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_reading_is_all_that_can_be_done(client: Client, method: str) -> None:
    assert getattr(client, method)("/privacy/data").status_code == 405
    assert getattr(client, method)("/account/data").status_code == 405


def test_it_is_linked_from_every_foot_and_from_the_account(signed: Client) -> None:
    page = signed.get(reverse("accounts:home")).content.decode()
    assert 'href="/privacy/data"' in page
    assert 'href="/account/data"' in page


def test_ones_own_page_says_what_the_copy_will_hold(signed: Client) -> None:
    answer = signed.get(reverse("privacy:own"))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    page = answer.content.decode()
    assert {part.file for part in answer.context["parts"]} >= {"accounts.user", "account.emailaddress"}
    assert all(part.rows for part in answer.context["parts"])
    assert "Movements of credits" in [str(title) for title in answer.context["nothing_of"]]
    assert "Save my data" in page


def test_the_copy(signed: Client, stranger: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = signed.post(reverse("privacy:copy"))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert emails(answer) == [ADDRESS]
    told = [record for record in caplog.records if record.name == "privacy.export"]
    assert [record.getMessage() for record in told] == ["an export was made"]
    usual = vars(logging.makeLogRecord({}))
    assert {name for name in vars(told[0]) if name not in usual} - {"message", "asctime"} == {"count"}
    assert ADDRESS not in caplog.text


def test_another_customer_gets_their_own(signed: Client, stranger: User) -> None:
    """There is no way to name somebody else."""
    other = Client()
    other.force_login(stranger)  # without a password, there is nothing to prove
    for more in ("", f"?user={User.objects.get(email=ADDRESS).pk}"):
        assert emails(other.post(reverse("privacy:copy") + more, {"user": "1"})) == [stranger.email]
    assert ADDRESS not in other.get(reverse("privacy:own")).content.decode()


@pytest.mark.parametrize("page", ["privacy:own", "privacy:confirm"])
def test_anonymous_visitors_are_sent_to_sign_in(client: Client, page: str) -> None:
    answer = client.get(reverse(page))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert client.post(reverse("privacy:copy"))["Location"].startswith(reverse("account_login"))


def test_a_copy_cannot_be_had_by_a_link(signed: Client) -> None:
    assert signed.get(reverse("privacy:copy")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed.cookies
    assert strict.post(reverse("privacy:copy")).status_code == 403


def test_who_has_not_proven_it_lately_is_asked() -> None:
    """And comes back to the page, from where the copy is then saved."""
    make()
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    page = browser.get(reverse("privacy:own"))
    assert page.context["confirm_first"]
    assert "Save my data" not in page.content.decode()
    refused = browser.post(reverse("privacy:copy"))
    assert refused.status_code == 302
    assert refused["Location"].startswith(reverse("account_reauthenticate"))

    asked = browser.get(reverse("privacy:confirm"))
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    wrong = browser.post(asked["Location"], {"password": "not it"})
    assert wrong.status_code == 200
    back = browser.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert back.redirect_chain[-1][0] == reverse("privacy:own")
    assert not back.context["confirm_first"]
    assert emails(browser.post(reverse("privacy:copy"))) == [ADDRESS]

    with mock.patch("time.time", return_value=time.time() + 3600):
        assert browser.post(reverse("privacy:copy"))["Location"].startswith(reverse("account_reauthenticate"))


def test_a_passkey_alone_is_asked_for_too(owner: User, client: Client) -> None:
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client.force_login(owner)
    assert client.post(reverse("privacy:copy"))["Location"].startswith(reverse("mfa_reauthenticate"))


def test_not_all_day(signed: Client, stranger: User) -> None:
    answers = [signed.post(reverse("privacy:copy")).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    other = Client()
    other.force_login(stranger)
    assert other.post(reverse("privacy:copy")).status_code == 200


def test_too_much_is_said(signed: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "LARGEST", 100)
    answer = signed.post(reverse("privacy:copy"), follow=True)
    assert answer.redirect_chain == [(reverse("privacy:own"), 302)]
    assert "too much for one file" in answer.content.decode()
