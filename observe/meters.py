"""What is counted and timed as it happens: one list of meters, each with few values to tell apart by.

Nothing is counted, and the library for it not loaded, until a process is told to (``switch_on``). Labels hold names
from our code only; there is no label for a person, an address, a path or a job. What is a state rather than an event is
read from the tables when somebody asks: ``modelmyimage/state_metrics.py``.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from observe import facts

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

logger = logging.getLogger(__name__)

QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends in seconds, for what somebody waits for."""
LONG: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 3600.0)
"""The same for what takes as long as a 3D model."""


@dataclass(frozen=True)
class Meter:
    """One figure. Without ``buckets`` it is a counter; with them, a histogram of seconds."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()

    def count(self, by: float = 1.0, **labels: str) -> None:
        """Add to the counter. Does nothing while nobody counts, and never fails."""
        if _switch.on:
            _try(self, lambda made: made.inc(by), labels)

    def time(self, seconds: float, **labels: str) -> None:
        """Add a time to the histogram. Does nothing while nobody counts, and never fails."""
        if _switch.on:
            _try(self, lambda made: made.observe(max(0.0, seconds)), labels)


REQUESTS: Final = Meter(
    "modelmyimage_http_request_seconds",
    "From a request's first byte to its answer's, by the name of its route and the kind of status.",
    ("route", "status"),
    QUICK,
)
TASKS: Final = Meter(
    "modelmyimage_task_seconds", "How long tasks ran, by name and how they ended.", ("task", "state"), QUICK
)
STAGES: Final = Meter(
    "modelmyimage_stage_seconds",
    "From when a job first reached a stage, or was sent in, to when it left that stage, waits included.",
    ("stage",),
    LONG,
)
STEPS: Final = Meter("modelmyimage_step_seconds", "How long one step of a stage kept a worker.", ("stage",), QUICK)
JOBS: Final = Meter(
    "modelmyimage_jobs_ended_total", "Jobs that are over.", ("outcome", "failure", "provider")
)  # fmt: skip
READY: Final = Meter(
    "modelmyimage_job_ready_seconds", "From when a job was sent in to when its asset was ready.", ("provider",), LONG
)
DESTRUCTION: Final = Meter(
    "modelmyimage_destruction_seconds",
    "From an owner's word that the asset has arrived to the receipt of its destruction.",
    (),
    QUICK,
)
CALLS: Final = Meter(
    "modelmyimage_provider_call_seconds",
    "How long single calls to a provider took, by what was asked and how that ended.",
    ("provider", "call", "result"),
    QUICK,
)
ATTEMPTS: Final = Meter(
    "modelmyimage_attempt_seconds",
    "From when a provider was chosen for a job to when its attempt ended, by how it ended.",
    ("provider", "state"),
    LONG,
)
DESTROYED: Final = Meter("modelmyimage_blobs_destroyed_total", "Blobs whose absence was confirmed.", ("kind",))
STRIPE: Final = Meter(
    "modelmyimage_stripe_event_seconds",
    "From when Stripe's event was received to when it was applied.",
    (),
    LONG,
)
STRIPE_FAILED: Final = Meter(
    "modelmyimage_stripe_event_failures_total", "Events of Stripe's that could not be applied yet.", ()
)
WEBHOOKS: Final = Meter(
    "modelmyimage_webhook_attempt_seconds",
    "How long attempts to tell customers' webhooks took, by what became of them.",
    ("result",),
    QUICK,
)

METERS: Final = (
    REQUESTS, TASKS, STAGES, STEPS, JOBS, READY, DESTRUCTION, CALLS, ATTEMPTS, DESTROYED,
    STRIPE, STRIPE_FAILED, WEBHOOKS,
)  # fmt: skip


class _Switch:
    """Whether this process counts, and what it counts with; made at the first count, after all forks of a server."""

    def __init__(self) -> None:
        self.on = False
        self.lock = threading.Lock()
        self.registry: CollectorRegistry | None = None
        self.made: dict[str, Any] = {}

    def ready(self) -> None:
        """Load the library and make every meter, once."""
        if self.registry is not None:
            return
        with self.lock:
            if self.registry is not None:
                return
            from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

            # They would make a third more lines, which nobody reads.
            disable_created_metrics()  # type: ignore[no-untyped-call]
            registry = CollectorRegistry()
            for meter in METERS:
                if meter.buckets:
                    made: Any = Histogram(
                        meter.name, meter.meaning, meter.labels, buckets=meter.buckets, registry=registry
                    )
                else:
                    made = Counter(meter.name, meter.meaning, meter.labels, registry=registry)
                self.made[meter.name] = made
            self.registry = registry


_switch = _Switch()


def switch_on() -> None:
    """From here on this process counts."""
    _switch.on = True


def on() -> bool:
    """Whether this process counts."""
    return _switch.on


def registry() -> CollectorRegistry:
    """What this process has counted, for whoever hands it out."""
    _switch.ready()
    assert _switch.registry is not None
    return _switch.registry


def _try(meter: Meter, do: Any, labels: dict[str, str]) -> None:
    """Counting is a help: a full disk, say, must not end a job."""
    try:
        _switch.ready()
        made = _switch.made[meter.name]
        values = [facts.code_name(labels[name]) if labels[name] else "" for name in meter.labels]
        do(made.labels(*values) if values else made)
    except Exception as error:
        logger.warning("something could not be counted", exc_info=error)
