"""A session ends with its period after the signing-in; a password that leaked or names the site is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.sessions import BEGAN

DAY = timedelta(days=1).total_seconds()
HOME = "accounts:home"


@pytest.mark.django_db
def test_a_session_ends_after_its_signing_in_whatever_was_done_since(client: Client) -> None:
    client.force_login(User.objects.create_user("sessions@example.com"))
    session = client.session
    session[BEGAN] -= 13 * DAY
    session["changed"] = True
    session.save()
    left = Session.objects.get(pk=session.session_key).expire_date - timezone.now()
    assert timedelta(hours=23) < left < timedelta(hours=25)
    assert session.get_expiry_age() == pytest.approx(DAY, abs=3600)
    assert client.get(reverse(HOME)).status_code == 200

    session[BEGAN] -= 2 * DAY
    session.save()
    assert client.get(reverse(HOME)).status_code == 302

    client.force_login(User.objects.get())  # anew
    assert client.get(reverse(HOME)).status_code == 200


@pytest.mark.parametrize(
    "password", ["ModelMyImage-2026!", "x-MODELMYIMAGE-x", "at-models-7-times", "my-examplehost-1"]
)
def test_a_password_does_not_say_where_it_is_for(settings, password: str) -> None:
    settings.SITE_URL, settings.OPERATOR_NAME = "https://models.example", "Examplehost Ltd"
    with pytest.raises(ValidationError, match="name of this site"):
        validate_password(password)


def test_a_password_is_of_any_letters(settings) -> None:
    settings.SITE_URL, settings.OPERATOR_NAME = "https://models.example", "Examplehost Ltd"
    validate_password("48151623420815")
    validate_password("        ¿ø漢字")


@pytest.mark.parametrize("password", ["iloveyou1234", "Iloveyou1234", "michaeljordan23"])
def test_a_password_that_leaked_elsewhere_is_refused(password: str) -> None:
    assert password.lower() not in CommonPasswordValidator().passwords
    with pytest.raises(ValidationError, match="leaked"):
        validate_password(password)
