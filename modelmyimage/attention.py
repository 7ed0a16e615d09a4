"""What needs an operator now: each of a few things that can go wrong, counted from tables and caches as they are.

A thing that is as it should be counts 0. What is new in the books is added up at most each time that ``BOOKS`` have
passed, and all of them each night; all else is counted as the page is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import books
from billing.models import Payment, StripeEvent
from billing.reconciliation import DISPUTES
from generation import health
from generation.models import Job
from privacy.erasure import WORRYING
from privacy.models import Blob, Erasure
from privacy.requests.models import SubjectRequest
from privacy.requests.reminding import SOON
from privacy.retention import SWEEP_GRACE
from trust import figures

BOOKS: Final = timedelta(minutes=10)
STALE: Final = timedelta(minutes=30)
"""The audit comes every ten minutes, and whatever is due every few seconds: later than this, nobody does it."""


@dataclass(frozen=True)
class Need:
    """So many of something, in words that follow the number; what to do, and where, when there is any."""

    count: int
    meaning: str
    todo: str = ""
    url: str = ""
    tone: str = "bad"
    """``bad``: a promise is at stake; ``warn``: somebody should look."""


def everything() -> list[Need]:
    """All there is to look at, the gravest first."""
    now = timezone.now()
    found = [*_requests(), _overdue(now), _audit(now), _books(), _late(now), _erasures(), *_providers(), *_stripe(now)]
    return sorted(found, key=lambda need: need.tone != "bad")


def _requests() -> list[Need]:
    """Those whose time is over, and those whose time soon will be."""
    today = timezone.localdate()
    late = SubjectRequest.objects.overdue(today).count()
    soon = SubjectRequest.objects.open().filter(due_on__range=(today, today + SOON)).count()
    queue = reverse("admin:privacy_subjectrequest_changelist") + "?state__exact=open"
    return [
        Need(late, ngettext("request about data is overdue", "requests about data are overdue", late), url=queue),
        Need(
            soon,
            ngettext("request about data is due in a week", "requests about data are due in a week", soon),
            url=queue,
            tone="warn",
        ),
    ]


def _overdue(now: datetime) -> Need:
    count = Blob.objects.due(now - SWEEP_GRACE).count()
    meaning = ngettext("stored file is past its time", "stored files are past their time", count)
    return Need(count, meaning, _("Do the workers run, and does the store answer?"))


def _audit(now: datetime) -> Need:
    """Rows, keys and objects, as the last audit found them."""
    last = figures.last_audit()
    if last is None or now - last.at > STALE:
        return Need(1, _("audit of what is stored did not come"), _("Do the workers and the clock (beat) run?"))
    meaning = ngettext(
        "difference between rows, keys and objects", "differences between rows, keys and objects", last.differences
    )
    return Need(last.differences, meaning, "manage.py audit_retention")


def _books() -> Need:
    count = books.fresh(BOOKS).differences
    meaning = ngettext("line of the books does not add up", "lines of the books do not add up", count)
    return Need(count, meaning, "manage.py verify_ledger")


def _late(now: datetime) -> Need:
    count = Job.objects.filter(~Q(stage=Job.Stage.OVER), due_at__lt=now - STALE).count()
    meaning = ngettext("job waits for a worker for long", "jobs wait for a worker for long", count)
    return Need(count, meaning, _("Do the workers run?"))


def _erasures() -> Need:
    count = Erasure.objects.filter(done_at=None, tries__gte=WORRYING).count()
    return Need(
        count,
        ngettext("erasure of an account does not get on", "erasures of accounts do not get on", count),
        _("The log says which, and why."),
    )


def _providers() -> list[Need]:
    offers = health.offers()
    refused = [offer.card.label for offer in offers if offer.health.misconfigured]
    away = [offer.card.label for offer in offers if not offer.health.usable and not offer.health.misconfigured]
    return [
        Need(
            len(refused),
            ngettext("provider refuses our key", "providers refuse our keys", len(refused)),
            ", ".join(refused),
            tone="warn",
        ),
        Need(len(away), ngettext("provider is out", "providers are out", len(away)), ", ".join(away), tone="warn"),
    ]


def _stripe(now: datetime) -> list[Need]:
    """Disputes, of which our rows do not say whether they are open or lost; and events that nobody could act on."""
    disputed = Payment.objects.filter(disputed__gt=0, paid_at__gte=now - DISPUTES).count()
    waiting = StripeEvent.objects.filter(applied_at=None, received_at__lt=now - STALE).count()
    half_a_year = ngettext(
        "payment of the last %(days)d days is disputed", "payments of the last %(days)d days are disputed", disputed
    )
    return [
        Need(
            disputed,
            half_a_year % {"days": DISPUTES.days},
            _("Open or lost: Stripe says which, and until when it wants your evidence."),
            reverse("admin:billing_payment_changelist") + "?disputed__gt=0",
            "warn",
        ),
        Need(
            waiting,
            ngettext("word of Stripe’s waits for long", "words of Stripe’s wait for long", waiting),
            "",
            reverse("admin:billing_stripeevent_changelist") + "?applied_at__isempty=1",
            "warn",
        ),
    ]
