"""The operators' pages: Django's admin on an address of its own, with the rows that an operator may look at.

Signing in is allauth's, second factors and rate limits included; who has signed in and is no operator is refused, and
an operator who has to have a second factor and has none is led to where it is set up.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import admin as accounts
from accounts import second_factor
from accounts.models import User
from billing import admin as billing
from modelmyimage import attention
from privacy.requests import admin as requests


class OperatorSite(AdminSite):
    """Django's admin without ways of its own to sign in or to change a password."""

    site_title = _("ModelMyImage operators")
    site_header = _("ModelMyImage operators")
    index_title = _("What needs you")
    enable_nav_sidebar = False

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """What needs an operator now, and the tables there are to look at."""
        found = attention.everything()
        needs = {
            "needed": [need for need in found if need.count],
            "in_order": [need for need in found if not need.count],
            "counted_at": timezone.now(),
        }
        return super().index(request, {**needs, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The tables, and what is done by hand."""
        return [*accounts.urls(self), *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """For operators, with a second factor where they have to have one."""
        return super().has_permission(request) and not second_factor.lacking(_signed_in(request))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Signing in is allauth's."""
        if super().has_permission(request) and second_factor.lacking(_signed_in(request)):
            return redirect(second_factor.PAGE)
        secured: Any = secure_admin_login(super().login)
        return secured(request, extra_context)  # type: ignore[no-any-return]  # allauth ships no types

    def password_change(  # type: ignore[override]  # the admin would answer with a page of its own
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """So are passwords."""
        return redirect("account_change_password")


def _signed_in(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


site = OperatorSite()
billing.register(site)
requests.register(site)
