"""Arriving by a sign-in link."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import signin_links


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Looking at a sign-in link uses nothing up (mail and chat programs look too); its button signs in."""
    if request.method != "POST":
        good = signin_links.holder(token) is not None
        return render(request, "accounts/link.html", {"good": good}, status=200 if good else 410)
    user = signin_links.use(token)
    if user is None:
        return render(request, "accounts/link.html", {"good": False}, status=410)
    return perform_login(request, user)  # type: ignore[no-any-return]  # allauth ships no types
