"""A message reaches the operator by mail or comes back whole; it is stored nowhere, and no header is the visitor's."""

from __future__ import annotations

import logging
from smtplib import SMTPServerDisconnected
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from trust import contact

GOOD = {"topic": "job", "email": "visitor@example.org", "words": "My model <b>has</b> no back.\nWhy?"}


@pytest.fixture(autouse=True)
def address(settings) -> None:
    settings.CONTACT_EMAIL = "hello@models.example"


def rows() -> int:
    return sum(model._default_manager.count() for model in apps.get_models(include_auto_created=True))


def test_it_is_mailed_and_kept_nowhere(client: Client) -> None:
    before = rows()
    answer = client.post("/contact", GOOD)
    assert answer["Location"] == "/contact/sent"
    (sent,) = mail.outbox
    assert (sent.to, sent.reply_to) == (["hello@models.example"], ["visitor@example.org"])
    assert sent.subject == "ModelMyImage: A photo, a model or a job"
    assert sent.body == GOOD["words"]
    assert "visitor@example.org" not in str(sent.from_email)
    assert rows() == before
    assert set(client.cookies) <= {"csrftoken"}


def test_who_is_signed_in_need_not_type_their_address(browser: Client, owner: User) -> None:
    assert f'value="{owner.email}"' in browser.get("/contact").content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"topic": ""}, "Choose a topic."),
        ({"topic": "nonsense"}, "Choose one of these topics."),
        ({"email": ""}, "Without an address nobody can answer."),
        ({"email": "nobody"}, "This is not an e-mail address."),
        ({"email": "a@example.org\r\nBcc: everybody@example.org"}, "This is not an e-mail address."),
        ({"email": "a@example.org, b@example.org"}, "This is not an e-mail address."),
        ({"words": "  "}, "Say what it is about."),
        ({"words": "x" * 5001}, "At most 5000 characters."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_lost(client: Client, change: dict[str, str], said: str) -> None:
    answer = client.post("/contact", GOOD | change)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    if "words" not in change:
        assert "My model &lt;b&gt;has&lt;/b&gt; no back." in page
    assert mail.outbox == []


@pytest.mark.parametrize("error", [SMTPServerDisconnected("words of it"), OSError("words of it")])
def test_a_mail_server_that_is_down_loses_nothing(client: Client, error: Exception, caplog: Any) -> None:
    with mock.patch.object(EmailMessage, "send", side_effect=error), caplog.at_level(logging.INFO):
        answer = client.post("/contact", GOOD)
    assert answer.status_code == 503
    page = answer.content.decode()
    assert "Your words are still here" in page
    assert "no back." in page
    assert "visitor@example.org" in page
    assert "words of it" not in caplog.text
    assert "visitor" not in caplog.text


def test_too_many_are_not_sent_and_not_lost(client: Client, settings) -> None:
    for _ in range(5):
        assert client.post("/contact", GOOD).status_code == 302
    answer = client.post("/contact", GOOD)
    assert answer.status_code == 429
    assert "no back." in answer.content.decode()
    assert len(mail.outbox) == 5


def test_words_are_never_a_header(client: Client) -> None:
    client.post("/contact", GOOD | {"words": "x\r\nBcc: everybody@example.org"})
    (sent,) = mail.outbox
    message = sent.message()
    assert "Bcc" not in message
    assert sent.recipients() == ["hello@models.example"]


def test_without_an_address_there_is_no_form(client: Client, settings) -> None:
    settings.CONTACT_EMAIL = ""
    page = client.get("/contact").content.decode()
    assert "No address has been set up" in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    assert client.post("/contact", GOOD).status_code == 200
    assert mail.outbox == []
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS = "Example GmbH", "Street 1"
    assert "Example GmbH" in client.get("/contact").content.decode()


def test_another_site_cannot_send_it() -> None:
    assert Client(enforce_csrf_checks=True).post("/contact", GOOD).status_code == 403


def test_the_way_for_holes_is_named(client: Client, settings) -> None:
    assert 'href="/security#tell-us-of-a-hole"' in client.get("/contact").content.decode()
    settings.SECURITY_CONTACT, settings.SECURITY_EXPIRES = ["mailto:s@models.example"], "2099-01-01"
    assert 'href="/.well-known/security.txt"' in client.get("/contact").content.decode()


def test_each_topic_has_words() -> None:
    assert len(dict(contact.TOPICS)) == len(contact.TOPICS) >= 5
