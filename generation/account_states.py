"""How one's limits on who receives photos, one's webhooks and one's programs' calls stand, in a few words each."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from accounts import usage
from accounts.models import User
from generation import registry
from generation.models import ProcessingLimits
from generation.restrictions import Restrictions

DAYS: Final = 30
"""Of calls that are counted."""


def states(user: User) -> dict[str, str]:
    """By the names of ``templates/accounts/home.html``."""
    return {"receivers": _receivers(user), "webhooks": _webhooks(user), "usage": _usage(user)}


def _receivers(user: User) -> str:
    """How many of the providers may get photos, and by how many limits."""
    limits, usual = ProcessingLimits.of(user.pk), Restrictions()
    cards = registry.cards()
    may = sum(limits.allow(card) for card in cards)
    # A provider that is ruled out by name is a limit each; the others are one.
    named = len(limits.never)
    others = [one.name for one in fields(limits) if one.name != "never"]
    count = named + sum(getattr(limits, name) != getattr(usual, name) for name in others)
    if not count:
        return _("No limits")
    told = ngettext("%(n)d limit", "%(n)d limits", count) % {"n": count}
    left = ngettext("%(may)d of %(all)d provider left", "%(may)d of %(all)d providers left", len(cards))
    left %= {"may": may, "all": len(cards)}
    return f"{told}; {left}"


def _webhooks(user: User) -> str:
    on = user.webhooks.filter(enabled=True).count()
    off = user.webhooks.filter(enabled=False).count()
    if not on and not off:
        return _("No webhooks")
    said = npgettext("webhooks", "%(n)d on", "%(n)d on", on) % {"n": on}
    rest = npgettext("webhooks", "%(n)d off", "%(n)d off", off) % {"n": off}
    return f"{said}, {rest}" if off else said


def _usage(user: User) -> str:
    found = usage.calls(user, usage.last_days(DAYS), "day").values()
    calls = sum(one.calls for one in found)
    said = ngettext("%(n)s call in %(days)d days", "%(n)s calls in %(days)d days", calls)
    return said % {"n": number_format(calls, use_l10n=True, force_grouping=True), "days": DAYS}
