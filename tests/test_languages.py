"""Pages and mail in five languages: which one, whole, and with nothing broken by it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client
from django.utils import translation

from accounts import keys
from accounts.models import User
from accounts.security_log import send
from privacy.requests import handling, mailing
from scripts import messages
from trust import publishing
from trust.models import Document, Version

CODES = [code for code, _name in settings.LANGUAGES]
PAGES = (
    "/",
    "/pricing",
    "/providers",
    "/trust",
    "/privacy/data",
    "/verify",
    "/account/login/",
    "/privacy/requests",
    "/language",
)
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}|%s")
TAG = re.compile(r"</?\w+")
COMMA = re.compile(r'\s(?:x|y|x1|x2|y1|y2|r|width|height|d|points|value|min|max|step|data-[\w-]+)="-?\d+,\d+"')


def in_html(letter: EmailMessage) -> str:
    """A letter's other form."""
    assert isinstance(letter, EmailMultiAlternatives)
    ((html, kind),) = letter.alternatives
    assert (kind, isinstance(html, str)) == ("text/html", True)
    return str(html)


def forms(texts: Any) -> list[str]:
    """A sentence's forms, of which most have one."""
    return list(texts) if isinstance(texts, tuple | list) else [str(texts)]


def parts(text: str) -> list[str]:
    """What a translation has to leave as it is."""
    return sorted(PLACEHOLDER.findall(text) + TAG.findall(text))


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_catalogue_says_everything_and_keeps_what_is_filled_in(language: str) -> None:
    assert [message.id for message in messages.missing(language)] == []
    wrong = []
    catalogue = [message for message in messages.read(language) if message.id]
    for message in catalogue:
        ids = forms(message.id)
        said = forms(message.string)
        for text in said:
            # A singular may leave its number out, as the English one may.
            wanted = [parts(one) for one in ids]
            if parts(text) not in wanted:
                wrong.append((ids[0], text))
            if any(one[:1].isspace() != text[:1].isspace() or one[-1:].isspace() != text[-1:].isspace() for one in ids):
                wrong.append((ids[0], text))
    assert wrong == []
    assert {message.id for message in catalogue} == {message.id for message in messages.sentences() if message.id}, (
        "make messages brings them up to date"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("language", CODES)
def test_pages_are_in_the_language_that_the_browser_asks_for(client: Client, language: str) -> None:
    for path in PAGES:
        answer = client.get(path, headers={"accept-language": f"{language},en;q=0.5"})
        page = answer.content.decode()
        assert answer.status_code == 200, path
        assert f'<html lang="{language}">' in page, path
        assert COMMA.findall(page) == [], path
        with translation.override(language):
            assert translation.gettext("Skip to the content") in page, path


@pytest.mark.django_db
def test_a_choice_is_kept_on_the_device_and_for_mail(client: Client, owner: User, stranger: User) -> None:
    german = {"accept-language": "de"}
    assert '<html lang="de">' in client.get("/", headers=german).content.decode()
    assert client.get("/language").cookies.keys() <= {"csrftoken"}
    answer = client.post("/language", {"language": "fr", "next": "/pricing"}, headers=german)
    assert (answer.status_code, answer["Location"]) == (302, "/pricing")
    assert '<html lang="fr">' in client.get("/", headers=german).content.decode()
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org"):
        assert client.post("/language", {"language": "ja", "next": elsewhere})["Location"] == "/"
    assert client.post("/language", {"language": "xx"}).status_code == 200

    client.force_login(owner)
    client.post("/language", {"language": "es"})
    owner.refresh_from_db()
    stranger.refresh_from_db()
    assert (owner.language, stranger.language) == ("es", "")
    client.post("/language", {"language": "en-gb"})
    owner.refresh_from_db()
    assert owner.language == ""


@pytest.mark.django_db
def test_a_new_account_gets_its_mail_in_the_language_of_the_page(client: Client) -> None:
    client.post("/account/signup/", {"email": "neu@example.org"}, headers={"accept-language": "de"})
    (letter,) = mail.outbox
    with translation.override("de"):
        assert letter.subject == translation.gettext("Finish making your account")
    assert letter.subject != "Finish making your account"
    assert User.objects.get(email="neu@example.org").language == "de"


@pytest.mark.django_db
def test_mail_is_text_and_html_in_the_readers_language(owner: User) -> None:
    owner.language = "ja"
    owner.save()
    _key, _secret = keys.make(owner=owner, name="<b>shop</b>", scopes=["read"])
    with translation.override("de"):
        handling.ask(person=owner, right="restriction", law="eu", text="", form_key=uuid4())
    assert send() == 1
    assert mailing.sweep() >= 1
    security, letter = mail.outbox[0], mail.outbox[-1]
    html, theirs = in_html(security), in_html(letter)
    assert '<html lang="ja">' in html
    assert "&lt;b&gt;shop&lt;/b&gt;" in html
    assert "<b>shop</b>" in security.subject
    for page in (html, theirs):
        assert "<img" not in page
        assert "<script" not in page
        assert not re.search(r'(?:src|background)="|url\(', page)
    assert '<html lang="de">' in theirs


@pytest.mark.django_db
def test_documents_have_one_wording_whoever_publishes_them(client: Client) -> None:
    client.get("/privacy", headers={"accept-language": "de"})  # publishes it
    page = client.get("/privacy?lang=en", headers={"accept-language": "de"}).content.decode()
    assert '<div class="prose" lang="en-gb"><h1 id="privacy-policy">Privacy policy</h1>' in page
    version = Version.objects.get(document=Document.PRIVACY)
    with translation.override(settings.LANGUAGE_CODE):
        assert version.text == publishing.rendered(Document.PRIVACY, version.published_at)[0]


def test_what_is_compiled_is_what_is_written() -> None:
    for language in messages.LANGUAGES:
        compiled = Path(messages.catalogue(language)).with_suffix(".mo")
        assert compiled.exists(), "python3 scripts/prepare.py run compiles it"
