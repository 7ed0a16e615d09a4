"""What is answered when nobody caught an exception: our fault, or that the database is away, for which one may wait."""

from __future__ import annotations

import sys
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from generation.leases import AWAY

AWAY_SECONDS: Final = 30
"""After how long to ask again: about how long a database takes to start."""


def handler500(request: HttpRequest) -> HttpResponse:
    """Django's view for uncaught exceptions, called while one is handled."""
    if isinstance(sys.exc_info()[1], AWAY):
        # No context of a page: that would ask the database.
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(AWAY_SECONDS)})
    return server_error(request)
