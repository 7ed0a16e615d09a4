"""Rows about jobs: the durable state machine's memory. No row holds anything derived from a photo's content."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import IntegrityError, connection, models
from django.db.models.functions import Now
from django.utils import timezone

from generation.options import JobOptions
from generation.provider import VIEWS, Remote
from generation.restrictions import Restrictions
from observe import meters

NO_KEY = uuid.UUID(int=0)
"""In place of a key's number, which a unique constraint can compare."""


class JobQuerySet(models.QuerySet["Job"]):
    """Many jobs."""

    def due(self) -> Self:
        """Those that somebody may take on now, by the database's clock: their time has come, and nobody holds them."""
        # SQLite tells whole milliseconds: what is due since less than one is due, too.
        now = Now() + timedelta(milliseconds=1)
        free = models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=now)
        return self.exclude(stage=Job.Stage.OVER).filter(free, due_at__lte=now)


class Job(models.Model):
    """One upload's journey from intake to its final state."""

    class Stage(models.TextChoices):
        """What happens next, in order; ``OVER`` means nothing more does."""

        PREPARE = "prepare"
        DISPATCH = "dispatch"
        WATCH = "watch"
        COLLECT = "collect"
        INSPECT = "inspect"
        SETTLE = "settle"
        DELIVER = "deliver"
        PURGE = "purge"
        OVER = "over"

    class Outcome(models.TextChoices):
        """How it ended; empty while it runs. Decided before ``PURGE``, final once ``OVER``."""

        PENDING = ""
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    request_key = models.UUIDField(default=uuid.uuid4, help_text="Makes sending the same form twice harmless.")
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.PREPARE)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.PENDING, blank=True)
    failure = models.CharField(max_length=40, blank=True, help_text="A code of generation/failures.py.")
    warnings = models.JSONField(default=list, blank=True, help_text="Codes of generation/failures.py.")

    # Wishes
    quality = models.CharField(max_length=16, default="standard")
    keep_minutes = models.PositiveIntegerField(default=60, help_text="How long the asset waits for its owner.")
    provider_wish = models.CharField(max_length=40, blank=True, help_text="Empty: the router chooses.")
    options = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="What is not as usual (generation/options.py)."
    )
    restrictions = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Who may not get its photos (generation/restrictions.py)."
    )

    # How it came
    access_key = models.ForeignKey(
        "accounts.AccessKey", on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs",
        help_text="The key of the program that sent it; empty: a person did, or the key is deleted.",
    )  # fmt: skip
    direct = models.BooleanField(
        default=False, db_default=False, help_text="The answer to its request is its asset (generation/direct.py)."
    )

    # Progress
    provider = models.CharField(max_length=40, blank=True)
    waiting = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Why no provider has it yet: a code of failures.py.",
    )
    queue = models.CharField(max_length=16, default="engine")
    percent = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="When to look at the job next.")
    deadline_at = models.DateTimeField(help_text="When we stop waiting for a provider.")
    lease_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True, help_text="When a message was last sent for it.")
    stage_tries = models.PositiveSmallIntegerField(default=0, help_text="Claims since it last got further.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    # The blobs that exist now; ids only, since a blob's row outlives it
    sources = models.JSONField(default=dict, db_default={}, blank=True, help_text="Blob ids by view.")
    raw_mesh_id = models.UUIDField(null=True, blank=True)
    asset_id = models.UUIDField(null=True, blank=True)

    # Money
    credits = models.PositiveIntegerField(default=0, help_text="Held at intake; captured or released by settle.")
    charged = models.BooleanField(default=False)

    # What is left when everything else is gone
    asset_bytes = models.BigIntegerField(null=True, blank=True)
    triangles = models.PositiveIntegerField(null=True, blank=True)
    size_x = models.FloatField(null=True, blank=True, help_text="Bounding box, metres.")
    size_y = models.FloatField(null=True, blank=True)
    size_z = models.FloatField(null=True, blank=True)
    watertight = models.BooleanField(null=True, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    asset_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    receipt_id = models.UUIDField(null=True, blank=True)

    clock = timedelta(0)
    """How far the database's clock is ahead of this process's, once the job is claimed (``leases.now``)."""
    kept: dict[str, Any] | None = None
    """What the row says of the fields that a step changes, once the job is claimed (``leases``)."""
    renewed = told = float("-inf")
    """When this process last renewed its claim, and told how far the job is; seconds of its monotonic clock."""

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "request_key"], name="job_once_per_request"),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="job_history"),
            models.Index(fields=["owner", "outcome", "-created_at", "-id"], name="job_by_outcome"),
            models.Index(fields=["owner"], name="job_open", condition=~models.Q(stage="over")),
            models.Index(fields=["due_at"], name="job_due", condition=~models.Q(stage="over")),
        ]

    def __str__(self) -> str:
        return f"job {self.id} ({self.outcome or self.stage})"

    def chosen(self) -> JobOptions:
        """What its owner chose beside the quality."""
        return JobOptions.restored(self.options)

    def photos(self) -> dict[str, uuid.UUID]:
        """The blobs of its photos by view, in the order of ``provider.VIEWS``."""
        return {view: uuid.UUID(self.sources[view]) for view in VIEWS if view in self.sources}

    def blob_ids(self) -> set[uuid.UUID]:
        """All blobs that the job knows of."""
        others = (self.raw_mesh_id, self.asset_id)
        return {*self.photos().values(), *(blob_id for blob_id in others if blob_id is not None)}


