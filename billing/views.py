"""The price list, and the page of one's own credits. Both only show; what they show is proven where they say so."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import mail_choice
from accounts.models import User
from billing import export, ledger, limits, packs, proof, statement, subscriptions
from billing.forms import SpendingForm
from billing.models import Customer, Preferences


@never_cache
@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """What is for sale, and what it buys."""
    return pricing_page(request)


def pricing_page(request: HttpRequest, *, trouble: str = "", status: int = 200) -> HttpResponse:
    """The price list, with what went wrong on the way to Stripe."""
    for_sale = packs.packs()
    context = {
        "packs": for_sale,
        "plans": packs.plans(),
        # One primary button a view: that of the pack in the middle.
        "primary": for_sale[len(for_sale) // 2].code if for_sale else "",
        "selling": settings.BILLING,
        "subscription": subscriptions.current(request.user) if isinstance(request.user, User) else None,
        "request_key": uuid4(),
        "grant": settings.GRANT_CREDITS,
        "tax_note": settings.TAX_NOTE,
        "today": timezone.now(),
        "trouble": trouble,
    }
    return render(request, "billing/pricing.html", context, status=status)


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """One's own credits: how many, where they came from, where they went."""
    return home_page(request)


def home_page(
    request: HttpRequest, *, trouble: str = "", form: SpendingForm | None = None, status: int = 200
) -> HttpResponse:
    """The page of credits, with what went wrong on the way to Stripe, or a form that needs a change."""
    user = request.user
    assert isinstance(user, User)
    balance = ledger.balance(user)
    chosen = Preferences.objects.filter(user=user).first() or Preferences(user=user)
    kept = {"monthly_limit": chosen.monthly_limit, "notice_below": chosen.notice_below}
    wanted = request.GET.get("only", "")
    only = wanted if wanted in statement.FILTERS else ""
    context: dict[str, Any] = {
        "balance": balance,
        "low": chosen.notice_below is not None and balance.available <= chosen.notice_below,
        "preferences": chosen,
        "no_notices": mail_choice.only_necessary(user),
        "form": form or SpendingForm(initial=kept),
        "spent": limits.spent_this_month(user),
        "page": statement.page(user=user, only=only, before=request.GET.get("before", "")),
        "only": only,
        "filters": statement.FILTERS,
        "first": not request.GET.get("before"),
        "adds_up": proof.holds(user),
        "checked_at": timezone.now(),
        "selling": settings.BILLING,
        "at_stripe": settings.BILLING and Customer.objects.filter(user=user).exclude(stripe_id=None).exists(),
        "subscription": subscriptions.current(user),
        "trouble": trouble,
    }
    return render(request, "billing/home.html", context, status=status)


@never_cache
@login_required
@require_safe
def ledger_csv(request: HttpRequest) -> HttpResponse:
    """All lines as a file."""
    assert isinstance(request.user, User)
    response = HttpResponse(export.table(request.user), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="credits.csv"'
    return response


@login_required
@require_POST
def spending(request: HttpRequest) -> HttpResponse:
    """Change one's own limit and notice."""
    assert isinstance(request.user, User)
    form = SpendingForm(request.POST)
    if not form.is_valid():
        return home_page(request, form=form, status=422)
    form.save(request.user)
    messages.success(request, _("Saved. It holds from the next job on."))
    return redirect("billing:home")
