"""A sentence for the next page travels in a cookie, under a name that a browser takes over TLS alone."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class NamedCookie(CookieStorage):
    """Django's, with a name of ours."""

    cookie_name = settings.MESSAGES_COOKIE_NAME


class Notices(FallbackStorage):
    """The cookie; the session where a cookie is too small."""

    storage_classes = (NamedCookie, SessionStorage)
