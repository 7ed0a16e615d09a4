"""Pages about what is held: for everybody, what that is and why; for each person, a copy of what is held about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from privacy import datamap, export
from privacy.datamap import Basis, Holding, Line, Recipient, Section
from privacy.requests import answers, handling
from privacy.requests.rights import NAMES, Right
from privacy.retention import Words

MOST_SHOWN: Final = 20
"""Of a person's requests, the newest; all of them are in the copy."""


@dataclass(frozen=True)
class Told:
    """A kind of thing as the page tells it; ``lines`` are what it is made of, each with what differs for it."""

    title: Words
    why: Words
    basis: Words
    period: str
    receives: str
    lines: list[tuple[Words, list[str]]]


@dataclass(frozen=True)
class Chapter:
    """A section of the page."""

    code: str
    title: Words
    told: list[Told]


@gzip_page
@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """What is held, of everybody: the data map, as people read it."""
    tables = [holding for holding in datamap.held() if holding.is_table]
    context = {
        "chapters": chapters(),
        "others": [holding for holding in datamap.held() if holding.basis is Basis.NONE],
        "tables": len(tables),
        "fields": sum(len(item.fields) for holding in tables for item in holding.items),
        "periods": len(datamap.older()),
    }
    return render(request, "privacy/held.html", context)


def chapters() -> list[Chapter]:
    """The map without what is about nobody."""
    found = []
    for section in Section:
        told = [_told(one) for one in datamap.held() if one.section is section and one.basis is not Basis.NONE]
        if told:
            found.append(Chapter(section.name.lower().replace("_", "-"), section.value, told))
    return found


def _told(holding: Holding) -> Told:
    return Told(
        title=holding.title,
        why=holding.why,
        basis=holding.basis.value,
        period=holding.period.words,
        receives=_receivers(holding.received_by()),
        lines=[(line.what, _differs(line, holding)) for line in holding.lines()],
    )


def _differs(line: Line, holding: Holding) -> list[str]:
    """What holds for this line and not for its whole."""
    found = []
    if line.period is not holding.period:
        found.append(line.period.words)
    if line.receives and any(not other.receives for other in holding.lines()):
        found.append(_("Goes to somebody else, too."))
    if line.withheld:
        found.append(_("Not in your copy. {why}").format(why=line.withheld))
    return found


def _receivers(receives: tuple[Recipient, ...]) -> str:
    if not receives:
        return _("nobody else")
    said = []
    for one in receives:
        each = one.each()
        said.append(f"{one.name} ({', '.join(each)})" if each else str(one.name))
    return "; ".join(said)


@require_safe
@never_cache
@login_required
def own(request: HttpRequest) -> HttpResponse:
    """What is held about who is signed in, by number of rows, and the way to a copy."""
    assert isinstance(request.user, AbstractBaseUser)
    parts = export.parts(request.user)
    asked = handling.of(request.user)
    context = {
        "asked": [(one, NAMES[one.right]) for one in asked[:MOST_SHOWN]],
        "asked_more": max(0, asked.count() - MOST_SHOWN),
        "parts": [part for part in parts if part.rows],
        "nothing_of": [
            part.holding.title for part in parts if not part.rows and part.holding.section is not Section.OPERATORS
        ],
        "confirm_first": is_reauthentication_required(request, app="account"),
    }
    return render(request, "privacy/own.html", context)


@require_safe
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def confirm(request: HttpRequest) -> HttpResponse:
    """On the way to a copy: whoever comes here has just proven who they are."""
    return redirect("privacy:own")


@require_POST
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def copy(request: HttpRequest) -> HttpResponse:
    """The copy itself."""
    assert isinstance(request.user, AbstractBaseUser)
    if not ratelimit.consume(request, action="export_data", user=request.user):
        return ratelimit.respond_429(request)  # type: ignore[no-any-return]  # allauth ships no types
    try:
        data = export.archive(request.user)
    except export.TooLarge:
        messages.error(request, _("There is too much for one file. Whoever runs this site has to make it: ask them."))
        return redirect("privacy:own")
    handling.fulfilled_at_once(request.user, Right.ACCESS, answers.COPY_SAVED)
    response = HttpResponse(data, content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return response
