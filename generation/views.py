"""The pages of the main job. Thin: each checks who asks, calls the module that owns the rule, and renders."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles.finders import find
from django.db import close_old_connections
from django.db.models import prefetch_related_objects
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.models import User
from billing import ledger
from generation import (
    choices,
    ending,
    events,
    history,
    intake,
    offering,
    on_device,
    pipeline,
    received,
    registry,
    uploads,
)
from generation.forms import JobForm, limits, more_photos
from generation.models import Job
from generation.options import FORMATS, PRINT_MM, TRIANGLES
from generation.snapshot import fetchable, snapshot
from generation.specimen import specimen
from generation.streams import Stream
from privacy import proofs, receipts, vault
from privacy.models import Receipt

SAMPLES = ("mug", "boat", "mushroom", "vase")
REFRESH_SECONDS = 3

WAITS = "/create#shared"
"""The create page with a photo that waits on the person's device."""

FIRST_OFFERS = 4
"""So many offers are shown at once; one more is, too, but more than that are folded away."""

SHORT = 402  # of an answer to somebody who has too few credits

BLAMED = {
    "no_provider": "provider",
    "nothing_offered": "provider",
    "restricted": "provider",
    "option_not_offered": "provider",
    "views_not_offered": "provider",
    "format_not_offered": "format",
    "too_expensive": "most_credits",
}
"""The field that a refusal of the intake is about, by its code; the others are about the photo."""


@on_device.runs_webassembly  # the viewer's decoders
@gzip_page
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What this is, for somebody who has never seen it."""
    return render(
        request,
        "generation/landing.html",
        {
            "cards": registry.cards(),
            "grant": settings.GRANT_CREDITS,
            "limits": limits(),
            "specimen": specimen(),
            "waits": WAITS,
        },
    )


@gzip_page
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Send a photo. The script asks for JSON and stays on the page; without it the form posts and follows."""
    assert isinstance(request.user, User)
    if request.method != "POST":
        return _create_page(request, JobForm(initial={"request_key": uuid4()}))
    form = JobForm(request.POST, request.FILES)
    if not form.is_valid():
        reason = uploads.refusal(request)
        if reason:
            form.explain(reason)
        return _refused(request, form, reason or "invalid")
    try:
        job = intake.receive(
            owner=request.user,
            uploads={view: photo.take() for view, photo in form.photos().items()},
            wishes=form.wishes(),
            request_key=form.cleaned_data["request_key"] or uuid4(),
        )
    except intake.NotAccepted as refused:
        form.add_error(BLAMED.get(refused.code, "photo"), refused.message)
        return _refused(request, form, refused.code)
    url = reverse("generation:job", args=[job.pk])
    return JsonResponse({"job": url}, status=201) if _wants_json(request) else redirect(url)


def _create_page(request: HttpRequest, form: JobForm, status: int = 200) -> HttpResponse:
    assert isinstance(request.user, User)
    offers = offering.offers(request.user)
    open_offers = [offer for offer in offers if offer.open]
    # With nobody to send to, the choices are shown as they would be, and the page says why there is no button.
    cards = [offer.card for offer in open_offers or offers]
    provider = form["provider"].value() or ""
    if len(open_offers) == 1 or provider not in {offer.card.name for offer in open_offers}:
        provider = open_offers[0].card.name if len(open_offers) == 1 else ""
    first = open_offers if len(open_offers) <= FIRST_OFFERS + 1 else open_offers[:FIRST_OFFERS]
    folded = open_offers[len(first) :]
    quoted = offering.quoted(offers, provider)
    context = {
        "form": form,
        "offers": offers,
        "first_offers": first,
        "folded_offers": folded,
        "closed_offers": [offer for offer in offers if not offer.open],
        "nobody": not open_offers,
        "limited": any(offer.excluded for offer in offers),
        "provider": provider,
        "chosen_is_folded": provider in {offer.card.name for offer in folded},
        "qualities": [(name, label, quoted[name]) for name, label in choices.QUALITIES],
        "balance": ledger.balance(request.user),
        # Whose draft the browser keeps: says nothing to anybody but whether it is the same account.
        "account": salted_hmac("generation.draft", str(request.user.pk)).hexdigest()[:32],
        "selling": settings.BILLING,
        "short": status == SHORT,
        "limits": limits(),
        "device": on_device.told(),
        # An option that no provider honours is not shown; asked for all the same, it is refused by name.
        "offered": {"keep_all"}.union(*(card.options for card in cards)),
        "formats": sorted(frozenset({"glb"}).union(*(card.formats for card in cards)), key=FORMATS.index),
        "more_photos": more_photos(form, frozenset().union(*(card.views for card in cards))),
        "labels": choices.OPTIONS,
        "print_mm": PRINT_MM,
        "triangles": TRIANGLES,
        "samples": [
            {"name": name, "url": static(f"samples/{name}.jpg"), "small": static(f"samples/small/{name}.webp")}
            for name in SAMPLES
            if find(f"samples/{name}.jpg")
        ],
    }
    return render(request, "generation/create.html", context, status=status)


