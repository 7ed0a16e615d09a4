"""In which colours a person sees the pages: light, dark, high contrast, or as their device asks for.

Who is signed in has it on the account, so that it is the same on each device; a visitor has it in a cookie, which only
choosing sets. The server writes it into the page (``data-theme``), so that none is drawn in other colours first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.language import way_back
from accounts.models import User
from privacy.retention import Words

KEPT_FOR: Final = timedelta(days=365)
DEVICE: Final = "device"
THEMES: Final[dict[str, Words]] = {
    DEVICE: pgettext_lazy("colours of pages", "As this device"),
    "light": pgettext_lazy("colours of pages", "Light"),
    "dark": pgettext_lazy("colours of pages", "Dark"),
    "contrast": pgettext_lazy("colours of pages", "High contrast"),
}
"""What there is to choose, by the value of ``data-theme`` (``frontend/styles/tokens.css``)."""


def chosen(request: HttpRequest) -> str:
    """A key of ``THEMES``: what the account says, else this device's cookie, else as the device."""
    user = getattr(request, "user", None)
    kept = user.theme if isinstance(user, User) else ""
    found = kept or request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    return found if found in THEMES else DEVICE


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Choose, and go back to where one was."""
    back, wanted = way_back(request), request.POST.get("theme", "")
    if request.method != "POST" or wanted not in THEMES:
        return render(request, "accounts/theme.html", {"back": back, "themes": THEMES.items(), "now": chosen(request)})
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=wanted)
    response = redirect(back)
    if wanted == DEVICE:
        response.delete_cookie(settings.THEME_COOKIE_NAME, samesite="Lax")
    else:
        response.set_cookie(
            settings.THEME_COOKIE_NAME,
            wanted,
            max_age=KEPT_FOR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
