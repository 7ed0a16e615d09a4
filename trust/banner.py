"""A note on every page of whoever is signed in: what changes in our documents, until they put it away.

Which changes there are is looked up once a minute for everybody; only while there is one, a page asks once more: what
this account put away. The first page that shows it is written down.
"""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import User
from trust import publishing, shown, sign_up
from trust.models import Shown, Version


class Notices:
    """What pages say of our documents, each looked up only when a page shows it."""

    def __init__(self, request: HttpRequest) -> None:
        self._user = getattr(request, "user", None)
        self.back = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
        """Where a page comes back to after the note was put away."""

    @cached_property
    def changes(self) -> list[Version]:
        """Changes of which this account is to be told now."""
        if not isinstance(self._user, User):
            return []
        # Whoever came after it took effect was told of it when signing up.
        due = [one for one in publishing.changes() if self._user.date_joined < one.effective_at]
        if not due:
            return []
        rows = Shown.objects.filter(account=self._user, version__in=due, how=Shown.How.BANNER)
        put_away = dict(rows.values_list("version", "dismissed_at"))
        if new := [one for one in due if one.pk not in put_away]:
            shown.note(self._user, new, Shown.How.BANNER)
        return [one for one in due if put_away.get(one.pk) is None]

    @cached_property
    def on_signing_up(self) -> list[Version]:
        """Terms and privacy policy as they hold for whoever signs up now."""
        return sign_up.told()


def notices(request: HttpRequest) -> dict[str, Notices]:
    """Adds ``notices`` to every template's context."""
    return {"notices": Notices(request)}


@require_POST
@login_required
def put_away(request: HttpRequest) -> HttpResponse:
    """No longer show the changes that the form names; others that came meanwhile stay."""
    named = [int(pk) for pk in request.POST.getlist("version")[:20] if pk.isdecimal() and len(pk) < 19]
    rows = Shown.objects.filter(account=request.user.pk, version__in=named, how=Shown.How.BANNER, dismissed_at=None)
    rows.update(dismissed_at=timezone.now())
    back = request.POST.get("back", "/")
    home = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if home else "/")
