"""The page of one's own account: everything there is to see and to set, in groups, each with how it stands.

What lies in an app is said by that app: ``settings.ACCOUNT_STATES`` lists a module of each, whose ``states(user)``
gives short texts by the names that ``templates/accounts/home.html`` knows. The page changes nothing; it leads on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import theme
from accounts.models import User
from privacy import erasure

Says = Callable[[User], dict[str, str]]


def states(user: User) -> dict[str, str]:
    """How everything stands, by name, in the language of whoever looks."""
    found: dict[str, str] = {}
    for name in settings.ACCOUNT_STATES:
        says: Says = import_module(name).states
        found |= says(user)
    return found


@require_safe
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """What the account is made of, with a way to change each part."""
    user = request.user
    assert isinstance(user, User)
    return render(
        request,
        "accounts/home.html",
        {
            "email": user.email,
            "email_pending": EmailAddress.objects.filter(user=user, verified=False).exists(),
            "has_password": user.has_usable_password(),
            "states": states(user),
            "theme": theme.THEMES[theme.chosen(request)],
            "erasure": erasure.of(user),
        },
    )
