"""The end of an account: nobody signs in any more, what was counted of it is dropped, and at last its row goes.

Where books hang on the row, it stays as an empty number: no address, no password, no dates of the person's.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from allauth.account import app_settings as account_settings
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import forgetting
from accounts.models import User
from privacy.closing import Closed
from privacy.datamap import Person
from privacy.retention import Words

ONLY_ONE = _("This is the only account that may do everything on this site. Make another one an operator first.")


def hindrance(person: Person) -> Words:
    """A site without anybody who may do everything could not be run."""
    user = User.objects.get(pk=person.pk)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return ONLY_ONE if user.is_superuser and not others.exists() else ""


def shut(person: Person) -> None:
    """From here on nobody is this account: Django asks at each request whether it is on."""
    User.objects.filter(pk=person.pk).update(is_active=False)


def close(person: Person) -> Closed:
    """Drop counters of tries by the account or its address, and sign-ins that were begun with the address."""
    user = User.objects.get(pk=person.pk)
    cache.delete_many(_counters(user))
    begun = forgetting.begun_sign_ins(timezone.now())
    keys = [one.session_key for one in begun if user.email in repr(one.get_decoded()).lower()]
    Session.objects.filter(session_key__in=keys).delete()
    return Closed()


def _counters(user: User) -> list[str]:
    """Keys of counters that hold the account's number or a digest of its address; those by network address do not."""
    names = (user.email, f"{urlsplit(settings.SITE_URL).netloc}:{user.email}", f"mfa-auth-user-{user.pk}")
    return [
        ratelimit.get_cache_key(HttpRequest(), app=app, action=action, rate=rate, key=name, user=user)
        for app in ("account", "allauth.account")  # allauth names itself both ways
        for action, rates in account_settings.RATE_LIMITS.items()
        for rate in ratelimit.parse_rates(rates)
        if rate.per in ("user", "key")
        for name in names
    ]


def remove(person: Person) -> None:
    """Delete the row; if something must go on pointing at it, empty it."""
    user = User.objects.get(pk=person.pk)
    if forgetting.removable(user):
        user.delete()
        return
    user.email = f"erased-{secrets.token_hex(16)}@invalid"
    user.password = make_password(None)
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.language = user.theme = ""
    user.date_joined = timezone.now().replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    user.save()
