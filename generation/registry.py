"""Which providers exist here: those the operator allow-listed, set up by the environment, and no others.

``PROVIDERS`` names them: a card's name of ours (every file in ``generation/providers``), an entry point of the group
``modelmyimage.providers`` that an installed package offers, or ``package.module:Class``. Left empty, it means the
embedded engine and those of ours whose variables are set, unless the card wants to be named. An installed provider
stays off until it is listed, because it would receive people's photos.

A provider that lacks a variable is listed but absent: it is offered to nobody, and ``absent`` says what it lacks.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from generation import egress, meshes, providers
from generation.provider import QUALITIES, Card, Fitted, Provider

GROUP = "modelmyimage.providers"
DEFAULT = "embedded"
SECONDS = 30.0
"""How long an exchange with a provider may take that says nothing else."""


class NotListed(Exception):
    """No provider of that name may receive photos here, or not any more."""


@dataclass(frozen=True)
class Listed:
    """A provider as it is here: its card with the operator's addresses, prices and slots filled in."""

    card: Card
    provider: Provider
    fingerprint: str
    """Another one when the operator changes a key or an address."""


@dataclass(frozen=True)
class Absent:
    """A listed provider that cannot run: ``missing`` are the variables to set."""

    card: Card
    missing: tuple[str, ...]


@cache
def ours() -> dict[str, type[Provider]]:
    """The providers of this repository, by name, in the order of their files."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(providers.__path__, f"{providers.__name__}."):
        for kind in importlib.import_module(module.name).PROVIDERS:
            found[kind.card.name] = kind
    return found


def named(name: str) -> type[Provider]:
    """The provider class behind an allow-listed name. Raises ``ImproperlyConfigured``."""
    if ":" in name:
        module, _, attribute = name.partition(":")
        return cast(type[Provider], getattr(importlib.import_module(module), attribute))
    if name in ours():
        return ours()[name]
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        return cast(type[Provider], entry.load())
    raise ImproperlyConfigured(f"PROVIDERS names {name!r}, which is neither ours nor installed.")


def missing(card: Card, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that the provider needs and the environment lacks."""
    return tuple(v.name for v in card.variables if v.required and not environment.get(v.name))


def _kinds(names: tuple[str, ...], environment: Mapping[str, str]) -> list[type[Provider]]:
    if names:
        return [named(name) for name in names]
    set_up = [
        kind
        for name, kind in ours().items()
        if name != DEFAULT and not kind.card.listed_only and kind.card.variables and not missing(kind.card, environment)
    ]
    return [ours()[DEFAULT], *set_up]


def _list() -> dict[str, Listed | Absent]:
    environment: Mapping[str, str] = settings.PROVIDER_ENVIRONMENT
    kinds = _kinds(tuple(settings.PROVIDERS), environment)
    names = {variable.name for kind in kinds for variable in kind.card.variables}
    values = tuple(sorted((name, environment[name]) for name in names if environment.get(name)))
    return _listed(
        tuple(kinds),
        tuple(kind.card for kind in kinds),
        values,
        tuple(settings.PROVIDER_CREDITS),
        tuple(settings.PROVIDER_SLOTS),
        settings.EGRESS_PROXY,
    )


