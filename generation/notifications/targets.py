"""Where a webhook may lead: to a public machine by https, whatever its name says today or tomorrow.

What an address looks like is checked when it is given. Where its name leads is looked up and checked at each attempt,
by the gate that all our requests pass (``generation/egress.py``), and that address is the one that is connected to.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import httpx
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generation import egress
from generation.addresses import reachable

SECONDS: Final = 15.0
"""What an attempt may take, from look-up to answer."""
LONGEST_ANSWER: Final = 1 << 16
LONGEST: Final = 500
FIRST_FREE_PORT, LAST_PORT = 1024, 65535
HOST: Final = re.compile(r"[a-z0-9_.:-]+")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

UNREADABLE = _("That is no address. Write it whole, such as https://shop.example/hooks/models.")
NOT_HTTPS = _("It has to begin with https://.")
CREDENTIALS = _("Leave out the name and password before the @. Each request is signed instead.")
FRAGMENT = _("Leave out what follows the #. It would not be sent.")
PRIVATE = _("We only call machines that everybody can reach. Give a public name.")
PORT = _("Use port 443, or one from 1024 up.")
LONG = _("At most 500 characters.")


class BadAddress(Exception):
    """This address cannot be a webhook; ``message`` says what to do."""

    def __init__(self, message: Promise) -> None:
        super().__init__()
        self.message = message


def checked(text: str) -> str:
    """The address in its usual form. Raises ``BadAddress``."""
    if len(text) > LONGEST:
        raise BadAddress(LONG)
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):
        raise BadAddress(UNREADABLE) from None
    readable = HOST.fullmatch(_host(url)) and url.scheme in ("http", "https") and (url.port or 443) <= LAST_PORT
    if not readable:
        raise BadAddress(UNREADABLE)
    if url.userinfo:
        raise BadAddress(CREDENTIALS)
    if url.fragment:
        raise BadAddress(FRAGMENT)
    if not _here(url):
        if url.scheme != "https":
            raise BadAddress(NOT_HTTPS)
        if not _public(_host(url)):
            raise BadAddress(PRIVATE)
        if url.port is not None and url.port < FIRST_FREE_PORT:
            raise BadAddress(PORT)
    if len(str(url)) > LONGEST:
        raise BadAddress(LONG)
    return str(url)


def client(address: str) -> httpx.Client:
    """A client that reaches this address and nothing else. It does not follow redirects."""
    url = httpx.URL(address)
    host = _host(url)
    return egress.client(
        frozenset({f"{host}:{url.port or 443}"}),
        private=frozenset({host}) if _here(url) else frozenset(),
        max_bytes=LONGEST_ANSWER,
        timeout=SECONDS,
        proxy="" if _here(url) else settings.EGRESS_PROXY,
    )


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").lower()


def _here(url: httpx.URL) -> bool:
    """Whether it is a program under development on this machine, where those are called."""
    return bool(settings.WEBHOOKS_TO_LOOPBACK) and _host(url) in LOOPBACK


def _public(host: str) -> bool:
    """Whether it may be a public one, by its look alone."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host.strip(".")
    return reachable(host, allow_private=False)
