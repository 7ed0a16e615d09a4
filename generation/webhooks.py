"""Services may tell us that a call is done. Whatever they say is only a reason to look now instead of later."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from generation import pipeline, registry
from generation.models import Attempt
from generation.provider import Forged, Hooked

LONGEST: Final = 4_000_000
"""Bytes of a body; services repeat what they were sent, photos in base64 among it."""


@csrf_exempt
@require_POST
def hook(request: HttpRequest, name: str) -> HttpResponse:
    """Verify, wake the job, answer. A body is neither kept nor believed; a stranger learns nothing from the answer."""
    try:
        provider = registry.get(name)
    except registry.NotListed:
        return HttpResponse(status=404)
    if not isinstance(provider, Hooked):
        return HttpResponse(status=404)
    body = request.read(LONGEST + 1)
    if len(body) > LONGEST:
        return HttpResponse(status=413)
    headers = {header.lower(): value for header, value in request.headers.items()}
    try:
        remote_id = provider.heard(headers, body, now=timezone.now())
    except Forged:
        return HttpResponse(status=400)
    running = Attempt.objects.filter(provider=name, remote_id=remote_id, state=Attempt.State.RUNNING)
    for attempt in running.exclude(remote_id="").select_related("job"):
        pipeline.wake(attempt.job)
    return HttpResponse(status=200)
