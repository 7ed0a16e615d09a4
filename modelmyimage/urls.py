"""Every address of the site; each app owns its own part."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("generation.urls")),
    path("", include("billing.urls")),
    path("", include("privacy.urls")),
    path("", include("accounts.urls")),
]

if settings.LOCAL:
    urlpatterns.append(path("", include("sandbox.urls")))
