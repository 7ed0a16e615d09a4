"""What billing does beside the pages. Every task may run twice or be lost: the next one finds the same to do."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from billing import books, forgetting, notices, reconciliation, webhooks
from billing.stripe_client import StripeError


@shared_task(name="billing.tasks.apply_event")
def apply_event(event_id: str) -> None:
    """Act on one of Stripe's events."""
    webhooks.apply(event_id)


@shared_task(name="billing.tasks.sweep_events")
def sweep_events() -> None:
    """Take up events whose task was lost or failed."""
    if settings.BILLING:
        webhooks.sweep()


@shared_task(name="billing.tasks.reconcile")
def reconcile() -> None:
    """Nightly: find what no event told us, and forget what was done long ago."""
    webhooks.forget()
    forgetting.forget()
    if settings.BILLING:
        try:
            reconciliation.reconcile(since=reconciliation.usual())
        except StripeError:
            return  # tomorrow's looks further back than a day


@shared_task(name="billing.tasks.notice")
def notice() -> None:
    """Mail to those whose credits run low."""
    notices.send()


@shared_task(name="billing.tasks.verify")
def verify() -> None:
    """Hourly: look whether what is new in the ledger is sound, and remember the answer for whoever watches."""
    books.look()


@shared_task(name="billing.tasks.close_day")
def close_day() -> None:
    """Nightly: look at what is on no page of the journal, and sign the next page."""
    books.close_day()


@shared_task(name="billing.tasks.verify_whole")
def verify_whole() -> None:
    """Weekly: look at all of the ledger."""
    books.verify_now()
