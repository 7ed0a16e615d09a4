"""System checks of what the public is told: settings that cannot be read or that name nobody."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from generation import registry
from trust import operator

HINT = "See docs/configuration.md, “Who runs the site”."


@register(Tags.compatibility)
def what_is_said_can_be_read(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A malformed entry would be an error on a public page."""
    found: list[CheckMessage] = []
    for read in (operator.hosts, operator.certifications):
        try:
            read()
        except operator.Malformed as error:
            found.append(Error(f"{error}.", hint=HINT, id="trust.E001"))
    if settings.CONTACT_EMAIL:
        try:
            validate_email(settings.CONTACT_EMAIL)
        except ValidationError:
            found.append(Error("CONTACT_EMAIL is not an e-mail address.", hint=HINT, id="trust.E002"))
    try:
        for name in settings.PROVIDERS_COMING:
            registry.named(name)
    except ImproperlyConfigured as error:
        found.append(Error(f"PROVIDERS_COMING: {error}", id="trust.E003"))
    if settings.NOTICE_DAYS < 1:
        found.append(Error("NOTICE_DAYS must be 1 at least: people are told before, not after.", id="trust.E004"))
    return found


@register(Tags.security, deploy=True)
def somebody_answers(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The law of most countries wants to know who runs a site; the pages say plainly when nobody does."""
    names = ("OPERATOR_NAME", "OPERATOR_ADDRESS", "OPERATOR_REGION", "CONTACT_EMAIL", "GOVERNING_LAW", "HOSTING")
    missing = [name for name in names if not getattr(settings, name)]
    if not missing:
        return []
    return [
        Warning(f"The site’s documents do not say who runs it: set {', '.join(missing)}.", hint=HINT, id="trust.W001")
    ]
