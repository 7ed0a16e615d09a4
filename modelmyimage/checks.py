"""System checks of the whole: keys and addresses that would fail only later, or quietly.

What concerns stored bytes is checked in privacy/checks.py, what a log could tell in ``observers.py`` beside this.

SQLite in production brings no warning: on one machine it keeps every promise (WAL, one writer at a time), and
several machines cannot share its file by mistake.
"""

import os
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from privacy import named_keys

FEWEST_BYTES: Final = 12
"""So many of a key's 32 bytes differ at least: of random ones, 24 are rare enough, and fewer mean that it was typed."""
A_YEAR: Final = 31_536_000


@register(Tags.security)
def keys_are_keys(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A malformed key would be found out only when the first photo arrives."""
    found: list[CheckMessage] = []
    for name in ("MASTER_KEYS", "SIGNING_KEYS"):
        try:
            named_keys.parse(name, getattr(settings, name))
        except ImproperlyConfigured as error:
            found.append(Error(str(error), hint="See docs/configuration.md.", id="modelmyimage.E001"))
    return found


@register(Tags.security, deploy=True)
def secrets_are_secret(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A secret that was typed, copied from an example or used twice is known to more than this site."""
    found: list[CheckMessage] = []
    secret = settings.SECRET_KEY
    if len(secret) < 50 or len(set(secret)) < FEWEST_BYTES or secret.startswith("django-insecure-"):
        found.append(
            Error(
                "SECRET_KEY is not one that a machine made.",
                hint="docs/configuration.md has the command that makes one.",
                id="modelmyimage.E005",
            )
        )
    seen: dict[bytes, str] = {}
    for setting in ("MASTER_KEYS", "SIGNING_KEYS"):
        try:
            entries = named_keys.parse(setting, getattr(settings, setting))
        except ImproperlyConfigured:
            continue  # said above
        for name, entry in entries.items():
            key = entry.content
            if not entry.service and len(set(key)) < FEWEST_BYTES:
                found.append(Error(f"{setting}: {name!r} is not a key that a machine made.", id="modelmyimage.E005"))
            elif key in seen:
                found.append(
                    Error(
                        f"{setting}: {name!r} has the same bytes as a key of {seen[key]}.",
                        hint="Each key is for one purpose.",
                        id="modelmyimage.E006",
                    )
                )
            seen[key] = setting
    return found


@register(Tags.security, deploy=True)
def addresses_are_public(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Links in mail and receipts are made from SITE_URL; a wildcard host would let a request forge them."""
    found: list[CheckMessage] = []
    site = urlsplit(settings.SITE_URL)
    if site.scheme != "https":
        found.append(Error("SITE_URL must begin with https:// in production.", id="modelmyimage.E002"))
    if any(host == "*" or host.startswith(".") for host in settings.ALLOWED_HOSTS):
        found.append(
            Error("ALLOWED_HOSTS must name the hosts; '*' and '.example' admit others.", id="modelmyimage.E003")
        )
    elif site.hostname not in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS does not name the host of SITE_URL.", id="modelmyimage.E007"))
    if "sandbox" in settings.INSTALLED_APPS or settings.LOCAL:
        found.append(Error("The stand-ins are installed: MODE must be production.", id="modelmyimage.E004"))
    if any(not origin.startswith("https://") or "*" in origin for origin in settings.CSRF_TRUSTED_ORIGINS):
        found.append(
            Error("CSRF_TRUSTED_ORIGINS must name origins as https://name, without '*'.", id="modelmyimage.E008")
        )
    if "*" in os.environ.get("FORWARDED_ALLOW_IPS", ""):
        found.append(
            Error(
                "FORWARDED_ALLOW_IPS is '*': anybody could say what address they come from, past every throttle.",
                hint="Name the proxy's addresses, or its network as 10.0.0.0/24.",
                id="modelmyimage.E009",
            )
        )
    return found


@register(Tags.security, deploy=True)
def lines_are_sealed(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Codes that sign people in travel by mail, and a browser that forgets about TLS can be talked out of it."""
    found: list[CheckMessage] = []
    at_home = settings.LOCAL or settings.EMAIL_HOST in {"localhost", "127.0.0.1", "::1"}
    if not at_home and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        found.append(
            Warning(
                "Mail leaves this machine without TLS, and with it the codes that sign people in.",
                hint="Begin EMAIL_URL with smtp+tls:// or smtp+ssl://.",
                id="modelmyimage.W001",
            )
        )
    if 0 < settings.SECURE_HSTS_SECONDS < A_YEAR:  # Django says it of 0
        found.append(
            Warning("HSTS_SECONDS is less than a year; raise it once TLS has proven itself.", id="modelmyimage.W002")
        )
    return found
