"""System checks of billing: a catalogue or a key that would fail only when somebody wants to buy."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from billing import packs


@register(Tags.compatibility)
def catalogue_is_sound(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """What is sold can be read, and in a currency."""
    found: list[CheckMessage] = []
    for name, items in (("CREDIT_PACKS", packs.packs), ("CREDIT_PLANS", packs.plans)):
        try:
            items()
        except packs.Malformed as error:
            found.append(Error(f"{name}: {error}.", hint="See docs/configuration.md.", id="billing.E001"))
    if len(settings.CURRENCY) != 3 or not settings.CURRENCY.isalpha():
        found.append(Error("CURRENCY must be a code of three letters, such as eur.", id="billing.E002"))
    return found


@register(Tags.security)
def keys_belong_together(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Half a configuration would take money and never hear of it."""
    found: list[CheckMessage] = []
    if bool(settings.STRIPE_SECRET_KEY) != bool(settings.STRIPE_WEBHOOK_SECRETS):
        found.append(
            Error("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET go together; set both or neither.", id="billing.E003")
        )
    if any(not secret.startswith("whsec_") for secret in settings.STRIPE_WEBHOOK_SECRETS):
        found.append(Error("STRIPE_WEBHOOK_SECRET begins with whsec_; copy it from the endpoint.", id="billing.E004"))
    return found


@register(Tags.security, deploy=True)
def money_moves(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A public site with a test key gives credits for nothing."""
    if settings.BILLING_TEST_MODE:
        return [Warning("STRIPE_SECRET_KEY is a test key: credits are given for no money.", id="billing.W001")]
    return []
