"""How pages about an account's own things are guarded: for whoever is signed in, and kept by nobody on the way.

What gives more power, such as a new secret, asks once more who is there. What takes power away does not: a key that has
got into the wrong hands must be off at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., HttpResponse])


def own_page(
    *methods: Literal["GET", "POST"], proof: Literal["never", "to post", "always"] = "never"
) -> Callable[[View], View]:
    """A page that answers these methods (HEAD like GET), and when it asks for a new proof of who is there."""
    answered = [*methods, *(["HEAD"] if "GET" in methods else [])]

    def guard(view: View) -> View:
        guarded: Any = view
        if proof != "never":
            guarded = reauthentication_required(allow_get=proof == "to post")(guarded)
        return require_http_methods(answered)(never_cache(login_required(guarded)))  # type: ignore[no-any-return]  # guards are typed loosely

    return guard
