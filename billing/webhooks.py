"""Stripe's webhooks: checked before anything is touched, written down once, answered at once, acted on by a task.

An event says only which object to look at (``billing/syncing.py``). It is marked as applied in the transaction that
changes the books; what goes wrong is noted outside of it, and tried again until it is done.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from typing import Any, Final

import stripe
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import forgetting, syncing
from billing.models import StripeEvent
from billing.stripe_client import StripeError
from observe import meters
from privacy.retention import longest

logger = logging.getLogger(__name__)

LONGEST: Final = 500_000
"""Bytes of a body."""
SKEW_SECONDS: Final = 300
"""How far a signature's time may lie from ours, either way."""
LEASE: Final = timedelta(seconds=90)
KEPT: Final = longest("stripe_event")
LONGEST_WAIT: Final = timedelta(hours=1)


class Forged(Exception):
    """Not from Stripe, not now, or not whole."""


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """The endpoint: 200 for what Stripe said (known or not, new or not), 400 with no word for anything else."""
    if not settings.BILLING:
        raise Http404
    try:
        event = verified(request.read(LONGEST + 1), request.headers.get("Stripe-Signature", ""))
    except Forged:
        return HttpResponse(status=400)
    about = subject(event)
    if about is not None:
        kind, object_id = about
        with transaction.atomic():
            row, new = StripeEvent.objects.get_or_create(
                id=event["id"], defaults={"type": event["type"][:80], "kind": kind, "object_id": object_id}
            )
            if new:
                transaction.on_commit(lambda: _send(row.pk))
    return HttpResponse(status=200)


def verified(body: bytes, header: str, *, now: float | None = None) -> dict[str, Any]:
    """The event, if one of our secrets signed this very body within ``SKEW_SECONDS``. Raises ``Forged``."""
    if len(body) > LONGEST or not header:
        raise Forged
    for secret in settings.STRIPE_WEBHOOK_SECRETS:  # two of them while one is being replaced
        try:
            # The library looks at a signature's age only, and only by its own clock: times are ours to check.
            stripe.WebhookSignature.verify_header(body, header, secret)
            stamp = int(next(part[2:] for part in header.split(",") if part.startswith("t=")))
            event = json.loads(body)
        except (stripe.SignatureVerificationError, ValueError, TypeError, StopIteration, RecursionError):
            continue
        if abs((time.time() if now is None else now) - stamp) > SKEW_SECONDS:
            raise Forged
        if not isinstance(event, dict) or not all(isinstance(event.get(name), str) for name in ("id", "type")):
            raise Forged
        if not 0 < len(event["id"]) <= 255:
            raise Forged
        return event
    raise Forged


def subject(event: dict[str, Any]) -> tuple[str, str] | None:
    """What a verified event is about, as ``syncing.sync`` takes it; ``None`` for what does not concern the books."""
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        return None
    event_type = event["type"]
    kind, name = "", "id"
    if event_type.startswith("checkout.session."):
        kind = "session"
    elif event_type.startswith("customer.subscription."):
        kind = "subscription"
    elif event_type.startswith("invoice."):
        kind = "invoice"
    elif event_type.startswith(("charge.dispute.", "refund.")) or event_type == "charge.refunded":
        kind, name = "payment", "payment_intent"
    object_id = found.get(name)
    if not kind or not isinstance(object_id, str) or not 0 < len(object_id) <= 255:
        return None  # an upcoming invoice has no id yet, for one
    return kind, object_id


def apply(event_id: str) -> None:
    """Act on a recorded event that is due; a failure is written down and due again later. Raises no ``StripeError``."""
    now = timezone.now()
    row = StripeEvent.objects.filter(pk=event_id, applied_at=None, due_at__lte=now).first()
    if row is None:
        return
    # Claimed for a while: if we die, the sweep takes it up again.
    claimed = StripeEvent.objects.filter(pk=event_id, applied_at=None, due_at=row.due_at)
    if not claimed.update(due_at=now + LEASE, tries=F("tries") + 1):
        return

    def applied() -> None:
        StripeEvent.objects.filter(pk=event_id).update(applied_at=timezone.now(), error="")

    try:
        syncing.sync(row.kind, row.object_id, mark=applied)
    except (StripeError, syncing.Busy) as error:
        _failed(row, type(error).__name__)
    except Exception as error:
        _failed(row, type(error).__name__)
        raise
    else:
        meters.STRIPE.time((timezone.now() - row.received_at).total_seconds())


def _failed(row: StripeEvent, name: str) -> None:
    """Outside the transaction that was rolled back: what went wrong, and when to try again."""
    meters.STRIPE_FAILED.count()
    wait = min(LONGEST_WAIT, timedelta(seconds=5 * 2 ** min(row.tries, 12)))
    StripeEvent.objects.filter(pk=row.pk, applied_at=None).update(error=name[:80], due_at=timezone.now() + wait)
    # Which one and why is on its row, for operators; neither is for the log.
    logger.warning("an event of Stripe's was not applied", extra={"attempt": row.tries + 1})


def sweep() -> int:
    """Send a message for each event that is due and not applied; how many."""
    due = StripeEvent.objects.filter(applied_at=None, due_at__lte=timezone.now()).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:200])
    for event_id in ids:
        _send(event_id)
    return len(ids)


def forget() -> int:
    """Drop rows of events that were applied long ago; how many. Stripe sends none again after ``KEPT``."""
    return forgetting.events(timezone.now() - KEPT).delete()[0]


def _send(event_id: str) -> None:
    from billing.tasks import apply_event

    try:
        apply_event.delay(event_id)
    except Exception:  # whatever a broker raises: the sweep sends it again
        logger.warning("no broker took an event of Stripe's; the sweep will send it")
