"""How the site is at this moment, for Prometheus: read from the tables and the cache when somebody asks.

Each part is a few questions that an index answers, so that asking costs as much with a million jobs as with none; what
would need more (rows against objects, the whole ledger) is looked at by tasks, and what those found last is told. A
part that fails is named, and the others are told all the same. Several web servers all tell the same state: take the
largest (``max``), not the sum.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from billing import books
from billing.models import StripeEvent
from generation import health, registry
from generation.models import Delivery, Job
from generation.notifications import delivering
from modelmyimage import probes
from privacy import heads, log
from privacy.models import Blob, Erasure, Receipt
from privacy.retention import SWEEP_GRACE
from trust import figures

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

logger = logging.getLogger(__name__)

QUEUES: Final = ("default", "engine", "calls", "webhooks")
REASONS: Final = (health.FAILING, health.THROTTLED, health.MISCONFIGURED)


class State:
    """A collector of ``prometheus_client``."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every part's figures."""
        failed = gauge("part_failed", "Whether this part of the figures could not be read.", "part")
        for part in PARTS:
            name = part.__name__
            try:
                yield from list(part())
            except Exception as error:
                logger.warning("a part of the figures could not be read", extra={"part": name}, exc_info=error)
                failed.add_metric([name], 1)
            else:
                failed.add_metric([name], 0)
        yield failed


def gauge(name: str, meaning: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    """A figure of ours, with its one value or with values to be added for each label."""
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"modelmyimage_{name}", meaning, value=value, labels=labels or None)


