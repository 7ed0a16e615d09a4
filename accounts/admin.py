"""What operators do with accounts: end somebody's sessions, or everybody's. They see none of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import ending
from accounts.models import User


class EndForm(forms.Form):
    """Whose sessions."""

    whose = forms.ChoiceField(
        label=gettext_lazy("Whose"),
        choices=[("one", gettext_lazy("One account’s")), ("all", gettext_lazy("Everybody’s, yours too"))],
        initial="one",
    )
    account = forms.CharField(
        label=gettext_lazy("Account"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("Its number, or its whole e-mail address."),
    )

    def clean(self) -> dict[str, Any]:
        """The account that is meant and no similar one, or none for all."""
        said: dict[str, Any] = super().clean() or {}
        said["person"] = None
        if said.get("whose") == "one":
            text = said.get("account", "").strip()
            named = Q(pk=int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else Q(email__iexact=text)
            said["person"] = User.objects.filter(named).first()
            if said["person"] is None:
                self.add_error("account", ValidationError(_("There is no such account.")))
        return said


def urls(site: AdminSite) -> list[URLPattern]:
    """The form's address on the operators' pages."""

    def end(request: HttpRequest) -> HttpResponse:
        """Show the form; end what a sent one says."""
        assert isinstance(request.user, User)
        form = EndForm(request.POST) if request.method == "POST" else EndForm()
        if form.is_valid():
            person = form.cleaned_data["person"]
            count = ending.end(person, by=request.user)
            done = ngettext("%(n)d session ended.", "%(n)d sessions ended.", count) % {"n": count}
            if person is None or person == request.user:
                return redirect("account_login")
            messages.success(request, done)
            return redirect("admin:end_sessions")
        context = {**site.each_context(request), "title": _("End sessions"), "form": form}
        return render(request, "admin/end_sessions.html", context, status=422 if form.errors else 200)

    return [path("sessions/", site.admin_view(end), name="end_sessions")]
