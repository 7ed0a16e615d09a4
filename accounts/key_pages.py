"""Pages on which people make, change, replace and remove their access keys, and anybody reports a leaked one.

A secret is on the page that answers the form, and nowhere else: it is not stored, not even in the session.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import keys, security_log, throttle
from accounts.key_forms import KeyForm, LeakedForm, RotateForm
from accounts.models import AccessKey, User
from accounts.own_pages import own_page
from accounts.scopes import SCOPES


@own_page("GET")
def overview(request: HttpRequest) -> HttpResponse:
    """All of one's keys, and what was changed of them."""
    assert isinstance(request.user, User)
    mine = list(request.user.access_keys.order_by("-created_at"))
    context = {
        "keys": [(key, key.calls + throttle.counted(str(key.pk))) for key in mine],
        "full": len(mine) >= keys.MOST,
        "most": keys.MOST,
        "events": security_log.latest(request.user),
    }
    return render(request, "accounts/keys.html", context)


@own_page("GET", "POST", proof="always")
def new(request: HttpRequest) -> HttpResponse:
    """Make a key."""
    assert isinstance(request.user, User)
    form = KeyForm(request.POST) if request.method == "POST" else KeyForm()
    if form.is_valid():
        try:
            key, secret = keys.make(owner=request.user, **form.choices())
        except keys.TooMany:
            form.add_error(None, _("You have %(most)d keys. Delete one that you do not use.") % {"most": keys.MOST})
        else:
            return _shown_once(request, key, secret)
    return render(
        request, "accounts/key_new.html", {"form": form, "scopes": SCOPES}, status=422 if form.errors else 200
    )


@own_page("GET", "POST", proof="to post")
def one(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """See and change a key."""
    key = _owned(request, key_id)
    form = KeyForm(request.POST) if request.method == "POST" else KeyForm.of(key)
    if form.is_valid():
        if keys.change(key, **form.choices()):
            messages.success(request, _("Saved. It holds from the next request on."))
        return redirect("accounts:key", key.pk)
    return _page(request, key, form=form)


def _page(request: HttpRequest, key: AccessKey, *, form: KeyForm, rotate: RotateForm | None = None) -> HttpResponse:
    context = {
        "key": key,
        "calls": key.calls + throttle.counted(str(key.pk)),
        "form": form,
        "rotate": rotate or RotateForm(),
        "scopes": SCOPES,
    }
    wrong = form.errors or (rotate and rotate.errors)
    return render(request, "accounts/key.html", context, status=422 if wrong else 200)


@own_page("POST", proof="always")
def rotate(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Give a key a new secret."""
    key = _owned(request, key_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        return _page(request, key, form=KeyForm.of(key), rotate=form)
    secret = keys.rotate(key, overlap=form.span())
    key.refresh_from_db()
    return _shown_once(request, key, secret)


@own_page("POST")
def disable(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Switch a key off at once."""
    keys.switch(_owned(request, key_id), on=False)
    messages.success(request, _("It is off: from now on nothing is let in by it."))
    return redirect("accounts:key", key_id)


@own_page("POST", proof="always")
def enable(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Switch a key on again."""
    keys.switch(_owned(request, key_id), on=True)
    messages.success(request, _("It is on again."))
    return redirect("accounts:key", key_id)


@own_page("GET", "POST", proof="to post")
def delete(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Remove a key for good, once that was asked for twice."""
    key = _owned(request, key_id)
    if request.method != "POST":
        return render(request, "accounts/key_delete.html", {"key": key})
    keys.delete(key)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": key.name})
    return redirect("accounts:keys")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def leaked(request: HttpRequest) -> HttpResponse:
    """Switch off a key by having it; nobody has to sign in, and nobody is told whether it was one."""
    form = LeakedForm(request.POST) if request.method == "POST" else LeakedForm()
    context = {"form": form, "done": False}
    if request.method == "POST":
        try:
            throttle.take({"refused": str(request.META.get("REMOTE_ADDR", ""))})
        except throttle.Exceeded as reached:
            answer = render(request, "429.html", status=429)
            answer["Retry-After"] = str(int(reached.wait) + 1)
            return answer
        if form.is_valid():
            keys.leaked(form.cleaned_data["secret"])
            context = {"form": LeakedForm(), "done": True}
    return render(request, "accounts/keys_leaked.html", context, status=422 if form.errors else 200)


def _owned(request: HttpRequest, key_id: UUID) -> AccessKey:
    """The key, if it is the asker's; to everybody else it does not exist."""
    return get_object_or_404(AccessKey, pk=key_id, owner_id=request.user.pk)


def _shown_once(request: HttpRequest, key: AccessKey, secret: str) -> HttpResponse:
    return render(request, "accounts/key_secret.html", {"key": key, "secret": secret})
