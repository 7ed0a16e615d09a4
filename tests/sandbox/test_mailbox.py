"""The development mailbox shows this machine its mail, harmlessly, and nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(1)>'


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty mailbox of this test's own."""
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return tmp_path / "mail"


def send(subject: str, text: str, count: int = 1) -> None:
    """Mail by the backend that MODE=local uses, several in one file."""
    backend = get_connection("django.core.mail.backends.filebased.EmailBackend")
    mails = [EmailMultiAlternatives(f"{subject} {n}", text, to=["ada@example.com"]) for n in range(count)]
    for mail in mails:
        mail.attach_alternative("<p>the other part</p>", "text/html")
    backend.send_messages(mails)


def test_an_empty_mailbox(client: Client, folder: Path) -> None:
    assert client.get(reverse("sandbox:mailbox")).context["messages"] == []


def test_newest_first_with_text_and_links(client: Client, folder: Path) -> None:
    send("First", "Grüße\n" + "-" * 40 + "\nCode: ABCD-EFGH", count=2)
    send("Second", "See http://127.0.0.1:8000/in/abc:def and https://example.com/x?a=1&b=2\nBye")
    page = client.get(reverse("sandbox:mailbox"))
    mails = page.context["messages"]
    assert [mail.subject for mail in mails] == ["Second 0", "First 1", "First 0"]
    assert mails[0].to == "ada@example.com"
    assert mails[0].at is not None
    assert mails[0].links == ["http://127.0.0.1:8000/in/abc:def", "https://example.com/x?a=1&b=2"]
    assert mails[1].text == "Grüße\n" + "-" * 40 + "\nCode: ABCD-EFGH"
    one = client.get(reverse("sandbox:mailbox_message", args=[mails[0].id]))
    assert 'href="https://example.com/x?a=1&amp;b=2"' in one.content.decode()


def test_what_a_mail_says_is_never_markup(client: Client, folder: Path) -> None:
    send(HOSTILE, HOSTILE + " javascript:alert(1) http://x/\"onmouseover='alert(1)'")
    for page in (
        client.get(reverse("sandbox:mailbox")),
        client.get(reverse("sandbox:mailbox_message", args=[only_id(client)])),
    ):
        assert b"<script>alert" not in page.content
        assert b"<img src=x" not in page.content
        assert b'href="javascript' not in page.content


def only_id(client: Client) -> str:
    """The id of the one mail there is."""
    [mail] = client.get(reverse("sandbox:mailbox")).context["messages"]
    return str(mail.id)


def test_emptying(client: Client, folder: Path) -> None:
    send("First", "text")
    assert client.get(reverse("sandbox:mailbox_empty")).status_code == 405
    assert client.post(reverse("sandbox:mailbox_empty"))["Location"] == reverse("sandbox:mailbox")
    assert list(folder.iterdir()) == []
    assert client.get(reverse("sandbox:mailbox_message", args=["0" * 16])).status_code == 404


@pytest.mark.parametrize("address", ["10.0.0.1", "203.0.113.9", "2001:db8::1", ""])
def test_only_this_machine_may_look(folder: Path, address: str) -> None:
    send("First", "text")
    away = Client(REMOTE_ADDR=address)
    here = Client(REMOTE_ADDR="::1")
    mail = only_id(here)
    assert away.get(reverse("sandbox:mailbox")).status_code == 404
    assert away.get(reverse("sandbox:mailbox_message", args=[mail])).status_code == 404
    assert away.post(reverse("sandbox:mailbox_empty")).status_code == 404
    assert only_id(here) == mail


def test_a_forwarded_header_opens_nothing(folder: Path) -> None:
    away = Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1")
    assert away.get(reverse("sandbox:mailbox")).status_code == 404
