"""A site on which nobody hears of requests answers none in time: said by ``manage.py check --deploy``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email


@register(Tags.security)
def contacts_are_addresses(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Reminders to something else would be lost."""
    for address in settings.PRIVACY_CONTACT:
        try:
            validate_email(address)
        except ValidationError:
            return [Error("PRIVACY_CONTACT must hold e-mail addresses, separated by commas.", id="privacy.E020")]
    return []


@register(Tags.security, deploy=True)
def somebody_is_reminded(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The law's time runs whether somebody looks or not."""
    if settings.PRIVACY_CONTACT:
        return []
    return [
        Warning(
            "PRIVACY_CONTACT is not set: nobody is told of requests about people's data that are due.",
            hint="Set it to the address of whoever answers them.",
            id="privacy.W020",
        )
    ]
