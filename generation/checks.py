"""System checks of the providers: what would fail only with the first job, offend a licence, or let a photo out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from generation import registry

EU: Final = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
     "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)  # fmt: skip
"""Members of the European Union, by ISO 3166 code."""


@register()
def providers_are_there(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """PROVIDERS and the settings beside it name what exists."""
    try:
        registry.cards()
    except (ImproperlyConfigured, ImportError, AttributeError) as error:
        return [Error(str(error), hint="See docs/providers.md.", id="generation.E001")]
    return [
        Warning(
            f"{found.card.label} is in PROVIDERS and takes no jobs: {', '.join(found.missing)} is not set.",
            id="generation.W001",
        )
        for found in registry.absent()
    ]


@register(Tags.security, deploy=True)
def licences_allow(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A provider whose terms exclude the operator's region must not be offered."""
    region = settings.OPERATOR_REGION
    try:
        barred = [card for card in registry.cards() if card.barred]
    except (ImproperlyConfigured, ImportError, AttributeError):
        return []  # said above
    found: list[CheckMessage] = []
    for card in barred:
        if not region:
            found.append(
                Warning(
                    f"{card.label}: {card.licence}",
                    hint="Set OPERATOR_REGION, so that this can be checked.",
                    id="generation.W002",
                )
            )
        elif region in card.barred or ("EU" in card.barred and region in EU):
            found.append(Error(f"{card.label} may not be offered from {region}: {card.licence}", id="generation.E002"))
    return found


@register(Tags.security, deploy=True)
def egress_is_filtered(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Our client keeps to the hosts on the cards; a worker that was taken over would not: something outside must."""
    try:
        leaving = sorted(card.label for card in registry.cards() if card.hosts)
    except (ImproperlyConfigured, ImportError, AttributeError):
        return []  # said above
    proxy: str = settings.EGRESS_PROXY
    if not leaving or proxy:
        return []
    return [
        Error(
            f"Nothing but our own client keeps workers to the hosts of {', '.join(leaving)}.",
            hint="Let them out through a proxy that knows these hosts alone, and name it in EGRESS_PROXY.",
            id="generation.E003",
        )
    ]
