"""Pages on which people make, change, try and remove webhooks, and see what each was told.

A secret is on the page that answers the form, and nowhere else.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import security_log, throttle
from accounts.key_forms import RotateForm
from accounts.models import User
from accounts.own_pages import own_page
from generation.models import Delivery, Webhook
from generation.notifications import log, outbox, sending, subscribing
from generation.notifications.forms import WebhookForm
from generation.notifications.messages import KINDS, TEST

EVENTS: Final = (*KINDS, TEST)


@own_page("GET")
def overview(request: HttpRequest) -> HttpResponse:
    """All of one's webhooks, and what was changed of them."""
    assert isinstance(request.user, User)
    mine = list(request.user.webhooks.order_by("-created_at"))
    context = {
        "webhooks": mine,
        "full": len(mine) >= subscribing.MOST,
        "most": subscribing.MOST,
        "events": security_log.latest(request.user, security_log.WEBHOOKS),
    }
    return render(request, "webhooks/list.html", context)


@own_page("GET", "POST", proof="always")
def new(request: HttpRequest) -> HttpResponse:
    """Make a webhook."""
    assert isinstance(request.user, User)
    form = WebhookForm(request.POST) if request.method == "POST" else WebhookForm()
    if form.is_valid():
        try:
            webhook, secret = subscribing.make(owner=request.user, **form.choices())
        except subscribing.TooMany:
            said = _("You have %(most)d webhooks. Delete one that you do not use.")
            form.add_error(None, said % {"most": subscribing.MOST})
        else:
            return _shown_once(request, webhook, secret)
    context = {"form": form, "kinds": KINDS}
    return render(request, "webhooks/new.html", context, status=422 if form.errors else 200)


@own_page("GET", "POST", proof="to post")
def one(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """See and change a webhook, and see what it was told."""
    webhook = _owned(request, webhook_id)
    form = WebhookForm(request.POST) if request.method == "POST" else WebhookForm.of(webhook)
    if form.is_valid():
        if subscribing.change(webhook, **form.choices()):
            messages.success(request, _("Saved. It holds from the next event on."))
        return redirect("generation:webhook", webhook.pk)
    return _page(request, webhook, form=form)


def _page(
    request: HttpRequest, webhook: Webhook, *, form: WebhookForm, rotate: RotateForm | None = None
) -> HttpResponse:
    asked = request.GET
    state = asked.get("state", "") if asked.get("state") in Delivery.State else ""
    kind = asked.get("event", "") if asked.get("event") in EVENTS else ""
    before = asked.get("before", "")
    found = log.page(webhook, state=state, kind=kind, before=before)
    context = {
        "webhook": webhook,
        "form": form,
        "rotate": rotate or RotateForm(),
        "kinds": KINDS,
        "log": [(delivery, sending.FAILURES.get(delivery.failure, "")) for delivery in found.deliveries],
        "before": found.before,
        "state": state,
        "event": kind,
        "events": EVENTS,
        "filtered": bool(state or kind or before),
        "given_up": webhook.deliveries.filter(state=Delivery.State.GIVEN_UP).count(),
        "waiting": webhook.deliveries.filter(state=Delivery.State.WAITING).count(),
    }
    wrong = form.errors or (rotate and rotate.errors)
    return render(request, "webhooks/one.html", context, status=422 if wrong else 200)


@own_page("POST", proof="always")
def rotate(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Give a webhook a new secret."""
    webhook = _owned(request, webhook_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        return _page(request, webhook, form=WebhookForm.of(webhook), rotate=form)
    secret = subscribing.rotate(webhook, overlap=form.span())
    webhook.refresh_from_db()
    return _shown_once(request, webhook, secret)


@own_page("POST")
def test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send it a notification of nothing."""
    webhook = _owned(request, webhook_id)
    if not webhook.enabled:
        messages.error(request, _("It is off. Switch it on first."))
    elif _allowed(request):
        outbox.test(webhook)
        messages.success(request, _("On its way. In a few seconds, the log below says what became of it."))
    return redirect("generation:webhook", webhook.pk)


@own_page("POST")
def replay(request: HttpRequest, webhook_id: UUID, delivery_id: UUID | None = None) -> HttpResponse:
    """Send one thing again, or all that were given up."""
    webhook = _owned(request, webhook_id)
    if delivery_id is not None:
        get_object_or_404(Delivery, pk=delivery_id, webhook=webhook)
    if _allowed(request):
        count = subscribing.send_again(webhook, delivery_id)
        sent = ngettext("%(n)d goes out again.", "%(n)d go out again.", count) % {"n": count}
        messages.success(request, sent if webhook.enabled else _("They go out once you switch it on."))
    return redirect("generation:webhook", webhook.pk)


@own_page("POST")
def disable(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Switch a webhook off at once."""
    subscribing.switch(_owned(request, webhook_id), on=False)
    messages.success(request, _("It is off: nothing is sent to it. What happens meanwhile, it is never told."))
    return redirect("generation:webhook", webhook_id)


@own_page("POST", proof="always")
def enable(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Switch a webhook on again."""
    subscribing.switch(_owned(request, webhook_id), on=True)
    messages.success(request, _("It is on. What was waiting for it goes out now."))
    return redirect("generation:webhook", webhook_id)


@own_page("GET", "POST", proof="to post")
def delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Remove a webhook for good, once that was asked for twice."""
    webhook = _owned(request, webhook_id)
    if request.method != "POST":
        return render(request, "webhooks/delete.html", {"webhook": webhook})
    subscribing.delete(webhook)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": webhook.name})
    return redirect("generation:webhooks")


def _owned(request: HttpRequest, webhook_id: UUID) -> Webhook:
    """The webhook, if it is the asker's; to everybody else it does not exist."""
    return get_object_or_404(Webhook, pk=webhook_id, owner_id=request.user.pk)


def _allowed(request: HttpRequest) -> bool:
    """Whether the account may have something sent now; if not, the next page says when."""
    try:
        throttle.take({"webhook_sends": str(request.user.pk)})
    except throttle.Exceeded as reached:
        wait = int(reached.wait) + 1
        said = ngettext("That was often. Wait %(n)d second.", "That was often. Wait %(n)d seconds.", wait)
        messages.error(request, said % {"n": wait})
        return False
    return True


def _shown_once(request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
    return render(request, "webhooks/secret.html", {"webhook": webhook, "secret": secret})
