"""Every address of the site; each app owns its own part."""

from django.conf import settings
from django.urls import include, path

from modelmyimage import operators

urlpatterns = [
    path("", include("generation.urls")),
    path("", include("billing.urls")),
    path("", include("privacy.urls")),
    path("", include("accounts.urls")),
    path("", include("trust.urls")),
    path("operators/", operators.site.urls),
]

if settings.LOCAL:
    urlpatterns.append(path("", include("sandbox.urls")))
