"""Who has to have something beside a mailbox or a password: operators, or everybody (``SECOND_FACTOR``).

An authenticator app or a passkey counts. Whoever has one is asked for it at each sign-in, so to have one is enough; a
passkey that unlocks by finger, face or PIN is both factors in one. Whoever has none yet is led to a page where it is
set up, and can do nothing else of what is theirs but leave, ask for their data or have it erased. Access keys are for
programs and are not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User

if TYPE_CHECKING:
    from allauth.mfa.models import Authenticator

OPERATORS: Final = "operators"
EVERYBODY: Final = "everybody"
NOBODY: Final = "nobody"
CHOICES: Final = (OPERATORS, EVERYBODY, NOBODY)
PAGE: Final = "accounts:second_step"
FREE: Final = (
    "account_", "mfa_", "accounts:second_step", "accounts:language", "accounts:theme", "generation:landing", "guides:",
    "manifest", "offline", "privacy:", "trust:", "worker",
)  # fmt: skip
"""Beginnings of the names of what is open without: the way there, the way out, what is public, and people's rights."""
HELD: Final = ("account_change_password", "account_email", "account_set_password")
"""Of those, what is not: other ways in are changed by whoever has shown both factors."""


def factors(pk: object) -> QuerySet[Authenticator]:
    """An account's second factors; recovery codes are none of their own."""
    from allauth.mfa.models import Authenticator  # here, since checks come before all apps are there

    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=pk, type__in=kinds)
    return found


def lacking(user: User) -> bool:
    """Whether this person has to have a second factor and has none."""
    asked = settings.SECOND_FACTOR == EVERYBODY or (settings.SECOND_FACTOR == OPERATORS and user.is_staff)
    return asked and not factors(user.pk).exists()


@require_safe
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The way through the set-up, for whoever was led here."""
    assert isinstance(request.user, User)
    return render(request, "accounts/second_step.html", {"done": factors(request.user.pk).exists()})


@sync_and_async_middleware
def demanded(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The middleware of sites on which everybody has to; others do without it."""
    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponseBase:
            if closed(request):
                person = await request.session.aget(SESSION_KEY)
                if person and not await factors(person).aexists():
                    return redirect(PAGE)
            return await get_response(request)  # type: ignore[no-any-return]  # typed by no one: any view's

        return answer

    def answer_at_once(request: HttpRequest) -> HttpResponseBase:
        if closed(request):
            person = request.session.get(SESSION_KEY)
            if person and not factors(person).exists():
                return redirect(PAGE)
        return get_response(request)  # type: ignore[no-any-return]  # the same

    return answer_at_once


def closed(request: HttpRequest) -> bool:
    """Whether an address is none of those that are open without; what is nowhere is for the site to answer."""
    if request.path_info.startswith(("/api/", "/static/")) or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return False
    return name in HELD or not name.startswith(FREE)
