"""The system checks name what would break a promise, and are content with what would not."""

import base64

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from modelmyimage import checks

KEY = base64.b64encode(bytes(range(32))).decode()


def identifiers(messages: list[CheckMessage]) -> list[str | None]:
    """The ids of some messages."""
    return [message.id for message in messages]


def test_the_keys_of_this_run_are_sound() -> None:
    assert checks.keys_are_keys() == []


@pytest.mark.parametrize(
    "value", ["", "one", f"one:{KEY[:-4]}", "one:no base64", f":{KEY}", f"one:{KEY},one:{KEY}", f"one:{KEY},two"]
)
def test_malformed_keys_are_refused_and_not_quoted(value: str, settings: Settings) -> None:
    settings.MASTER_KEYS = value
    found = checks.keys_are_keys()
    assert identifiers(found) == ["modelmyimage.E001"]
    assert KEY[:8] not in str(found[0])


def test_several_keys_are_fine(settings: Settings) -> None:
    settings.SIGNING_KEYS = f"new:{KEY}, old:{KEY}"
    assert checks.keys_are_keys() == []


def test_public_addresses_are_fine(settings: Settings) -> None:
    settings.SITE_URL = "https://models.example"
    settings.ALLOWED_HOSTS = ["models.example"]
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "sandbox"]
    assert checks.addresses_are_public() == []


@pytest.mark.parametrize(
    ("name", "value", "identifier"),
    [
        ("SITE_URL", "http://models.example", "modelmyimage.E002"),
        ("ALLOWED_HOSTS", ["models.example", "*"], "modelmyimage.E003"),
        ("INSTALLED_APPS", ["sandbox"], "modelmyimage.E004"),
    ],
)
def test_what_must_not_be_public_is_refused(name: str, value: object, identifier: str, settings: Settings) -> None:
    test_public_addresses_are_fine(settings)
    setattr(settings, name, value)
    assert identifiers(checks.addresses_are_public()) == [identifier]