@cache
def _listed(
    kinds: tuple[type[Provider], ...],
    cards: tuple[Card, ...],
    values: tuple[tuple[str, str], ...],
    credits: tuple[str, ...],
    slots: tuple[str, ...],
    proxy: str,
) -> dict[str, Listed | Absent]:
    """Built once for each configuration, of which the classes' ``cards`` are a part."""
    found: dict[str, Listed | Absent] = {}
    for kind in kinds:
        card = kind.card
        lacking = missing(card, dict(values))
        if lacking:
            found[card.name] = Absent(card, lacking)
            continue
        own = {variable.name for variable in card.variables}
        setup = {name: value for name, value in values if name in own}
        own_machines: set[str] = set()
        for variable in card.variables:
            if variable.address and variable.name in setup:
                # The first is where calls go; files may lie elsewhere.
                addresses = setup[variable.name].split()
                own_machines |= {_host_and_port(address) for address in addresses}
                setup[variable.name] = addresses[0]
        card = replace(
            card,
            hosts=card.hosts | own_machines,
            credits=_credits(card, credits),
            slots=_number(card, slots, "PROVIDER_SLOTS") or card.slots,
        )
        http = egress.client(
            card.hosts,
            # Only what the operator has named, never what a card says, may lie inside.
            private=frozenset(own_machines) if card.self_hosted or settings.LOCAL else frozenset(),
            max_bytes=meshes.MAX_BYTES,
            timeout=SECONDS,
            proxy=proxy,
        )
        digest = hashlib.sha256(repr(sorted(setup.items())).encode()).hexdigest()[:12]
        provider = kind(http, setup)
        if isinstance(provider, Fitted):
            card = provider.fitted(card)
        found[card.name] = Listed(card, provider, f"{card.name}:{digest}")
    return found


def _host_and_port(address: str) -> str:
    """``host:port`` of a base URL. Raises ``ImproperlyConfigured``."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise ImproperlyConfigured(f"{address!r} is no address of a provider; write http(s)://host:port.") from None
    if not parts.hostname:
        raise ImproperlyConfigured(f"{address!r} names no host.")
    return f"{parts.hostname.lower()}:{port}"


def _said(card: Card, entries: tuple[str, ...]) -> str:
    """What ``name:value`` entries say of this provider; the last one counts."""
    values = [value for name, _, value in (entry.partition(":") for entry in entries) if name == card.name]
    return values[-1] if values else ""


def _number(card: Card, entries: tuple[str, ...], variable: str) -> int | None:
    said = _said(card, entries)
    if said and (not said.isdecimal() or not int(said)):
        raise ImproperlyConfigured(f"{variable}: {card.name} needs a number from 1 on.")
    return int(said) if said else None


def _credits(card: Card, entries: tuple[str, ...]) -> Mapping[str, int]:
    said = _said(card, entries)
    if not said:
        return card.credits
    prices = said.split("/")
    if len(prices) != len(QUALITIES) or not all(price.isdecimal() for price in prices):
        raise ImproperlyConfigured(f"PROVIDER_CREDITS: {card.name} needs three prices: draft/standard/high.")
    return {quality: int(price) for quality, price in zip(QUALITIES, prices, strict=True) if quality in card.credits}


def get(name: str) -> Provider:
    """The allow-listed provider of that name. Raises ``NotListed`` if it is not (or no longer) set up."""
    return _get(name).provider


def card(name: str) -> Card:
    """Its card, as it is here. Raises ``NotListed``, as ``get``."""
    return _get(name).card


def _get(name: str) -> Listed:
    found = _list().get(name)
    if not isinstance(found, Listed):
        raise NotListed(name)
    return found


def fingerprint(name: str) -> str:
    """What to file facts about a provider under that a new key or address makes void; its name when it is gone."""
    found = _list().get(name)
    return found.fingerprint if isinstance(found, Listed) else name


def cards() -> list[Card]:
    """The cards of all allow-listed providers that are set up, in the operator's order."""
    return [found.card for found in _list().values() if isinstance(found, Listed)]


def own_machines() -> set[str]:
    """``host:port`` of every machine that the operator's variables name; what may lie at a private address."""
    environment: Mapping[str, str] = settings.PROVIDER_ENVIRONMENT
    return {
        _host_and_port(address)
        for card in cards()
        if card.self_hosted or settings.LOCAL
        for variable in card.variables
        if variable.address
        for address in environment.get(variable.name, "").split()
    }


def announced() -> list[Card]:
    """The cards of providers that the operator is going to list; nothing goes to them.

    Raises ``ImproperlyConfigured``.
    """
    if not settings.PROVIDERS_COMING:
        return []
    listed = _list()
    return [card for card in (named(name).card for name in settings.PROVIDERS_COMING) if card.name not in listed]


def absent() -> list[Absent]:
    """Allow-listed providers that lack a variable."""
    return [found for found in _list().values() if isinstance(found, Absent)]
