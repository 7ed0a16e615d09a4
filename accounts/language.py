"""Which language a person reads: a cookie on this device, else what the browser asks for. Mail follows the last choice.

Nothing in an address says the language, so that what is shared opens in the reader's own.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from privacy.mail import reader_language


def way_back(request: HttpRequest) -> str:
    """Where somebody came from to choose something, as ``next`` says it; the first page if that is elsewhere."""
    back = request.POST.get("next") or request.GET.get("next") or "/"
    known = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if known else "/"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Choose a language, and go back to where one was."""
    back = way_back(request)
    chosen = request.POST.get("language", "")
    if request.method != "POST" or chosen not in dict(settings.LANGUAGES):
        return render(request, "accounts/language.html", {"back": back, "languages": settings.LANGUAGES})
    with translation.override(chosen):
        kept = reader_language()
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=kept)
    response = redirect(back)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response
