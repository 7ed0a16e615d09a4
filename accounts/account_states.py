"""How one's ways in, one's mail and one's access keys stand, in a few words each."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.contrib.humanize.templatetags.humanize import naturalday
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import mail_choice
from accounts.models import User


def states(user: User) -> dict[str, str]:
    """By the names of ``templates/accounts/home.html``."""
    sessions = len(UserSession.objects.purge_and_list(user))
    password = _("Set") if user.has_usable_password() else _("None. You sign in by code or passkey.")
    necessary = mail_choice.only_necessary(user)
    return {
        "password": password,
        "passkeys": _passkeys(user),
        "second_step": _second_step(user),
        "sessions": ngettext("%(n)d session", "%(n)d sessions", sessions) % {"n": sessions},
        "mail": _("Only the mail that has to be") if necessary else _("What has to be, and what you asked for"),
        "keys": _keys(user),
    }


def _passkeys(user: User) -> str:
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    count, used = found.count(), found.aggregate(last=Max("last_used_at"))["last"]
    if not count:
        return _("No passkeys")
    said = ngettext("%(n)d passkey", "%(n)d passkeys", count) % {"n": count}
    return f"{said}, {_last_used(used)}"


def _second_step(user: User) -> str:
    """An authenticator app, and the codes for when it is lost."""
    kinds = {one.type: one for one in Authenticator.objects.filter(user=user)}
    if Authenticator.Type.TOTP not in kinds:
        return _("Off")
    codes = kinds.get(Authenticator.Type.RECOVERY_CODES)
    left = len(RecoveryCodes(codes).get_unused_codes()) if codes else 0
    if not left:
        return _("On, no recovery codes left")
    return ngettext("On, %(n)d recovery code left", "On, %(n)d recovery codes left", left) % {"n": left}


def _keys(user: User) -> str:
    found = user.access_keys.aggregate(last=Max("last_used_at"))["last"]
    count = user.access_keys.count()
    if not count:
        return _("No keys")
    said = ngettext("%(n)d key", "%(n)d keys", count) % {"n": count}
    return f"{said}, {_last_used(found)}"


def _last_used(moment: datetime | None) -> str:
    return _("last used %(day)s") % {"day": naturalday(moment)} if moment else _("never used")
