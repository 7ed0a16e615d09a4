"""What programs that read the web are told: the pages for everybody, and which addresses are a person's own.

Nothing relies on it. A page of a person's asks who looks, whatever a crawler was told.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from guides.shelf import PARTS
from trust.models import Document

PAGES: Final = (
    "generation:landing", "billing:pricing", "generation:providers", "api", "guides:contents", "trust", "trust:about",
    "trust:faq", "trust:contact", "privacy:verify", "privacy:data", "privacy:requests",
)  # fmt: skip
OWN: Final = (
    "account/", "api/", "billing", "create", "erasure/", "history", "in/", "jobs/", "operators/", "verify/log/",
)  # fmt: skip
"""Beginnings of addresses that show a person's own, or need one, or are for programs with a key."""


class Pages(Sitemap):  # type: ignore[type-arg]  # of strings; the class takes no argument when it runs
    """Every page that is for everybody."""

    protocol = "http" if settings.LOCAL else "https"

    def items(self) -> list[str]:
        """Their paths."""
        guides = [reverse("guides:guide", args=[name]) for part in PARTS for name in part.files]
        documents = [reverse("trust:document", args=[document]) for document in Document.values]
        return [*map(reverse, PAGES), *documents, *guides]

    def location(self, item: str) -> str:
        """A path is its own address."""
        return item


@require_safe
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    """``robots.txt`` (RFC 9309)."""
    lines = [
        "User-agent: *",
        *(f"Disallow: /{beginning}" for beginning in OWN),
        "",
        f"Sitemap: {settings.SITE_URL.rstrip('/')}{reverse('sitemap')}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


class Icon(RedirectView):
    """Where browsers look for an icon beside a page that names none, such as a file or a problem of the API's."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        """The icon that pages name."""
        return static("app/app-192.png")