def _refused(request: HttpRequest, form: JobForm, code: str) -> HttpResponse:
    status = {"insufficient_credits": SHORT, "unavailable": 503}.get(code, 422)
    if not _wants_json(request):
        if "photo" not in form.errors:
            form.add_error(
                "photo", _("Something on this page needs a change. The photo was not kept: choose it again, too.")
            )
        return _create_page(request, form, status)
    problem = {
        "type": "about:blank",
        "title": _("The photo was not taken"),
        "status": status,
        "code": code,
        "detail": " ".join(str(message) for messages in form.errors.values() for message in messages),
        "errors": form.errors.get_json_data(),
    }
    return JsonResponse(problem, status=status, content_type="application/problem+json")


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _owned(request: HttpRequest, job_id: UUID) -> Job:
    """The job, if it is the asker's; to everybody else it does not exist."""
    return get_object_or_404(Job, pk=job_id, owner_id=request.user.pk)


@on_device.runs_webassembly  # the viewer's decoders
@never_cache
@login_required
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job: its stages while it runs, the model while it waits, the receipt when it is over."""
    found = _owned(request, job_id)
    receivers = received.receivers(found)
    kept = Receipt.objects.filter(group=found.pk).first()
    context: dict[str, Any] = {
        "job": found,
        "snapshot": snapshot(found),
        "receivers": receivers,
        "holder": received.holder(receivers),
        "open_copies": list(dict.fromkeys(one.provider for one in receivers if one.open)),
        "receipt": kept,
        "receipt_file": kept and proofs.file_of(kept),
        "refresh": None if found.stage == Job.Stage.OVER or fetchable(found) else REFRESH_SECONDS,
    }
    return render(request, "generation/job.html", context)


@never_cache
@login_required
@require_safe
def state(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The job's snapshot, for a browser whose event stream does not get through."""
    return JsonResponse(snapshot(_owned(request, job_id)))


async def _asked(request: HttpRequest, job_id: UUID) -> Job:
    user = await request.auser()
    found = await Job.objects.filter(pk=job_id, owner_id=user.pk).afirst() if user.is_authenticated else None
    if found is None:
        raise Http404
    return found


@never_cache
@require_GET
async def job_events(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """The job's live updates."""
    await _asked(request, job_id)
    response = StreamingHttpResponse(events.stream(job_id), content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


@never_cache
@require_GET
async def asset(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """The GLB, decrypted as it streams; a transfer that breaks changes nothing."""
    found = await _asked(request, job_id)
    if not fetchable(found) or found.asset_id is None:
        raise Http404
    try:
        reading = await sync_to_async(_opened)(found.asset_id)
    except vault.Unavailable:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    except vault.VaultError:
        await pipeline.awake(found)  # it finds out what was lost, gives the credits back and says so
        raise Http404 from None
    response = Stream(vault.aread(reading), content_type="model/gltf-binary")
    response["Content-Length"] = str(found.asset_bytes)
    response["Content-Disposition"] = f'attachment; filename="model-{str(found.pk)[:8]}.glb"'
    response["Accept-Ranges"] = "none"
    return response


def _opened(asset_id: UUID) -> vault.Reading:
    try:
        return vault.opened(asset_id)
    finally:
        close_old_connections()  # a slow reader needs none


@login_required
@require_POST
def acknowledge(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The owner has the whole file: destroy ours."""
    found = _owned(request, job_id)
    ending.acknowledge(found)
    return _answer(request, found)


@login_required
@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Stop the job, or destroy what waits for its owner."""
    found = _owned(request, job_id)
    ending.cancel(found)
    return _answer(request, found)


def _answer(request: HttpRequest, found: Job) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(snapshot(found))
    return redirect("generation:job", found.pk)


@never_cache
@login_required
@require_safe
def receipt(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The job's receipt as a file."""
    kept = get_object_or_404(Receipt, group=_owned(request, job_id).pk)
    response = HttpResponse(receipts.encode(proofs.file_of(kept)), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{str(job_id)[:8]}.json"'
    return response


@never_cache
@login_required
@require_safe
def job_history(request: HttpRequest) -> HttpResponse:
    """The owner's jobs, as metadata."""
    assert isinstance(request.user, User)
    wanted = request.GET.get("state", "")
    page = history.page(owner=request.user, state=wanted, before=request.GET.get("before", ""))
    prefetch_related_objects(page.jobs, "attempts")
    context = {
        "jobs": [(found, received.filed(found)) for found in page.jobs],
        "before": page.before,
        "state": wanted if wanted in history.STATES else "",
        "states": history.STATES,
        "first": not request.GET.get("before"),
        "span": history.span(page, first=not request.GET.get("before")) if not wanted else None,
    }
    return render(request, "generation/history.html", context)


@on_device.runs_webassembly  # the viewer's decoders
@never_cache
@login_required
@require_safe
def kept(request: HttpRequest) -> HttpResponse:
    """A model that the browser keeps. Which one stands in the address's fragment, which is not sent."""
    return render(request, "generation/kept.html", {"any": UUID(int=0)})
