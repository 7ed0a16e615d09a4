"""The site as an installed app: its manifest, its service worker, its page without a network, photos shared to it.

The service worker (``frontend/service-worker.js``) keeps the site's own files on the device and one page to show
without a network. It never keeps a page of a person's, and hands shared photos to the create page unsent.
"""

from __future__ import annotations

import json
from typing import Final

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from generation.api_schema import PICTURES

PARTS: Final = ("dist/site.css", "dist/making.css", "dist/site.js", "dist/create.js", "icons.svg", "favicon.svg")
"""What the page without a network is made of, and what a person in a hurry wants to have here already."""

ICONS: Final = (
    ("app-192.png", "192x192", "any"),
    ("app-512.png", "512x512", "any"),
    ("app-maskable.png", "512x512", "maskable"),
)


@require_safe
@cache_control(max_age=3600)
@vary_on_headers("Accept-Language", "Cookie")
def manifest(request: HttpRequest) -> JsonResponse:
    """What a browser needs to install it."""
    return JsonResponse(
        {
            "id": "/",
            "name": "ModelMyImage",
            "short_name": "ModelMyImage",
            "description": _("Turns a photo into a 3D model, and keeps neither."),
            "lang": get_language(),
            "start_url": reverse("generation:create"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#f3f5f3",
            "theme_color": "#f3f5f3",
            "icons": [
                {"src": static(f"app/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
                for name, sizes, purpose in ICONS
            ],
            "shortcuts": [
                {"name": _("Make a model"), "url": reverse("generation:create")},
                {"name": _("History"), "url": reverse("generation:history")},
            ],
            "share_target": {
                "action": reverse("shared"),
                "method": "POST",
                "enctype": "multipart/form-data",
                "params": {"files": [{"name": "photos", "accept": list(PICTURES)}]},
            },
        },
        content_type="application/manifest+json",
    )


@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the top so that it may serve the whole site. Raises ``FileNotFoundError`` if not built."""
    path = finders.find("dist/service-worker.js") if settings.LOCAL else None
    with open(path, "rb") if path else staticfiles_storage.open("dist/service-worker.js") as file:
        script = file.read().decode()
    known = {
        "offline": reverse("offline"),
        "shared": reverse("shared"),
        "create": reverse("generation:create"),
        "choosing": [reverse("accounts:language"), reverse("accounts:theme")],
        "files": settings.STATIC_URL,
        "parts": [static(part) for part in PARTS],
    }
    return HttpResponse(f"self.SITE = {json.dumps(known)};\n{script}", content_type="text/javascript")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the app shows without a network. The same for everybody: it is kept on the device."""
    return render(request, "offline.html")


@csrf_exempt  # the phone's own share sheet sends it; nothing is done with it here
@require_POST
def shared(request: HttpRequest) -> HttpResponse:
    """A photo that was shared before the service worker ran: it is not looked at, and has to be chosen once more."""
    return redirect(f"{reverse('generation:create')}#share-again")
