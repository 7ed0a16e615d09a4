"""Which providers exist here: those the operator allow-listed in ``PROVIDERS``, and no others.

A name is one of ours (a file in ``generation/providers``) or an entry point of the group
``modelmyimage.providers`` that an installed package offers; ``package.module:Class`` names a class directly. An
installed provider stays off until it is listed, because it would receive people's photos.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from functools import cache
from typing import cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from generation import egress, meshes
from generation.provider import Card, Provider

GROUP = "modelmyimage.providers"


def _load(name: str) -> type[Provider]:
    """The provider class behind an allow-listed name. Raises ``ImproperlyConfigured``."""
    if ":" in name:
        module, _, attribute = name.partition(":")
        return cast(type[Provider], getattr(importlib.import_module(module), attribute))
    module = f"generation.providers.{name}"
    if name.isidentifier() and importlib.util.find_spec(module) is not None:
        return cast(type[Provider], importlib.import_module(module).PROVIDER)
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        return cast(type[Provider], entry.load())
    raise ImproperlyConfigured(f"PROVIDERS names {name!r}, which is neither ours nor installed.")


@cache
def _providers(names: tuple[str, ...]) -> dict[str, Provider]:
    providers: dict[str, Provider] = {}
    for name in names:
        kind = _load(name)
        http = egress.client(
            kind.card.hosts, allow_private=kind.card.self_hosted, max_bytes=meshes.MAX_BYTES, timeout=30
        )
        providers[kind.card.name] = kind(http)
    return providers


def get(name: str) -> Provider:
    """The allow-listed provider of that name. Raises ``KeyError`` if it is not (or no longer) listed."""
    return _providers(tuple(settings.PROVIDERS))[name]


def cards() -> list[Card]:
    """The cards of all allow-listed providers, in the operator's order."""
    return [provider.card for provider in _providers(tuple(settings.PROVIDERS)).values()]
