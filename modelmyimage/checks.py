"""System checks: settings that would quietly break a promise are refused before the site starts.

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


def server(url: str) -> str:
    """Which Valkey or Redis server a URL leads to, whatever its database number, scheme or password."""
    parts = urlsplit(url)
    if parts.hostname:
        return f"{parts.hostname}:{parts.port or 6379}"
    return parts.path


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
def uploads_stay_sealed(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Above FILE_UPLOAD_MAX_MEMORY_SIZE, ASGI itself writes a request's body to disk in plaintext."""
    found: list[CheckMessage] = []
    if settings.FILE_UPLOAD_MAX_MEMORY_SIZE < settings.UPLOAD_LIMIT_BYTES:
        found.append(
            Error(
                "FILE_UPLOAD_MAX_MEMORY_SIZE is below the upload limit: photos would be written to disk unsealed.",
                id="modelmyimage.E001",
            )
        )
    if list(settings.FILE_UPLOAD_HANDLERS) != ["generation.uploads.SealingUploadHandler"]:
        found.append(
            Error(
                "FILE_UPLOAD_HANDLERS must be the sealing handler alone: Django's own keep or write plaintext.",
                id="modelmyimage.E002",
            )
        )
    return found


@register(Tags.security)
def keys_are_keys(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A malformed key would be found out only when the first photo arrives."""
    found: list[CheckMessage] = []
    for name in ("MASTER_KEYS", "SIGNING_KEYS"):
        wrong = malformed_keys(getattr(settings, name))
        if wrong:
            found.append(Error(f"{name}: {wrong}.", hint="See docs/configuration.md.", id="modelmyimage.E003"))
    return found


@register(Tags.security)
def key_store_stands_alone(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The broker's server writes to disk; blob keys must never be on one."""
    keystore = server(settings.KEYSTORE_URL)
    return [
        Error(
            f"{name} and KEYSTORE_URL lead to the same server.",
            hint="The key store is a server of its own, without persistence, so that keys die with it.",
            id="modelmyimage.E004",
        )
        for name, url in (
            ("BROKER_URL", settings.CELERY_BROKER_URL),
            ("CACHE_URL", settings.CACHES["default"]["LOCATION"]),
        )
        if server(url) == keystore
    ]


@register(Tags.security, deploy=True)
def addresses_are_public(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Links in mail and receipts are made from SITE_URL; a wildcard host would let a request forge them."""
    found: list[CheckMessage] = []
    if urlsplit(settings.SITE_URL).scheme != "https":
        found.append(Error("SITE_URL must begin with https:// in production.", id="modelmyimage.E005"))
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS must name the hosts; '*' admits every one.", id="modelmyimage.E006"))
    if "sandbox" in settings.INSTALLED_APPS:
        found.append(Error("The stand-ins are installed: MODE must be production.", id="modelmyimage.E007"))
    return found
