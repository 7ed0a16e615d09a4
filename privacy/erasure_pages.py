"""Pages on which somebody has their account erased, takes that back, and reads afterwards what went and what stays.

Asking needs a fresh proof of who asks, and the account's address typed by hand. The page of an erasure opens by its
address alone, since nobody can sign in by then; whoever has no such address is told nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from privacy import certificate as certificates
from privacy import closing, datamap, erasure, proofs, receipts, removal
from privacy.datamap import Basis, Erasure
from privacy.models import Erasure as Row

REFRESH_SECONDS = 3
WHEN = {"later": erasure.GRACE, "now": timedelta(0)}
OTHER_ADDRESS = gettext_lazy("That is not the address of this account. Type it as it stands above.")


def _person(request: HttpRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)
    return request.user


@require_safe
@never_cache
@login_required
def erase(request: HttpRequest) -> HttpResponse:
    """What will go and what will stay, and the form that asks for it; or the date, while it waits."""
    return _page(request)


def _page(request: HttpRequest, *, when: str = "later", trouble: str = "", status: int = 200) -> HttpResponse:
    person = _person(request)
    row = erasure.of(person)
    fates = removal.plan(person)
    context: dict[str, Any] = {
        "row": row,
        "confirm_first": is_reauthentication_required(request, app="account"),
        "address": getattr(person, person.get_email_field_name()),
        "goes": [fate for fate in fates if fate.erasure is Erasure.ERASED],
        "stays": _by_duty([certificates.kept(fate) for fate in fates if fate.erasure is not Erasure.ERASED]),
        "loses": [said for loses in closing.offered("loses") for said in loses(person)],
        "hindered": next(filter(None, (why(person) for why in closing.offered("hindrance"))), ""),
        "itself": [
            one
            for one in datamap.held()
            if not one.is_table and one.basis is not Basis.NONE and one.erasure is Erasure.ERASED
        ],
        "days": erasure.GRACE.days,
        "when": when,
        "trouble": trouble,
    }
    return render(request, "privacy/erase.html", context, status=status)


def _by_duty(kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stays, under each duty and its period."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in kept:
        found.setdefault((line["duty"], line["how_long"]), []).append(line)
    return [{"duty": duty, "how_long": how_long, "lines": lines} for (duty, how_long), lines in found.items()]


@require_safe
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def confirm(request: HttpRequest) -> HttpResponse:
    """On the way to the form: whoever comes here has just proven who they are."""
    return redirect("privacy:erase")


@require_POST
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for it, at once or after some days."""
    person = _person(request)
    when = request.POST.get("when", "")
    when = when if when in WHEN else "later"
    address = getattr(person, person.get_email_field_name())
    if request.POST.get("address", "").strip().lower() != address.lower():
        return _page(request, when=when, trouble=str(OTHER_ADDRESS), status=422)
    if not ratelimit.consume(request, action="erase_account", user=person):
        return ratelimit.respond_429(request)  # type: ignore[no-any-return]  # allauth ships no types
    try:
        row = erasure.request(person, grace=WHEN[when])
    except erasure.Refused:
        return _page(request, when=when, status=409)
    if row.runs_at <= timezone.now():
        logout(request)
    return redirect("privacy:erasure", row.token)


@require_POST
@never_cache
@login_required
def undo(request: HttpRequest) -> HttpResponse:
    """Take it back."""
    if erasure.undo(_person(request)):
        messages.success(request, _("Undone. Your account stays, with everything in it."))
    else:
        messages.info(request, _("There was nothing to undo."))
    return redirect("accounts:home")


@never_cache
@require_safe
def status(request: HttpRequest, token: str) -> HttpResponse:
    """How an erasure stands; its certificate, once it is done."""
    row = erasure.find(token)
    if row is None:
        return render(request, "privacy/erasure_gone.html", status=404)
    issued = erasure.receipt(row)
    context = {
        "row": row,
        "token": token,
        "running": row.state == Row.State.RUNNING or (row.state != Row.State.DONE and row.runs_at <= timezone.now()),
        "refresh": REFRESH_SECONDS,
        "paper": issued and issued.document,
        "certificate": issued and issued.document["receipt"],
        "stays": _by_duty(issued.document["receipt"]["kept"]) if issued else [],
        "logged": issued is not None and "head" in proofs.file_of(issued).get("log", {}),
    }
    return render(request, "privacy/erasure.html", context)


@never_cache
@require_safe
def certificate(request: HttpRequest, token: str) -> HttpResponse:
    """The certificate as a file, with its proof from the log."""
    row = erasure.find(token)
    issued = erasure.receipt(row) if row else None
    if issued is None:
        raise Http404
    response = HttpResponse(receipts.encode(proofs.file_of(issued)), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="erasure-{str(issued.pk)[:8]}.json"'
    return response
