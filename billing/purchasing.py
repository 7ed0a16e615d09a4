"""On the way to Stripe and back. No page here gives credits: those come with Stripe's word alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from billing import checkout, packs
from billing.models import Order, Payment
from billing.views import home_page, pricing_page

REFRESH_SECONDS = 3

STALE = gettext_lazy("This price list was out of date. Nothing was paid; choose again.")
AWAY = gettext_lazy("Stripe does not answer just now. Nothing was paid; try again in a minute.")
REFUSED = gettext_lazy("Stripe did not accept this. Nothing was paid; whoever runs this site can find out why.")
TOO_MANY = gettext_lazy("You have begun many orders within the hour. Nothing was paid; go on with one of them later.")
LEAVING = gettext_lazy(
    "Your account is about to be erased, and credits bought now would be lost. Nothing was paid. "
    "Undo that on your account page first."
)
OFF = gettext_lazy("Nothing is for sale on this site. Nothing was paid.")


class SeeOther(HttpResponseRedirect):
    """Go on there, by GET."""

    status_code = 303


class Failed(Exception):
    """The way to Stripe is shut; ``message`` is for people."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def _asked(ask: Callable[[], str]) -> str:
    """The address that Stripe gives. Raises ``Failed``."""
    try:
        return ask()
    except checkout.BillingOff:
        raise Failed(str(OFF), 403) from None
    except checkout.Unavailable:
        raise Failed(str(AWAY), 503) from None
    except checkout.Leaving:
        raise Failed(str(LEAVING), 409) from None
    except checkout.TooManyOrders:
        raise Failed(str(TOO_MANY), 429) from None
    except checkout.Refused:
        raise Failed(str(REFUSED), 502) from None


def _site(request: HttpRequest) -> str:
    """Our own address, without a slash at its end."""
    return request.build_absolute_uri("/").rstrip("/")


@never_cache
@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    """Order something from the price list, and go on to pay for it."""
    user = request.user
    if not isinstance(user, User):
        return redirect_to_login(resolve_url("billing:pricing"))
    item = packs.find(request.POST.get("item", ""))
    try:
        request_key = UUID(request.POST.get("request_key", ""))
    except ValueError:
        return pricing_page(request, trouble=str(STALE), status=422)
    if item is None:
        return pricing_page(request, trouble=str(STALE), status=422)
    try:
        return SeeOther(
            _asked(lambda: checkout.begin(user=user, item=item, request_key=request_key, site=_site(request)))
        )
    except Failed as failed:
        return pricing_page(request, trouble=failed.message, status=failed.status)


@never_cache
@login_required
@require_POST
def portal(request: HttpRequest) -> HttpResponse:
    """Go to Stripe's page for invoices, the card and the plan."""
    user = request.user
    assert isinstance(user, User)
    try:
        return SeeOther(_asked(lambda: checkout.portal(user=user, site=_site(request))))
    except Failed as failed:
        return home_page(request, trouble=failed.message, status=failed.status)


@never_cache
@login_required
@require_safe
def document(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Go to the invoice or receipt of a payment of one's own."""
    found = get_object_or_404(Payment, pk=payment_id, user_id=request.user.pk)
    try:
        address = _asked(lambda: checkout.document(found))
    except Failed as failed:
        return home_page(request, trouble=failed.message, status=failed.status)
    if not address:
        raise Http404
    return SeeOther(address)


@never_cache
@login_required
@require_safe
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """How an order stands, as Stripe last told us."""
    return _order_page(request, _owned(request, order_id))


@never_cache
@login_required
@require_POST
def resume(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Go back to an order's Checkout."""
    found = _owned(request, order_id)
    try:
        address = _asked(lambda: checkout.resume(found))
    except Failed as failed:
        return _order_page(request, found, trouble=failed.message, status=failed.status)
    if address:
        return SeeOther(address)
    messages.info(request, _("That order is over at Stripe. Order again from the price list."))
    return redirect("billing:order", found.pk)


def _owned(request: HttpRequest, order_id: UUID) -> Order:
    """The order, if it is the asker's; to everybody else it does not exist."""
    return get_object_or_404(Order, pk=order_id, user_id=request.user.pk)


def _order_page(request: HttpRequest, found: Order, *, trouble: str = "", status: int = 200) -> HttpResponse:
    state = found.state
    if state == Order.State.OPEN and request.GET.get("from") == "stripe":
        state = "waiting"
    elif state == Order.State.OPEN and "cancelled" in request.GET:
        state = "cancelled"
    context = {
        "order": found,
        "state": state,
        "refresh": REFRESH_SECONDS if state == "waiting" else None,
        "trouble": trouble,
    }
    return render(request, "billing/order.html", context, status=status)
