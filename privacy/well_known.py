"""What programs look for at fixed addresses: whom to tell of a hole (RFC 9116), and that an opt-out is honoured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

SOON: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=366)
"""RFC 9116 wants no more than a year: who reads an old file should know that it is."""
GPC_SINCE: Final = "2026-11-25"


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell. 404 where nobody is named, or the date has passed: rather nothing than an address that is stale."""
    expires = expiry()
    if not settings.SECURITY_CONTACT or expires is None or expires <= timezone.now():
        raise Http404
    lines = [
        *(f"Contact: {contact}" for contact in settings.SECURITY_CONTACT),
        f"Expires: {expires.astimezone(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL.rstrip('/')}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


def expiry() -> datetime | None:
    """When the contact has to be looked at again; ``None`` where the setting is no moment."""
    try:
        found = datetime.fromisoformat(settings.SECURITY_EXPIRES)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@require_safe
def gpc(request: HttpRequest) -> JsonResponse:
    """Global Privacy Control: ``Sec-GPC: 1`` says that data may not be sold or shared. Nothing is, from anybody."""
    return JsonResponse({"gpc": True, "lastUpdate": GPC_SINCE})


@register(Tags.security, deploy=True)
def contact_is_current(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A contact without a date, or past it, is not served; soon past it, somebody should look."""
    if not settings.SECURITY_CONTACT:
        return []
    found: list[CheckMessage] = []
    expires, now = expiry(), timezone.now()
    hint = "Look whether SECURITY_CONTACT still holds, then set a date within a year."
    if expires is None:
        found.append(Error("SECURITY_EXPIRES is not a date such as 2027-06-30.", hint=hint, id="privacy.E008"))
    elif expires <= now:
        found.append(Error("SECURITY_EXPIRES has passed: security.txt is not served.", hint=hint, id="privacy.E009"))
    elif expires <= now + SOON:
        found.append(Warning("SECURITY_EXPIRES passes within 30 days.", hint=hint, id="privacy.W005"))
    elif expires > now + LONGEST:
        found.append(Warning("SECURITY_EXPIRES is more than a year ahead.", hint=hint, id="privacy.W006"))
    if any(not contact.startswith(("mailto:", "https://", "tel:")) for contact in settings.SECURITY_CONTACT):
        found.append(
            Error("SECURITY_CONTACT must hold addresses that begin with mailto:, https:// or tel:.", id="privacy.E010")
        )
    return found
