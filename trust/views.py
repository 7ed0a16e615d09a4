"""The public page of live figures. Quick, and the same for everybody: nothing on it depends on who looks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from generation import registry
from trust import figures


@require_safe
@cache_control(private=True, max_age=figures.FRESH_SECONDS)
def page(request: HttpRequest) -> HttpResponse:
    """What is held at this moment, how long it took to destroy, and what limits the promises."""
    open_ended = [card for card in registry.cards() if card.keeps is None or card.keeps or not card.self_hosted]
    return render(request, "trust/page.html", {"trust": figures.now(), "exceptions": open_ended})
