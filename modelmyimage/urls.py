"""Every address of the site; each app owns its own part."""

from django.conf import settings
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path

from modelmyimage import api, api_page, crawlers, installed, operators

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
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", sitemap, {"sitemaps": {"pages": crawlers.Pages}}, name="sitemap"),
    path("favicon.ico", crawlers.Icon.as_view(), name="icon"),
    path("offline", installed.offline, name="offline"),
    path("create/shared", installed.shared, name="shared"),
    path("api", api_page.page, name="api"),
    path("", include(api.urlpatterns)),
    path("operators/", operators.site.urls),
]

if settings.LOCAL:
    urlpatterns.append(path("", include("sandbox.urls")))
