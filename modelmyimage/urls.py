"""Every address of the site; each app owns its own part."""

from django.conf import settings
from django.urls import include, path

from modelmyimage import api, api_page, installed, operators

handler500 = "modelmyimage.faults.handler500"

urlpatterns = [
    path("", include("generation.urls")),
    path("", include("billing.urls")),
    path("", include("privacy.urls")),
    path("", include("accounts.urls")),
    path("", include("trust.urls")),
    path("", include("guides.urls")),
    path("manifest.webmanifest", installed.manifest, name="manifest"),
    path("service-worker.js", installed.worker, name="worker"),
    path("offline", installed.offline, name="offline"),
    path("create/shared", installed.shared, name="shared"),
    path("api", api_page.page, name="api"),
    path("", include(api.urlpatterns)),
    path("operators/", operators.site.urls),
]

if settings.LOCAL:
    urlpatterns.append(path("", include("sandbox.urls")))
