"""The filtering proxy's list, written from the cards: the hosts that an enabled provider has, and no others.

Beside them stand the two others that a site speaks to: Stripe where credits are for sale, and the mail server. The
list is in the words of Squid (``deploy/compose/providers.conf`` includes it). Machines of the operator's own may lie at
private addresses, others must not. A name is looked up only once it is known to be on the list: a look-up tells, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from stripe import DEFAULT_API_BASE

from generation import registry

HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]|[0-9a-f:]+")
HTTPS: Final = 443


class BadHost(Exception):
    """A card or a setting names what is no host, and would be read as something else by the proxy."""


def allowed() -> tuple[list[str], list[str]]:
    """What may be reached, as sorted ``host:port``: public hosts, and machines of the operator's own.

    Raises ``BadHost``.
    """
    public: set[str] = set()
    for card in registry.cards():
        public |= {entry.lower() for entry in card.hosts}
    own = registry.own_machines()
    if settings.BILLING and not settings.STRIPE_API_BASE:
        public.add(urlsplit(DEFAULT_API_BASE).hostname or "")
    if not settings.LOCAL:
        own.add(f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}")
    return _whole(public - own), _whole(own)


def _whole(entries: Iterable[str]) -> list[str]:
    found = set()
    for entry in entries:
        host, separator, port = entry.rpartition(":")
        if not separator or not port.isdecimal():
            host, port = entry, str(HTTPS)
        if not HOST.fullmatch(host):
            raise BadHost(entry)
        found.add(f"{host}:{port}")
    return sorted(found)


def squid() -> str:
    """The list as a part of Squid's configuration. Raises ``BadHost``."""
    public, own = allowed()
    lines = ["# Written by `manage.py egress_list` from the enabled cards: do not edit."]
    for number, entry in enumerate(own):
        lines += _rule(f"own{number}", entry, "!never")
    for number, entry in enumerate(public):
        lines += _rule(f"card{number}", entry, "CONNECT", "!private")
    lines.append("http_access deny all")
    return "\n".join(lines) + "\n"


def _rule(name: str, entry: str, *further: str) -> list[str]:
    host, _, port = entry.rpartition(":")
    host = host.strip("[]")
    # A leading dot would mean the name itself, too; the expression means names below it alone.
    below = rf"dstdom_regex -n -i ^.+\.{re.escape(host[2:])}$"
    is_host = below if host.startswith("*.") else f"dstdomain -n {host}"
    return [
        f"acl {name}_host {is_host}",
        f"acl {name}_port port {port}",
        " ".join(["http_access allow", f"{name}_host", f"{name}_port", *further]),
    ]
