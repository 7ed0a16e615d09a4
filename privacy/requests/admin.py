"""What operators do with requests: a queue by due date, each with its course, answered, extended or refused there.

It takes the permission to view data requests to read them, and the one to change them to answer; being an operator is
not enough, since people write about themselves here. Whatever is done is a step of the request, and a line of the
operators' log that says what was done and nothing of what was written.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from privacy import erasure
from privacy.requests import answers, clock, handling, numbers
from privacy.requests.errors import NoMoreTime, NotOpen, OwnRequest, RequestError
from privacy.requests.models import SubjectRequest
from privacy.requests.rights import LAWS, NAMES, Right

LONGEST = 6000
"""Of an operator's words; the reason of a refusal is put before them."""

SAID: dict[type[RequestError], Any] = {
    NotOpen: gettext_lazy("Somebody has closed it meanwhile. Nothing was changed."),
    NoMoreTime: gettext_lazy("Its time was extended before, or is over."),
    OwnRequest: gettext_lazy("Nobody answers what they asked themselves: ask another operator."),
}


class WordsForm(forms.Form):
    """What the person is told."""

    words = forms.CharField(
        label=gettext_lazy("What the person reads"),
        widget=forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField"}),
        min_length=10,
        max_length=LONGEST,
    )

    def clean_words(self) -> str:
        """A template's gaps must be filled in."""
        words = str(self.cleaned_data["words"])
        if "[" in words:
            raise ValidationError(_("Fill in what is in [brackets], or take it out."))
        return words


