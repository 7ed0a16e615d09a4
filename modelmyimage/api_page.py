"""The page about the API: how to begin, what may go wrong, how much is allowed, and each endpoint.

All of it is read from what the API itself goes by: its schema, its problems, its limits.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(request: HttpRequest) -> HttpResponse:
    """For everybody."""
    return render(request, "api/page.html", {})