def jobs() -> Iterator[GaugeMetricFamily]:
    """Jobs that are not over, and how many of each queue wait for a worker and for how long they have."""
    now = timezone.now()
    found = gauge("jobs", "Jobs that are not over, by stage and provider.", "stage", "provider")
    open_jobs = Job.objects.exclude(stage=Job.Stage.OVER)
    counted = open_jobs.values_list("stage", "provider").annotate(n=Count("pk")).order_by()
    for stage, provider, count in counted:
        found.add_metric([stage, provider], count)
    yield found
    depth = gauge("queue_waiting", "Jobs and webhooks that are due and that no worker has, by queue.", "queue")
    age = gauge("queue_oldest_seconds", "How long the one that is due longest has been.", "queue")
    free = open_jobs.filter(due_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    waiting = {queue: (count, since) for queue, count, since in _by(free, "queue", "due_at")}
    due = _due_webhooks(now).filter(Q(webhook__lease_until=None) | Q(webhook__lease_until__lt=now))
    told = due.aggregate(count=Count("webhook", distinct=True), since=Min("due_at"))
    waiting["webhooks"] = (told["count"], told["since"])
    for queue in QUEUES:
        count, since = waiting.get(queue, (0, None))
        depth.add_metric([queue], count)
        age.add_metric([queue], _age(since, now))
    yield depth
    yield age


def blobs() -> Iterator[GaugeMetricFamily]:
    """Sealed bytes that exist."""
    now = timezone.now()
    alive = gauge("blobs", "Blobs that are not confirmed gone.", "kind")
    since = []
    for kind, count, oldest in _by(Blob.objects.open(), "kind", "created_at"):
        alive.add_metric([kind], count)
        since.append(oldest)
    yield alive
    yield gauge("blob_oldest_seconds", "Age of the oldest of them.", value=_age(min(since, default=None), now))
    late = Blob.objects.due(now - SWEEP_GRACE)
    yield gauge("blobs_overdue", "Blobs that should be gone and are not.", value=late.count())


def audits() -> Iterator[GaugeMetricFamily]:
    """What the periodic audits found last; without a memory of one, no figure."""
    audited, verified = figures.last_audit(), books.last_verified()
    if audited:
        meaning = "Differences between rows, keys and objects at the last audit."
        yield gauge("audit_differences", meaning, value=audited.differences)
        yield gauge("audit_seconds", "How long ago that was.", value=_age(audited.at, timezone.now()))
    if verified:
        meaning = "Broken invariants of the ledger when it was last verified."
        yield gauge("ledger_mismatches", meaning, value=verified.differences)
        yield gauge("ledger_verified_seconds", "How long ago that was.", value=_age(verified.at, timezone.now()))


def providers() -> Iterator[GaugeMetricFamily]:
    """Which providers the breaker has taken out, and why."""
    found = gauge("provider_out", "Whether the breaker keeps new jobs from the provider.", "provider", "why")
    now = timezone.now().timestamp()
    for card in registry.cards():
        out = health.out(card.name)
        for why in REASONS:
            found.add_metric([card.name, why], float(out is not None and out.why == why and now < out.until))
    yield found


def hooks() -> Iterator[GaugeMetricFamily]:
    """What Stripe told us and is not applied, and what customers' webhooks are not told yet."""
    now = timezone.now()
    told = StripeEvent.objects.filter(applied_at=None).aggregate(count=Count("pk"), since=Min("received_at"))
    yield gauge("stripe_events_waiting", "Events of Stripe's that are not applied yet.", value=told["count"])
    yield gauge("stripe_event_oldest_seconds", "Age of the oldest of them.", value=_age(told["since"], now))
    due = _due_webhooks(now).aggregate(count=Count("pk"), since=Min("due_at"))
    yield gauge("webhook_deliveries_due", "Notifications to customers' webhooks that are due.", value=due["count"])
    yield gauge(
        "webhook_oldest_seconds", "How long the one that is due longest has been.", value=_age(due["since"], now)
    )


def logged() -> Iterator[GaugeMetricFamily]:
    """How far the transparency log and its head are behind."""
    now, head = timezone.now(), heads.latest()
    waiting = Receipt.objects.unlogged().aggregate(count=Count("pk"), since=Min("issued_at"))
    yield gauge("log_receipts_waiting", "Receipts that are not in the log yet.", value=waiting["count"])
    yield gauge("log_receipt_oldest_seconds", "Age of the oldest of them.", value=_age(waiting["since"], now))
    uncovered = log.size() - (head.size if head else 0)
    yield gauge("log_entries_uncovered", "Entries of the log that no signed head has yet.", value=uncovered)
    if head:
        yield gauge("log_head_seconds", "Age of the last signed head.", value=_age(head.signed_at, now))


def erasures() -> Iterator[GaugeMetricFamily]:
    """Erasures of accounts that are due and not done."""
    now = timezone.now()
    due = Erasure.objects.exclude(state=Erasure.State.DONE).filter(due_at__lte=now)
    told = due.aggregate(count=Count("pk"), since=Min("due_at"))
    yield gauge("erasures_due", "Erasures of accounts that are due.", value=told["count"])
    yield gauge(
        "erasure_oldest_seconds", "How long the oldest has been due.", value=_age(told["since"], timezone.now())
    )


def parts() -> Iterator[GaugeMetricFamily]:
    """Whether what the site needs answers this process."""
    found = gauge("part_up", "Whether the database, broker, key store and object store answer.", "part")
    for name, ask in probes.PARTS.items():
        try:
            ask()
        except Exception:  # whatever it is, it does not answer
            found.add_metric([name], 0)
        else:
            found.add_metric([name], 1)
    yield found


PARTS: Final[tuple[Callable[[], Iterable[GaugeMetricFamily]], ...]] = (
    jobs, blobs, audits, providers, hooks, logged, erasures, parts,
)  # fmt: skip


def _by(rows: QuerySet[Any], what: str, at: str) -> Iterable[tuple[str, int, datetime]]:
    """How many rows have each value, and the earliest moment among them."""
    return list(rows.values_list(what).annotate(count=Count("pk"), since=Min(at)).order_by())


def _due_webhooks(now: datetime) -> QuerySet[Delivery]:
    """What is due to webhooks that are on, and next in its job's order."""
    return delivering.next_ones().filter(due_at__lte=now, webhook__enabled=True, webhook__owner__is_active=True)


def _age(moment: datetime | None, now: datetime) -> float:
    """Seconds since then, 0 for never."""
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0