class RefusalForm(WordsForm):
    """Why it is refused, and what more there is to say."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=[("", "—"), *answers.Reason.choices])
    field_order = ["reason", "words"]


class ErasureForm(forms.Form):
    """The account is erased after its grace, in which whoever signs in can undo it."""

    checked = forms.BooleanField(
        label=gettext_lazy("I have checked that who asks is whose account it is"),
        error_messages={"required": gettext_lazy("Say that you have checked it.")},
    )


class SubjectRequestAdmin(ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    """Requests; search: the reference, whole."""

    list_display = ("reference", "what", "under", "state", "due", "waits")
    list_display_links = ("reference",)
    list_filter = ("state", "right", "law", "at_once")
    search_fields = ("reference__iexact",)
    actions = None
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubjectRequest]:
        """Without those that nobody has confirmed: they may be in anybody's name."""
        return SubjectRequest.objects.exclude(state=SubjectRequest.State.UNCONFIRMED)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """What is open first, by its last day."""
        return [F("closed_at").desc(nulls_first=True), "due_on", "received_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody asks in somebody's name."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They go by themselves."""
        return False

    def what(self, found: SubjectRequest) -> str:
        """The right in a word."""
        return str(NAMES[found.right])

    def under(self, found: SubjectRequest) -> str:
        """The law in a word."""
        return str(LAWS[found.law])

    def due(self, found: SubjectRequest) -> date | None:
        """The last day of what is open."""
        return found.due_on if found.state == SubjectRequest.State.OPEN else None

    def waits(self, found: SubjectRequest) -> str:
        """How long there is, in words."""
        if found.state != SubjectRequest.State.OPEN or found.days_left is None:
            return ""
        left = found.days_left
        if left < 0:
            return ngettext("OVERDUE by %(n)d day", "OVERDUE by %(n)d days", -left) % {"n": -left}
        return ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left}

    def get_urls(self) -> list[URLPattern]:
        """The numbers, before the pattern that takes anything for an id."""
        shown = self.admin_site.admin_view(self.numbers)
        return [path("numbers/", shown, name="privacy_request_numbers"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A request with its course; and, while it is open and the operator may, three ways on."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        assert isinstance(found, SubjectRequest)
        begun = answers.template(found.right, request.GET.get("template", ""))
        shown: dict[str, forms.Form] = {
            "answer": WordsForm(prefix="answer", initial={"words": begun}),
            "extend": WordsForm(prefix="extend"),
            "refuse": RefusalForm(prefix="refuse"),
        }
        if found.right == Right.DELETION and found.person is not None and erasure.of(found.person) is None:
            shown["erase"] = ErasureForm(prefix="erase")
        tried: dict[str, forms.Form] = {}
        if request.method == "POST":
            if not self.has_change_permission(request, found):
                raise PermissionDenied
            what = request.POST.get("do", "")
            if what in shown:
                shown[what] = type(shown[what])(request.POST, prefix=what)
                if shown[what].is_valid() and self._do(request, found, what, shown[what]):
                    return redirect("admin:privacy_subjectrequest_change", found.pk)
                tried = {what: shown[what]}  # what was typed stays, though somebody may have closed it meanwhile
        context = {
            **self.admin_site.each_context(request),
            "title": found.reference,
            "opts": self.opts,
            "found": found,
            "facts": self._facts(found),
            "steps": found.steps.all(),
            "forms": shown if self._may_act(request, found) else tried,
            "templates": answers.TEMPLATES[found.right],
            "may_extend": self._may_be_extended(found) or "extend" in tried,
            "later": clock.extended(found.law, found.received_on),
            "grace_days": erasure.GRACE.days,
        }
        return render(
            request,
            "admin/privacy/subjectrequest/handle.html",
            context,
            status=422 if request.method == "POST" else 200,
        )

    def _may_act(self, request: HttpRequest, found: SubjectRequest) -> bool:
        return self.has_change_permission(request, found) and found.state == SubjectRequest.State.OPEN

    def _may_be_extended(self, found: SubjectRequest) -> bool:
        already = found.extended_at is not None
        return found.due_on is not None and clock.may_be_extended(
            found.due_on, already=already, today=timezone.localdate()
        )

    def _facts(self, found: SubjectRequest) -> list[tuple[str, Any]]:
        """What is known of it. Whose it is, is a number: who they are is for the answer, not for the queue."""
        who = _("account %(n)d") % {"n": found.person_id} if found.person_id else _("nobody with an account")
        return [
            (_("Right"), found.get_right_display()),
            (_("Law"), found.get_law_display()),
            (_("State"), found.state),
            (_("Whose"), who),
            (_("Address"), found.address or _("the account’s")),
            (_("Received"), found.received_at),
            (_("Confirmed"), found.confirmed_at),
            (_("Answer by"), found.due_on),
            (_("Left"), self.waits(found) or "—"),
            *self._erasure_of(found),
        ]

    def _erasure_of(self, found: SubjectRequest) -> list[tuple[str, Any]]:
        """When the account goes, if it has been asked for."""
        row = erasure.of(found.person) if found.person is not None else None
        return [(_("Account is erased"), row.runs_at)] if row else []

    def _do(self, request: HttpRequest, found: SubjectRequest, what: str, said: forms.Form) -> bool:
        """Answer, extend, refuse, or have the account erased; whether it was done."""
        operator = request.user
        assert isinstance(operator, AbstractBaseUser)
        words = said.cleaned_data.get("words", "")
        try:
            if what == "answer":
                handling.answer(found, words=words, by=operator)
            elif what == "extend":
                handling.extend(found, words=words, by=operator)
            elif what == "erase":
                handling.erase(found, by=operator)
            else:
                handling.refuse(found, reason=said.cleaned_data["reason"], words=words, by=operator)
        except RequestError as error:
            said.add_error(None, SAID[type(error)])
            return False
        except erasure.Refused as error:
            said.add_error(None, str(error.message))
            return False
        done = {
            "answer": _("Answered."),
            "extend": _("Extended."),
            "refuse": _("Refused."),
            "erase": _("The account will be erased."),
        }[what]
        self.log_change(request, found, done)
        messages.success(request, _("%(done)s The person gets a letter.") % {"done": done})
        return True

    def numbers(self, request: HttpRequest) -> HttpResponse:
        """The numbers of a month, without anybody's name."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        this_month = timezone.localdate().replace(day=1)
        try:
            day = numbers.parse_month(request.GET.get("month", ""))
        except ValueError:
            day = this_month
        context = {
            **self.admin_site.each_context(request),
            "title": _("Requests of a month"),
            "opts": self.opts,
            "day": day,
            "before": clock.months_later(day, -1),
            "after": clock.months_later(day, 1) if day < this_month else None,
            "lines": [(NAMES[line.right], LAWS[line.law], line) for line in numbers.monthly(day)],
        }
        return render(request, "admin/privacy/subjectrequest/numbers.html", context)


def register(site: AdminSite) -> None:
    """Show requests to operators."""
    site.register(SubjectRequest, SubjectRequestAdmin)
