"""System checks of the whole: keys and addresses that would fail only later, or quietly.

What concerns stored bytes is checked in privacy/checks.py.

SQLite in production brings no warning: on one machine it keeps every promise (WAL, one writer at a time), and
several machines cannot share its file by mistake.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


def malformed_keys(value: str) -> str:
    """What is wrong with a list ``name:base64,name:base64``, or an empty string; never quotes the keys."""
    names = set()
    for entry in filter(None, (part.strip() for part in value.split(","))):
        name, _, encoded = entry.partition(":")
        try:
            size = len(base64.b64decode(encoded, validate=True))
        except binascii.Error:
            size = 0
        if not name or size != 32:
            return "each entry is NAME:KEY, where KEY is 32 bytes in base64"
        if name in names:
            return f"the name {name!r} is there twice"
        names.add(name)
    return "" if names else "it names no key"


@register(Tags.security)
def keys_are_keys(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A malformed key would be found out only when the first photo arrives."""
    found: list[CheckMessage] = []
    for name in ("MASTER_KEYS", "SIGNING_KEYS"):
        wrong = malformed_keys(getattr(settings, name))
        if wrong:
            found.append(Error(f"{name}: {wrong}.", hint="See docs/configuration.md.", id="modelmyimage.E001"))
    return found


@register(Tags.security, deploy=True)
def addresses_are_public(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Links in mail and receipts are made from SITE_URL; a wildcard host would let a request forge them."""
    found: list[CheckMessage] = []
    if urlsplit(settings.SITE_URL).scheme != "https":
        found.append(Error("SITE_URL must begin with https:// in production.", id="modelmyimage.E002"))
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS must name the hosts; '*' admits every one.", id="modelmyimage.E003"))
    if "sandbox" in settings.INSTALLED_APPS:
        found.append(Error("The stand-ins are installed: MODE must be production.", id="modelmyimage.E004"))
    return found
