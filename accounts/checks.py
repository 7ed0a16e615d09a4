"""System checks of accounts: who has to have a second factor is for the operator to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from accounts.second_factor import CHOICES, NOBODY


@register(Tags.security)
def a_second_factor_is_a_choice(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A word that means nothing would ask nobody."""
    if settings.SECOND_FACTOR in CHOICES:
        return []
    return [Error(f"SECOND_FACTOR must be one of {', '.join(CHOICES)}.", id="accounts.E001")]


@register(Tags.security, deploy=True)
def a_second_factor_is_asked_for(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Operators see everybody's books and requests; of everybody else it is for the operator to decide."""
    if settings.SECOND_FACTOR == NOBODY:
        return [Error("SECOND_FACTOR is 'nobody': operators at least must have one.", id="accounts.E002")]
    if not settings.SECOND_FACTOR_CHOSEN:
        return [
            Warning(
                "Nobody has decided whether everybody has to have a second factor; operators have to.",
                hint="Set SECOND_FACTOR to everybody, or to operators: docs/configuration.md.",
                id="accounts.W001",
            )
        ]
    return []