class Attempt(models.Model):
    """One job sent once to one provider. The remote id is saved before anything else happens.

    ``SUBMITTING`` is saved before the call leaves: found on a claim, it tells that a process died in the call.
    """

    class State(models.TextChoices):
        CHOSEN = "chosen"
        SUBMITTING = "submitting"
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        UNKNOWN = "unknown"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=State, default=State.CHOSEN)
    key = models.UUIDField(default=uuid.uuid4, help_text="Sent to providers that take an idempotency key.")
    slot = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Its place at a provider that has few.")
    remote_id = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="The call's id there."
    )
    remote = models.JSONField(null=True, blank=True, help_text="What else the provider gave us to find the call again.")
    polls = models.PositiveIntegerField(default=0, db_default=0)
    failure = models.CharField(max_length=40, blank=True)
    erase_tries = models.PositiveSmallIntegerField(default=0)
    erasure = models.JSONField(null=True, blank=True, help_text="What the provider's erase answered.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["provider", "slot"], name="slot_taken_once", condition=models.Q(slot__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "remote_id"], name="attempt_by_remote", condition=~models.Q(remote_id="")),
            models.Index(fields=["provider", "-started_at"], name="attempt_recent"),
            models.Index(fields=["provider"], name="attempt_open", condition=models.Q(ended_at__isnull=True)),
            models.Index(
                fields=["ended_at"],
                name="attempt_findable",
                condition=~models.Q(remote_id="") | models.Q(remote__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id} at {self.provider}"

    def call(self) -> Remote | None:
        """What its provider finds the call by; ``None`` when none was made, or nobody knows."""
        return None if self.remote is None else Remote(self.remote_id, self.remote, self.polls)

    def end(self, state: State, failure: str = "") -> None:
        """Close it: its slot is free from here on."""
        self.state, self.failure, self.slot, self.ended_at = state, failure, None, timezone.now()
        self.save(update_fields=["state", "failure", "slot", "ended_at"])
        taken = (self.ended_at - self.started_at).total_seconds()
        meters.ATTEMPTS.time(taken, provider=self.provider, state=state)


class Event(models.Model):
    """A line of a job's history: when a stage was reached, or what became of an attempt."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    code = models.CharField(max_length=40)
    attempt = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Its number; 0: about the job.")
    provider = models.CharField(max_length=40, blank=True, default="", db_default="")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "code", "attempt"], name="event_once")]

    def __str__(self) -> str:
        return self.code

    @staticmethod
    def record(job: Job, code: str, attempt: Attempt | None = None) -> None:
        """Add a line, once."""
        line = Event.line(job, code, attempt)
        if connection.in_atomic_block:
            Event.write([line])
        else:  # one statement alone, without the transaction that Django begins and ends around those of many rows
            with suppress(IntegrityError):
                line.save(force_insert=True)

    @staticmethod
    def line(job: Job, code: str, attempt: Attempt | None = None) -> Event:
        """A line for ``write``."""
        about = {"attempt": attempt.number, "provider": attempt.provider} if attempt else {}
        return Event(job=job, at=timezone.now(), code=code, **about)

    @staticmethod
    def write(lines: list[Event]) -> None:
        """Add the lines, each once, in one statement."""
        Event.objects.bulk_create(lines, ignore_conflicts=True)


class JobSum(models.Model):
    """What an account's jobs of one day, key and provider come to that are over (generation/sums.py)."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="job_sums", db_index=False
    )
    day = models.DateField(help_text="When they were sent, in UTC.")
    access_key = models.UUIDField(default=NO_KEY, help_text="The key's number; all zeros: they came from the pages.")
    provider = models.CharField(max_length=40, blank=True)
    jobs = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    credits = models.PositiveBigIntegerField(default=0, help_text="What they cost.")
    model_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "day", "access_key", "provider"], name="job_sum_once"),
        ]
        indexes = [
            # All that a report reads: rows of a year lie a day's writing apart, each in a block of its own.
            models.Index(
                fields=["owner", "day", "access_key", "provider", "jobs", "done", "failed", "credits", "model_bytes"],
                name="job_sum_read",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}, {self.provider}: {self.jobs}"


class ProcessingLimits(models.Model):
    """Who may not get an account's photos, whatever a job says (generation/restrictions.py)."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="processing_limits")
    restrictions = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"processing limits of account {self.owner_id}"

    @staticmethod
    def of(owner_id: int) -> Restrictions:
        """The limits of an account; of one that set none, those that narrow nothing."""
        kept = next(iter(ProcessingLimits.objects.filter(owner=owner_id)), None)
        return Restrictions.restored(kept.restrictions) if kept else Restrictions()


# Their rows belong to this app, too; this is where Django looks for them.
from generation.notifications.models import Delivery as Delivery  # noqa: E402  # they name Job, above
from generation.notifications.models import Notification as Notification  # noqa: E402  # the same
from generation.notifications.models import Webhook as Webhook  # noqa: E402  # the same
