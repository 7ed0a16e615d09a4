"""How many of one's requests about data wait for an answer, in a few words."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.humanize.templatetags.humanize import naturalday
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy.requests import handling


def states(user: AbstractBaseUser) -> dict[str, str]:
    """By the names of ``templates/accounts/home.html``."""
    waiting = handling.of(user).open().order_by("due_on")  # type: ignore[attr-defined]
    count = waiting.count()
    if not count:
        return {"requests": _("No request open")}
    said = ngettext("%(n)d request open", "%(n)d requests open", count) % {"n": count}
    first = waiting[0].due_on
    due = _("answer due %(day)s") % {"day": naturalday(first)}
    return {"requests": f"{said}, {due}" if first else said}
