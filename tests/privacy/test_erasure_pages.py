"""Asking for an erasure, undoing it, reading its page: by its owner, another customer, and an anonymous visitor."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing import ledger
from privacy import erasure, receipts
from privacy.models import Erasure
from privacy.tasks import erase, tend_log
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make, signed_in
from tests.environment import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counters() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def sign_in(*, proven: bool = True) -> Client:
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    if proven:
        browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


def of(user: User) -> Client:
    """A browser of somebody who has no password: there is nothing to prove once more."""
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def browser() -> Client:
    return of(make(password=None))


@pytest.fixture
def others(browser: Client) -> Client:
    return of(make("other@example.com", None))


def ask(browser: Client, when: str = "later", address: str = ADDRESS) -> str:
    """The address of the page that asking leads to."""
    answer = browser.post(reverse("privacy:erase_ask"), {"when": when, "address": address})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_the_page_says_what_goes_and_what_stays() -> None:
    make()
    browser = sign_in()
    ledger.balance(User.objects.get())
    answer = browser.get(reverse("privacy:erase"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert len(answer.content) < 100_000
    assert {str(fate.holding.title): fate.rows for fate in answer.context["goes"]} == {
        "Sessions": 1, "Where you are signed in": 1, "E-mail addresses": 1,
    }  # fmt: skip
    stays = [line for group in answer.context["stays"] for line in group["lines"]]
    assert {line["table"]: line["rows"] for line in stays} == {
        "billing.LedgerAccount": 2, "billing.Transaction": 1, "billing.Entry": 2, "accounts.User": 1,
    }  # fmt: skip
    assert "10 credits are lost" in page
    assert "Emptied of: email, password, date_joined, last_login" in page
    assert "10 years after the end of the year" in page
    assert 'name="when" value="later" checked' in page


def test_asking_undoing_and_asking_again(browser: Client, tmp_path: Path) -> None:
    page = ask(browser)
    waiting = browser.get(page)
    assert "The account will be erased" in waiting.content.decode()
    assert 'http-equiv="refresh"' not in waiting.content.decode()
    home = browser.get(reverse("accounts:home")).content.decode()
    assert "This account will be erased on" in home
    assert page in mail.outbox[0].body
    assert browser.get(reverse("privacy:erase")).context["row"].token in page

    undone = browser.post(reverse("privacy:erase_undo"), follow=True)
    assert "Undone. Your account stays" in undone.content.decode()
    assert "This account will be erased on" not in undone.content.decode()
    assert browser.get(page).status_code == 404
    assert browser.post(reverse("privacy:erase_undo"), follow=True).status_code == 200

    page = ask(browser, "now")
    assert signed_in(browser) is None
    assert "is being erased" in browser.get(page).content.decode()
    assert 'http-equiv="refresh"' in browser.get(page).content.decode()
    assert browser.get(page + "/certificate.json").status_code == 404
    erase(str(Erasure.objects.get().pk))
    assert not User.objects.filter(email=ADDRESS).exists()
    done = browser.get(page)
    assert "The account is erased" in done.content.decode()
    assert "The public log has it in some minutes" in done.content.decode()
    tend_log()
    assert "The public log has it in some minutes" not in browser.get(page).content.decode()

    file = browser.get(page + "/certificate.json")
    assert file["Content-Type"] == "application/json"
    assert re.fullmatch(r'attachment; filename="erasure-[0-9a-f]{8}\.json"', file["Content-Disposition"])
    found = receipts.verify(file.content)
    assert (found.ok, found.logged) == (True, True)
    assert ADDRESS not in file.content.decode()
    assert json.loads(file.content)["receipt"]["format"] == "modelmyimage-erasure/1"
    document, keys = tmp_path / "certificate.json", tmp_path / "keys.json"
    document.write_bytes(file.content)
    keys.write_bytes(browser.get(reverse("privacy:keys")).content)
    verifier = [sys.executable, str(ROOT / "verifier" / "verify.py"), str(document), "--keys", str(keys)]
    subprocess.run(verifier, check=True, capture_output=True)
    document.write_bytes(file.content.replace(b'"rows":1,', b'"rows":2,', 1))
    assert subprocess.run(verifier, check=False, capture_output=True).returncode == 1
    shown = browser.post(reverse("privacy:verify"), {"document": file.content.decode()}).content.decode()
    assert "This receipt holds" in shown


def test_at_once_after_all(browser: Client) -> None:
    """What waits can be brought forward, not put off."""
    page = ask(browser)
    before = Erasure.objects.get().runs_at
    assert ask(browser) == page
    assert Erasure.objects.get().runs_at == before
    assert ask(browser, "now") == page
    assert Erasure.objects.get().runs_at < before - timedelta(days=6)


def test_others_cannot_undo_it_and_read_it_only_by_its_address(browser: Client, others: Client) -> None:
    page = ask(browser)
    anonymous = Client()
    for visitor in (others, anonymous):
        assert "The account will be erased" in visitor.get(page).content.decode()
        assert "Sign in to undo it" in visitor.get(page).content.decode()
        assert ADDRESS not in visitor.get(page).content.decode()
        visitor.post(reverse("privacy:erase_undo"))
    assert Erasure.objects.count() == 1
    for path in ("/erasure/x", "/erasure/" + "A" * 43, "/erasure/x/certificate.json", "/erasure/%00", "/erasure/%ff"):
        for visitor in (browser, others, anonymous):
            assert visitor.get(path).status_code == 404, path
    assert others.get(reverse("privacy:erase")).context["row"] is None


@pytest.mark.parametrize("name", ["erase", "erase_confirm", "erase_ask", "erase_undo"])
def test_anonymous_visitors_are_sent_to_sign_in(client: Client, name: str) -> None:
    method = client.post if name in ("erase_ask", "erase_undo") else client.get
    answer = method(reverse(f"privacy:{name}"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_it_cannot_be_had_by_a_link_or_from_another_site(browser: Client) -> None:
    assert browser.get(reverse("privacy:erase_ask")).status_code == 405
    assert browser.get(reverse("privacy:erase_undo")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    answer = strict.post(reverse("privacy:erase_ask"), {"when": "now", "address": ADDRESS})
    assert answer.status_code == 403
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("address", ["", "other@example.com", ADDRESS + "x", "\x00"])
def test_another_address_is_refused_and_nothing_is_lost(browser: Client, address: str) -> None:
    answer = browser.post(reverse("privacy:erase_ask"), {"when": "now", "address": address})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "That is not the address of this account" in page
    assert 'aria-describedby="address-error"' in page
    assert 'name="when" value="now" checked' in page
    assert not Erasure.objects.exists()


def test_the_address_may_be_written_otherwise_and_a_strange_choice_is_the_slow_one(browser: Client) -> None:
    ask(browser, "never", f"  {ADDRESS.upper()} ")
    assert Erasure.objects.get().state == "waiting"


def test_who_has_not_proven_it_lately_is_asked() -> None:
    make()
    browser = sign_in(proven=False)
    page = browser.get(reverse("privacy:erase")).content.decode()
    assert "Confirm that it is you" in page
    assert "id_address" not in page
    answer = browser.post(reverse("privacy:erase_ask"), {"when": "now", "address": ADDRESS})
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert not Erasure.objects.exists()
    asked = browser.get(reverse("privacy:erase_confirm"))
    back = browser.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert back.redirect_chain[-1][0] == reverse("privacy:erase")
    assert "id_address" in back.content.decode()
    with mock.patch("time.time", return_value=time.time() + 3600):
        late = browser.post(reverse("privacy:erase_ask"), {"when": "now", "address": ADDRESS})
        assert late["Location"].startswith(reverse("account_reauthenticate"))


def test_not_all_day(browser: Client) -> None:
    for _ in range(5):
        ask(browser)
        browser.post(reverse("privacy:erase_undo"))
    assert browser.post(reverse("privacy:erase_ask"), {"when": "now", "address": ADDRESS}).status_code == 429
    assert not Erasure.objects.exists()


def test_the_only_operator_is_told(browser: Client) -> None:
    User.objects.update(is_superuser=True, is_staff=True)
    assert "This is the only account" in browser.get(reverse("privacy:erase")).content.decode()
    answer = browser.post(reverse("privacy:erase_ask"), {"when": "now", "address": ADDRESS})
    assert answer.status_code == 409
    assert "This is the only account" in answer.content.decode()
    assert not Erasure.objects.exists()


def test_nobody_signs_in_any_more_and_the_address_is_free_again() -> None:
    make()
    browser, elsewhere = sign_in(), sign_in(proven=False)
    first = User.objects.get().pk
    ledger.balance(User.objects.get())
    ask(browser, "now")
    row = Erasure.objects.get()
    erase(str(row.pk))
    assert elsewhere.get(reverse("accounts:home")).status_code == 302
    assert signed_in(sign_in(proven=False)) is None
    again = make()
    assert again.pk != first
    assert signed_in(sign_in(proven=False)) == str(again.pk)
    assert ledger.balance(again).available == 10


def test_a_photo_that_was_under_way_is_not_taken(owner: User) -> None:
    from uuid import uuid4

    from generation import intake
    from privacy import vault
    from privacy.models import Blob
    from tests.generation.conftest import photo

    upload = vault.seal([photo()], kind="upload", group=uuid4(), limit=20_000_000)
    User.objects.update(is_active=False)
    wishes = intake.Wishes(quality="draft", keep_minutes=60)
    with pytest.raises(intake.NotAccepted, match="account_closed"):
        intake.receive(owner=owner, uploads={"front": upload.pk}, wishes=wishes, request_key=uuid4())
    assert not Blob.objects.open().exists()


def test_the_command(owner: User) -> None:
    out = StringIO()
    call_command("erase_account", "OWNER@example.com", stdout=out)
    row = Erasure.objects.get()
    assert f"/erasure/{row.token}" in out.getvalue()
    assert row.runs_at - row.requested_at == erasure.GRACE
    call_command("erase_account", owner.email, "--now", stdout=out)
    erase(str(row.pk))
    assert not User.objects.filter(email=owner.email).exists()
    with pytest.raises(CommandError, match="There is no account"):
        call_command("erase_account", owner.email)
    operator = User.objects.create_superuser("only@example.com")
    with pytest.raises(CommandError, match="only account"):
        call_command("erase_account", operator.email)
