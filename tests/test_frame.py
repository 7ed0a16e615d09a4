"""What every page's frame knows: it is there on allauth's pages too, and says where passkeys can work."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from modelmyimage.context import Frame
from modelmyimage.templatetags.browsers import browser


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["account_reset_password", "account_logout", "account_email", "generation:landing"])
def test_pages_of_somebody_signed_in_show_the_balance(client: Client, page: str) -> None:
    client.force_login(User.objects.create_user(email="a.person@example.org", password=None))
    answer = client.get(reverse(page))
    assert answer.status_code == 200
    assert 'class="purse"' in answer.content.decode()
    assert ">AP<" in answer.content.decode()


@pytest.mark.parametrize(
    ("host", "here", "elsewhere"),
    [
        ("localhost:8000", True, ""),
        ("models.example.org", True, ""),
        ("127.0.0.1:8000", False, "http://localhost:8000/account/login/?next=/create"),
        ("[::1]:8000", False, "http://localhost:8000/account/login/?next=/create"),
        ("192.0.2.7:8000", False, ""),
    ],
)
def test_passkeys_are_offered_where_browsers_allow_them(settings, host: str, here: bool, elsewhere: str) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    frame = Frame(RequestFactory().get("/account/login/?next=/create", headers={"host": host}))
    frame.local = True
    assert (frame.passkeys_here, frame.by_name) == (here, elsewhere)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
            "Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.9", "curl/8.9"),
        ("", "not named"),
    ],
)
def test_a_session_names_its_browser(agent: str, name: str) -> None:
    assert browser(agent) == name
