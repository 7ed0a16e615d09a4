"""The system checks name what would break a promise, and are content with what would not."""

import base64
import logging

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from modelmyimage import checks, observers

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
    settings.LOCAL = False
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "sandbox"]
    assert checks.addresses_are_public() == []


@pytest.mark.parametrize(
    ("name", "value", "identifier"),
    [
        ("SITE_URL", "http://models.example", "modelmyimage.E002"),
        ("ALLOWED_HOSTS", ["models.example", "*"], "modelmyimage.E003"),
        ("ALLOWED_HOSTS", [".example"], "modelmyimage.E003"),
        ("ALLOWED_HOSTS", ["other.example"], "modelmyimage.E007"),
        ("INSTALLED_APPS", ["sandbox"], "modelmyimage.E004"),
        ("LOCAL", True, "modelmyimage.E004"),
        ("CSRF_TRUSTED_ORIGINS", ["http://models.example"], "modelmyimage.E008"),
        ("CSRF_TRUSTED_ORIGINS", ["https://*.example"], "modelmyimage.E008"),
    ],
)
def test_what_must_not_be_public_is_refused(name: str, value: object, identifier: str, settings: Settings) -> None:
    test_public_addresses_are_fine(settings)
    setattr(settings, name, value)
    assert identifiers(checks.addresses_are_public()) == [identifier]


def test_a_proxy_that_may_be_anybody_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    test_public_addresses_are_fine(settings)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.0/24")
    assert checks.addresses_are_public() == []
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert identifiers(checks.addresses_are_public()) == ["modelmyimage.E009"]


def test_the_secrets_of_this_run_are_secret() -> None:
    assert checks.secrets_are_secret() == []


@pytest.mark.parametrize(
    ("name", "value", "identifier"),
    [
        ("SECRET_KEY", "django-insecure-" + "kq7#v2m!x9w$b4z&n8r*t5y(u3" * 2, "modelmyimage.E005"),
        ("SECRET_KEY", "change-me", "modelmyimage.E005"),
        ("SECRET_KEY", "secret" * 10, "modelmyimage.E005"),
        ("MASTER_KEYS", "one:" + base64.b64encode(bytes(32)).decode(), "modelmyimage.E005"),
        ("SIGNING_KEYS", "one:" + base64.b64encode(b"password" * 4).decode(), "modelmyimage.E005"),
        ("MASTER_KEYS", f"one:{KEY},two:{KEY}", "modelmyimage.E006"),
    ],
)
def test_secrets_that_are_known_are_refused(name: str, value: str, identifier: str, settings: Settings) -> None:
    setattr(settings, name, value)
    assert identifiers(checks.secrets_are_secret()) == [identifier]


def test_a_key_for_two_purposes_is_refused(settings: Settings) -> None:
    settings.MASTER_KEYS, settings.SIGNING_KEYS = f"one:{KEY}", f"two:{KEY}"
    assert identifiers(checks.secrets_are_secret()) == ["modelmyimage.E006"]


def test_debug_is_refused_in_pages_and_logs(settings: Settings) -> None:
    assert observers.nothing_is_told() == []
    settings.DEBUG = True
    assert identifiers(observers.nothing_is_told()) == ["modelmyimage.E010"]
    settings.DEBUG = False
    logger = logging.getLogger("django.db.backends")
    logger.setLevel(logging.DEBUG)
    try:
        assert identifiers(observers.nothing_is_told()) == ["modelmyimage.E011"]
    finally:
        logger.setLevel(logging.NOTSET)


def test_mail_without_tls_and_a_short_memory_for_it_are_told(settings: Settings) -> None:
    settings.LOCAL = False
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.SECURE_HSTS_SECONDS = "mail.example", True, 31_536_000
    assert checks.lines_are_sealed() == []
    settings.EMAIL_USE_TLS = False
    assert identifiers(checks.lines_are_sealed()) == ["modelmyimage.W001"]
    settings.EMAIL_HOST, settings.SECURE_HSTS_SECONDS = "localhost", 3600
    assert identifiers(checks.lines_are_sealed()) == ["modelmyimage.W002"]
