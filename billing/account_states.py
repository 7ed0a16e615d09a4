"""How one's credits stand, what was bought, and which plan there is, in a few words each."""

from __future__ import annotations

from django.contrib.humanize.templatetags.humanize import naturalday
from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from billing import ledger, limits, subscriptions
from billing.models import Payment


def states(user: User) -> dict[str, str]:
    """By the names of ``templates/accounts/home.html``."""
    return {
        "credits": _credits(user),
        "purchases": _purchases(user),
        "plan": _plan(user),
        "spending": _spending(user),
    }


def _credits(user: User) -> str:
    balance = ledger.balance(user)
    if balance.owed:
        return ngettext("%(n)d credit owed", "%(n)d credits owed", balance.owed) % {"n": balance.owed}
    said = ngettext("%(n)d credit", "%(n)d credits", balance.available) % {"n": balance.available}
    held = _("%(n)d on hold for jobs that run") % {"n": balance.held}
    return f"{said}, {held}" if balance.held else said


def _purchases(user: User) -> str:
    found = Payment.objects.filter(user=user).aggregate(count=Count("pk"), last=Max("paid_at"))
    if not found["count"]:
        return _("No purchases")
    said = ngettext("%(n)d payment", "%(n)d payments", found["count"]) % {"n": found["count"]}
    last = _("the last %(day)s") % {"day": naturalday(found["last"])}
    return f"{said}, {last}"


def _plan(user: User) -> str:
    """Empty for none."""
    plan = subscriptions.current(user)
    if plan is None:
        return ""
    said = ngettext("%(n)d credit a month", "%(n)d credits a month", plan.credits) % {"n": plan.credits}
    ends = _("ends %(day)s") % {"day": naturalday(plan.ends_at)}
    return f"{said}, {ends}" if plan.ends_at else said


def _spending(user: User) -> str:
    most, spent = limits.monthly(user), limits.spent_this_month(user)
    if most is None:
        return _("No limit; %(spent)d used this month") % {"spent": spent}
    return _("%(spent)d of %(most)d used this month") % {"spent": spent, "most": most}
