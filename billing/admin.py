"""What operators see of credits and purchases: everything, read-only, found by exact ids; and one form that adjusts.

Nothing here is changed, added or removed: the ledger by its own rule, the rest because Stripe says what it says. The
one exception, an adjustment, is a transaction of its own (``billing/adjustments.py``).
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite, EmptyFieldListFilter, ModelAdmin, TabularInline
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing import adjustments, ledger
from billing.models import Adjustment, Entry, LedgerAccount, Order, Payment, StripeEvent, Subscription, Transaction


def _operator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)


class Entries(TabularInline):  # type: ignore[type-arg]  # generic for the type checker only
    """A transaction's entries."""

    model = Entry
    template = "admin/billing/transaction/entries.html"
    verbose_name_plural = gettext_lazy("Entries")
    fields = ("account", "amount")
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators see it."""
        return _operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False


class Shown(ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    """Rows to look at. ``exact`` are the fields that a search compares, whole and alone."""

    exact: ClassVar[tuple[str, ...]] = ()
    actions = None
    ordering = ("-pk",)
    show_full_result_count = False
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Operators see it."""
        return _operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators see it."""
        return _operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """So that the box is there."""
        return self.exact

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows with exactly that account, id or Stripe id; never similar ones."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(pk__in=[])
        for name in self.exact:
            try:
                wanted |= Q(**{name: _field(self.model, name).clean(term, None)})
            except ValidationError:
                continue  # no such id can be
        return queryset.filter(wanted), False


def _field(model: type[Model], name: str) -> Any:
    """The field that a search compares; of a key to other rows, the field it points at."""
    field: Any = model._meta.get_field(name)
    return getattr(field, "target_field", field)


class LedgerAccountAdmin(Shown):
    """Balances; search: account."""

    list_display = ("id", "user_id", "kind", "balance")
    list_filter = ("kind",)
    exact = ("user",)


class TransactionAdmin(Shown):
    """Movements; search: account, job, key."""

    list_display = ("id", "created_at", "user_id", "kind", "credits", "reason", "job")
    list_filter = ("kind",)
    inlines = (Entries,)
    exact = ("id", "user", "job", "key")


class OrderAdmin(Shown):
    """Orders; search: account, order, Stripe's session."""

    list_display = ("id", "created_at", "user_id", "item", "state", "amount", "currency")
    list_filter = ("state",)
    ordering = ("-created_at",)
    exact = ("id", "user", "session_id")


class PaymentAdmin(Shown):
    """Payments; search: account, Stripe's session, invoice or payment intent."""

    list_display = ("id", "paid_at", "user_id", "credits", "amount", "currency", "refunded", "disputed", "reversed")
    exact = ("user", "stripe_id", "payment_intent")


class SubscriptionAdmin(Shown):
    """Plans; search: account, Stripe's subscription."""

    list_display = ("id", "started_at", "user_id", "plan", "status", "period_ends_at", "ends_at")
    list_filter = ("status",)
    exact = ("user", "stripe_id")


class StripeEventAdmin(Shown):
    """Webhooks; search: Stripe's event, or the object it is about."""

    list_display = ("id", "type", "received_at", "applied_at", "tries", "error")
    list_filter = (("applied_at", EmptyFieldListFilter),)
    ordering = ("-received_at",)
    exact = ("id", "object_id")


class AdjustForm(forms.Form):
    """Whose credits, how many, why, signed."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    account = forms.CharField(
        label=gettext_lazy("Account"),
        max_length=254,
        help_text=gettext_lazy("Its number, or its whole e-mail address."),
    )
    credits = forms.IntegerField(
        label=gettext_lazy("Credits"),
        min_value=-(10**9),
        max_value=10**9,
        help_text=gettext_lazy("So many are given; with a minus, taken."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=adjustments.SHORTEST_REASON,
        max_length=adjustments.LONGEST_REASON,
        help_text=gettext_lazy("The person reads it on their ledger."),
    )
    signed = forms.BooleanField(label=gettext_lazy("I have checked this and sign for it"))

    def clean_account(self) -> User:
        """The account that is meant, and no similar one."""
        text = self.cleaned_data["account"].strip()
        named = Q(pk=int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else Q(email__iexact=text)
        found = User.objects.filter(named).first()
        if found is None:
            raise ValidationError(_("There is no such account."))
        return found

    def clean_credits(self) -> int:
        """Nothing is nothing to sign for."""
        credits: int = self.cleaned_data["credits"]
        if not credits:
            raise ValidationError(_("0 credits would change nothing."))
        return credits


class AdjustmentAdmin(Shown):
    """Adjustments; search: who signed. The form that makes one has an address of its own."""

    list_display = ("id", "moved", "account", "actor_id", "reason")
    list_select_related = ("transaction",)
    exact = ("id", "actor")

    def moved(self, adjustment: Adjustment) -> int:
        """Credits, with their sign."""
        told = adjustment.transaction
        return -told.credits if told.kind == Transaction.Kind.TAKE else told.credits

    def account(self, adjustment: Adjustment) -> int:
        """Whose."""
        return adjustment.transaction.user_id

    def get_urls(self) -> list[URLPattern]:
        """The form, before the pattern that takes anything for an id."""
        return [path("adjust/", self.admin_site.admin_view(self.adjust), name="billing_adjust"), *super().get_urls()]

    def adjust(self, request: HttpRequest) -> HttpResponse:
        """Show the form; adjust what a signed one says."""
        assert isinstance(request.user, User)
        form = AdjustForm(request.POST) if request.method == "POST" else AdjustForm(initial={"key": uuid4()})
        if form.is_valid():
            said = form.cleaned_data
            try:
                made = adjustments.adjust(
                    user=said["account"],
                    credits=said["credits"],
                    reason=said["reason"],
                    actor=request.user,
                    key=str(said["key"]),
                )
            except ledger.InsufficientCredits as short:
                form.add_error("credits", _("There are %(n)d available to take.") % {"n": short.available})
            except adjustments.NotSigned:  # the form has seen to the rest
                form.add_error("account", _("Nobody signs for their own account: ask another operator."))
            except ledger.KeyReused:
                form.add_error(None, _("This form was used already. Open it anew."))
            else:
                now = ledger.balance(said["account"])
                done = _("Account %(account)d: %(credits)+d. Now %(available)d credits are available, %(owed)d owed.")
                about = {"account": said["account"].pk, "credits": said["credits"]}
                messages.success(request, done % {**about, "available": now.available, "owed": now.owed})
                return redirect("admin:billing_adjustment_change", made.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Adjust credits"),
            "opts": self.opts,
            "form": form,
            "media": self.media,
        }
        return render(request, "admin/billing/adjustment/adjust.html", context, status=422 if form.errors else 200)


def register(site: AdminSite) -> None:
    """Show our rows to operators."""
    for model, shown in (
        (LedgerAccount, LedgerAccountAdmin),
        (Transaction, TransactionAdmin),
        (Order, OrderAdmin),
        (Payment, PaymentAdmin),
        (Subscription, SubscriptionAdmin),
        (StripeEvent, StripeEventAdmin),
        (Adjustment, AdjustmentAdmin),
    ):
        site.register(model, shown)
