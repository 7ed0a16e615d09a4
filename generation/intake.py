"""From a sealed upload to a job: the photo is decoded, stripped and sealed anew before any row says "job".

A photo that cannot be used is refused at once, with a sentence that says what to do, and leaves no row and no blob.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing import ledger
from generation import choices, images, pipeline, registry
from generation.dispatching import PROVIDER_DEADLINE
from generation.models import Job
from generation.options import JobOptions
from generation.routing import Offer, Wants, rank, unmet
from privacy import vault

MAX_OPEN_JOBS = 20
"""Jobs of one account that may run at the same time."""

STORE_DOWN = gettext_lazy("Our storage does not answer just now. Nothing was kept or charged; try again in a minute.")

# Decoding takes a core and some hundred megabytes; a crowd of uploads waits its turn.
_decoders = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Wishes:
    """What the owner chose; ``provider`` empty: the router chooses."""

    quality: str
    keep_minutes: int
    provider: str = ""
    options: JobOptions = field(default_factory=JobOptions)


class NotAccepted(Exception):
    """The job cannot be taken; ``code`` for programs, ``message`` for people. The photo is destroyed already."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def price(wishes: Wishes) -> int:
    """Credits to hold: what the best offer costs; the router then keeps to offers that cost no more.

    Raises ``NotAccepted`` when no provider offers what is wished for; an option that is to blame is named.
    """
    wants = Wants(
        quality=wishes.quality,
        max_credits=2**31,
        provider=wishes.provider,
        options=wishes.options.asked_of_provider(),
    )
    offers = [Offer(card) for card in registry.cards()]
    cards = rank(wants, offers)
    if not cards:
        missing = unmet(wants, offers)
        if missing:
            raise NotAccepted("option_not_offered", _not_offered(missing, named=bool(wishes.provider)))
        raise NotAccepted("no_provider", _("No provider offers this. Choose another quality or provider."))
    return cards[0].credits[wishes.quality]


def _not_offered(missing: frozenset[str], *, named: bool) -> str:
    if named:
        sentence = _("This provider does not offer %(options)s. Choose another one, or do without.")
    else:
        sentence = _("No provider here offers %(options)s. Do without, and send the photo again.")
    return sentence % {"options": choices.named(missing)}


def receive(*, owner: User, upload_id: UUID, wishes: Wishes, request_key: UUID) -> Job:
    """Take a sealed upload in as a job with its credits held.

    Sending the same ``request_key`` again returns the first job. Raises ``NotAccepted``; the upload is gone then.
    """
    job_id = uuid4()
    try:
        existing = Job.objects.filter(owner=owner, request_key=request_key).first()
        if existing is not None:
            vault.discard(upload_id)
            return existing
        credits = price(wishes)
        _check_means(owner, credits)
        with _decoders:
            picture = images.normalise(vault.read(upload_id))
        source = vault.seal([picture.data], kind="source", group=job_id, limit=images.OUTPUT_LIMIT)
        del picture
        vault.adopt(upload_id, job_id)
        vault.destroy(upload_id)
        with transaction.atomic():
            now = timezone.now()
            job = Job.objects.create(
                id=job_id,
                owner=owner,
                request_key=request_key,
                quality=wishes.quality,
                keep_minutes=wishes.keep_minutes,
                provider_wish=wishes.provider,
                options=wishes.options.stored(),
                credits=credits,
                source_id=source.pk,
                created_at=now,
                due_at=now,
                deadline_at=now + PROVIDER_DEADLINE,
            )
            ledger.hold(user=owner, credits=credits, job=job.pk)
            pipeline.record(job, "received")
            pipeline.enqueue(job)
        return job
    except BaseException as error:
        _discard(job_id, upload_id)
        if isinstance(error, IntegrityError | NotAccepted | ledger.InsufficientCredits):
            # The same form at the same time: the other one was quicker, and may have taken the last credit.
            twin = Job.objects.filter(owner=owner, request_key=request_key).first()
            if twin is not None:
                return twin
        match error:
            case images.Refused():
                raise NotAccepted(error.code, str(error.message)) from None
            case ledger.InsufficientCredits():
                raise _too_few(credits) from None
            case vault.Unavailable():
                raise NotAccepted("unavailable", str(STORE_DOWN)) from None
            case vault.VaultError():
                raise NotAccepted("not_kept", _("The photo did not arrive whole. Please send it again.")) from None
        raise


def _check_means(owner: User, credits: int) -> None:
    if ledger.balance(owner).available < credits:
        raise _too_few(credits)
    if owner.jobs.exclude(stage=Job.Stage.OVER).exclude(stage=Job.Stage.DELIVER).count() >= MAX_OPEN_JOBS:
        raise NotAccepted(
            "too_many_jobs", _("You have %(most)d jobs running. Wait until one of them ends.") % {"most": MAX_OPEN_JOBS}
        )


def _too_few(credits: int) -> NotAccepted:
    return NotAccepted("insufficient_credits", _("This takes more credits than you have. Nothing was charged."))


def _discard(job_id: UUID, upload_id: UUID) -> None:
    """Leave nothing of a photo that was not taken in."""
    for blob in vault.blobs(job_id):
        vault.discard(blob.pk)
    vault.discard(upload_id)
