"""The pages of requests: the form, for everybody; the link that confirms an address; and a request's own page.

A request that was made while signed in is shown to that account alone; one from somebody who was not, to whoever has
the link that was mailed to them. What an anonymous visitor is answered never depends on who is known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from privacy.datamap import Person
from privacy.requests import clock, handling, rights
from privacy.requests.errors import LinkOver, NotOpen, TooMany
from privacy.requests.forms import RequestForm
from privacy.requests.models import LONGEST_TEXT, RequestStep, SubjectRequest, by_token
from privacy.requests.rights import Law, Right
from privacy.retention import Words, length, longest

What, By = RequestStep.What, RequestStep.By

COURSE: Final[dict[str, Words]] = {
    What.RECEIVED: gettext_lazy("We received it."),
    What.CONFIRMED: gettext_lazy("You confirmed your address."),
    What.ACKNOWLEDGED: gettext_lazy("We confirmed that we have it."),
    What.EXTENDED: gettext_lazy("We took the further time that the law gives."),
    What.ANSWERED: gettext_lazy("It was answered."),
    What.REFUSED: gettext_lazy("It was refused."),
    What.WITHDRAWN: gettext_lazy("You withdrew it."),
}
SELF_MADE: Final = (What.RECEIVED, What.CONFIRMED, What.WITHDRAWN)


@dataclass(frozen=True)
class Choice:
    """A right as the form shows it, with the pages on which who is signed in has it at once."""

    code: str
    label: Words
    ways: list[rights.Way]


def _person(request: HttpRequest) -> Person | None:
    return request.user if isinstance(request.user, AbstractBaseUser) else None


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def form(request: HttpRequest) -> HttpResponse:
    """Ask something; ``?right=`` chooses it beforehand."""
    person = _person(request)
    if request.method != "POST":
        wanted = request.GET.get("right", "")
        begun = {"right": wanted if wanted in Right.values else "", "form_key": uuid4(), "law": Law.GDPR}
        return _form_page(request, RequestForm(initial=begun, signed_in=person is not None))
    filled = RequestForm(request.POST, signed_in=person is not None)
    if not filled.is_valid():
        return _form_page(request, filled, status=422)
    said = filled.cleaned_data
    if person is None:
        if not ratelimit.consume(request, action="data_request_by_mail", key=said["address"]):
            return ratelimit.respond_429(request)  # type: ignore[no-any-return]  # allauth ships no types
        handling.leave(**said)
        return redirect("privacy:requests_sent")
    if not ratelimit.consume(request, action="data_request", user=person):
        return ratelimit.respond_429(request)  # type: ignore[no-any-return]  # allauth ships no types
    try:
        found = handling.ask(person=person, **said)
    except TooMany:
        most = handling.MOST_OPEN
        said_so = _("%(n)d of your requests are open. Wait for an answer, or withdraw one under Account → Your data.")
        filled.add_error(None, said_so % {"n": most})
        return _form_page(request, filled, status=422)
    return redirect(found.url)


def _form_page(request: HttpRequest, shown: RequestForm, status: int = 200) -> HttpResponse:
    context = {
        "form": shown,
        "choices": [Choice(code, label, rights.ways(code)) for code, label in Right.choices],
        "laws": Law.choices,
        "most": LONGEST_TEXT,
        "kept": length(longest("request_text")),
    }
    return render(request, "privacy/requests/form.html", context, status=status)


@require_safe
@never_cache
def sent(request: HttpRequest) -> HttpResponse:
    """What somebody who is not signed in reads after sending the form, whoever they are."""
    context = {
        "days": length(longest("unconfirmed_request")),
        "most": handling.MOST_LINKS,
        "most_open": handling.MOST_OPEN,
    }
    return render(request, "privacy/requests/sent.html", context)


def _opened(request: HttpRequest, token: str) -> SubjectRequest | HttpResponse:
    """The request, if the visitor may see it; else what they get instead."""
    found = by_token(token)
    if found is None:
        return _gone(request, 404)
    if not found.by_mail:
        person = _person(request)
        if person is None:
            return redirect_to_login(request.path)
        if found.person_id != person.pk:
            return _gone(request, 404)
    if found.state == SubjectRequest.State.UNCONFIRMED and found.link_is_over(timezone.now()):
        return _gone(request, 410)
    return found


def _gone(request: HttpRequest, status: int) -> HttpResponse:
    context = {"days": length(longest("unconfirmed_request")), "over": status == 410}
    return render(request, "privacy/requests/gone.html", context, status=status)


@require_safe
@never_cache
def one(request: HttpRequest, token: str) -> HttpResponse:
    """How far a request is. One that is not confirmed yet shows the button that does it: mail programs follow links."""
    found = _opened(request, token)
    if isinstance(found, HttpResponse):
        return found
    if found.state == SubjectRequest.State.UNCONFIRMED:
        return render(request, "privacy/requests/confirm.html", {"found": found})
    person = _person(request)
    steps = list(found.steps.all())
    context = {
        "found": found,
        "steps": [(step, _course(step)) for step in steps],
        "answer": next((step for step in reversed(steps) if step.what in (What.ANSWERED, What.REFUSED)), None),
        "extension": next((step for step in steps if step.what == What.EXTENDED), None),
        "ways": rights.ways(found.right) if found.person_id else [],
        "mine": person is not None and found.person_id == person.pk,
        "confirm_by": clock.confirm_by(found.law, found.received_on),
        "law": rights.LAWS[found.law],
        "right": rights.NAMES[found.right],
    }
    return render(request, "privacy/requests/one.html", context)


def _course(step: RequestStep) -> Words:
    """A step in words; what looks like the person's and was the program's says so."""
    if step.by == By.SITE and step.what in SELF_MADE:
        return _("It ended with the account.")
    return COURSE[step.what]


@require_POST
@never_cache
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The visitor has the mailbox that the link went to. Once; pressed again, it leads to the request."""
    found = _opened(request, token)
    if isinstance(found, HttpResponse):
        return found
    try:
        handling.confirm(found)
    except LinkOver:
        return _gone(request, 410)
    return redirect(found.url)


@require_POST
@never_cache
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Who asked no longer wants it."""
    found = _opened(request, token)
    if isinstance(found, HttpResponse):
        return found
    try:
        handling.withdraw(found)
    except NotOpen:
        messages.error(request, _("It is not open, so there is nothing to withdraw."))
    else:
        messages.success(request, _("Withdrawn. You can ask again at any time."))
    return redirect(found.url)
