"""Pages about one's own account that allauth does not have: the overview, and arriving by a sign-in link."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import mail_choice, signin_links
from accounts.models import User
from privacy import erasure


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """What the account is made of, with a way to change each part."""
    user = request.user
    assert isinstance(user, User)
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return render(
        request,
        "accounts/home.html",
        {
            "email": user.email,
            "email_pending": EmailAddress.objects.filter(user=user, verified=False).exists(),
            "has_password": user.has_usable_password(),
            "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
            "totp": Authenticator.Type.TOTP in kinds,
            "recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
            "two_factor": is_mfa_enabled(user),
            "only_necessary": mail_choice.only_necessary(user),
            "erasure": erasure.of(user),
            "access_keys": user.access_keys.count(),
            "sessions": len(UserSession.objects.purge_and_list(user)),
        },
    )


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
