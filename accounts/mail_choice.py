"""What mail a person gets: what is necessary always, all else unless they object.

Necessary are codes, notices about the security of the account, answers to what a person asked about their data, and
changes to the terms. Whatever sends other mail leaves out whom ``NOT_WANTED`` names.
"""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import MailChoice, User
from privacy.requests import handling
from privacy.requests.rights import Right

NOT_WANTED: Final = Exists(MailChoice.objects.filter(user=OuterRef("user"), only_necessary=True))
"""Of a row with a ``user``: they get nothing beyond the necessary."""

DONE: Final = _later("You chose to get only the mail that has to be. It holds from now on.")


def only_necessary(user: User) -> bool:
    """Whether a person gets nothing beyond the necessary."""
    return MailChoice.objects.filter(user=user, only_necessary=True).exists()


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Choose. To object is a right, so using it is noted like any other."""
    user = request.user
    assert isinstance(user, User)
    before = only_necessary(user)
    if request.method != "POST":
        return render(request, "accounts/mail.html", {"only_necessary": before})
    wanted = request.POST.get("only_necessary") == "on"
    MailChoice.objects.update_or_create(user=user, defaults={"only_necessary": wanted})
    if wanted and not before:
        handling.fulfilled_at_once(user, Right.OBJECTION, DONE)
    messages.success(request, _("Saved. It holds from now on."))
    return redirect("accounts:mail")
