"""A tiny site for the tests of uploads, run by a real uvicorn in a child process: settings, addresses and views in one.

Its views tell what they were given; its ``tempfile`` refuses to make any file, unless ``MAY_SPOOL`` is set.
"""

import os
import tempfile
from typing import Any

from modelmyimage.settings import *  # noqa: F403  # settings of a site are a module of names

ROOT_URLCONF = "tests.uploadsite"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "accounts", "privacy"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"413.html": "{{ title }}: {{ detail }}"})]},
    }
]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
if "MAY_SPOOL" in os.environ:
    FILE_UPLOAD_MAX_MEMORY_SIZE = 1000


def refuse(*args: Any, **kwargs: Any) -> Any:
    """In the place of everything that makes a temporary file."""
    raise AssertionError("A temporary file was asked for.")


def sign_in(request: Any) -> Any:
    """Whoever asks is signed in; answers with a CSRF token."""
    from django.contrib.auth import get_user_model, login
    from django.http import HttpResponse
    from django.middleware.csrf import get_token

    user, _ = get_user_model().objects.get_or_create(email="owner@example.com")
    login(request, user, backend=AUTHENTICATION_BACKENDS[0])
    return HttpResponse(get_token(request))


def token(request: Any) -> Any:
    """A CSRF token for somebody who is not signed in."""
    from django.http import HttpResponse
    from django.middleware.csrf import get_token

    return HttpResponse(get_token(request))


def create(request: Any) -> Any:
    """Takes the photo, leaves it, or fails, as the field ``then`` says; answers with what the form held."""
    from django.http import JsonResponse

    from generation.uploads import refusal

    photo = request.FILES.get("photo")
    answer = {
        "files": sorted(request.FILES),
        "size": photo and photo.size,
        "name": photo and photo.name,
        "blob": None,
        "refusal": refusal(request),
        "signed_in": request.user.is_authenticated,
        "note": request.POST.get("note", ""),
    }
    if request.POST.get("then") == "fail":
        raise RuntimeError("The view fails.")
    if photo and request.POST.get("then") == "take":
        answer["blob"] = str(photo.take())
    return JsonResponse(answer)


def application() -> Any:
    """For ``uvicorn --factory``: put together as in production, with a cap of 1 MB on all paths but ``/create``."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.uploadsite"
    from django.core.asgi import get_asgi_application
    from django.urls import path

    from modelmyimage.bodylimit import FORM_OVERHEAD, BodyLimit

    views = {"in": sign_in, "token": token, "create": create, "other": create}
    globals()["urlpatterns"] = [path(name, view) for name, view in views.items()]
    site = get_asgi_application()
    if "MAY_SPOOL" not in os.environ:
        tempfile._mkstemp_inner = refuse  # type: ignore[attr-defined]  # below every function that makes a file
        for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp", "mkdtemp"):
            setattr(tempfile, name, refuse)
    return BodyLimit(site, limit=1_000_000, larger={"/create": UPLOAD_LIMIT_BYTES + FORM_OVERHEAD})  # noqa: F405
